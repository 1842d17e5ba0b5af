//! Sealing the secrets of one document.

use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::blind::{TokenKeys, Tokens};
use super::keys::StoreKeys;
use crate::codec::{Place, Seal, Writer};
use crate::crypto::{Keyring, LoadedKey, Origin, Purpose, TenantKey};
use crate::engine::caller::Caller;
use crate::error::{Error, Result};
use crate::schema::ModelSchema;
use crate::value::IdValue;

/// The keys of a document's tenant, and the document's identity.
pub(in crate::engine) struct Sealer<'a> {
    primary: Option<Primary<'a>>,
    tokens: TokenKeys,
    /// The tokens of the values that were sealed so far, by stored path.
    made: Mutex<Vec<(&'static str, Tokens)>>,
    schema: &'static ModelSchema,
    collection: &'static str,
    tenant: Option<TenantKey>,
    id: (u8, Vec<u8>),
}

impl<'a> Sealer<'a> {
    /// The sealer of the document `id`; none where nothing is sealed, or there is no keyring.
    pub(in crate::engine) async fn new(
        caller: &'a Caller,
        schema: &'static ModelSchema,
        id: &IdValue,
    ) -> Result<Option<Self>> {
        let scopes = schema.token_scopes();
        if caller.ports.keyring.is_none() || !(schema.has_encrypted() || scopes.any()) {
            return Ok(None);
        }
        Ok(Some(Self {
            primary: primary(caller, schema).await?,
            tokens: Box::pin(TokenKeys::load(caller, schema, scopes)).await?,
            made: Mutex::default(),
            schema,
            collection: schema.collection,
            tenant: tenant_of(caller, schema)?,
            id: value_bytes(id),
        }))
    }
}

impl Sealer<'_> {
    /// The tokens of the values that were sealed.
    pub(in crate::engine) fn tokens(&self) -> Vec<(&'static str, Tokens)> {
        std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a document's values are sealed under.
pub(in crate::engine) struct Primary<'a> {
    pub(in crate::engine) keyring: &'a Keyring,
    pub(in crate::engine) key: Arc<LoadedKey>,
    pub(in crate::engine) tenant: Option<TenantKey>,
}

/// The tenant that a model's documents are written for; none in a global model.
fn tenant_of(caller: &Caller, schema: &'static ModelSchema) -> Result<Option<TenantKey>> {
    match (schema.tenant_field(), &caller.tenant) {
        (Some(_), Some(tenant)) => {
            let (tag, bytes) = value_bytes(tenant.value());
            Ok(Some(TenantKey::new(tag, &bytes)?))
        }
        _ => Ok(None),
    }
}

/// The primary key of the caller's tenant; none where nothing is sealed, or there is no keyring.
pub(in crate::engine) async fn primary<'a>(
    caller: &'a Caller,
    schema: &'static ModelSchema,
) -> Result<Option<Primary<'a>>> {
    let Some(keyring) = caller.ports.keyring.as_ref().filter(|_| schema.has_encrypted()) else {
        return Ok(None);
    };
    let tenant = tenant_of(caller, schema)?;
    let key = match keyring.cached_primary(Purpose::Enc, tenant.as_ref()) {
        Some(key) => key,
        // In a box: it happens once for each tenant.
        None => Box::pin(keyring.ensure_primary(
            &StoreKeys(&*caller.ports.store),
            Purpose::Enc,
            tenant.as_ref(),
            caller.ports.now(),
        ))
        .await
        .map_err(Error::from)?,
    };
    Ok(Some(Primary { keyring, key, tenant }))
}

impl Seal for Sealer<'_> {
    fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let path = place.path.as_str();
        let Some(Primary { keyring, key, .. }) = &self.primary else {
            return Err(Error::internal("a sealed field that the schema does not tell of").at_path(path));
        };
        if let Some(blind) = self.schema.blind_place(path) {
            let tokens = self.tokens.of_value(self.collection, blind, plaintext)?;
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.push((blind.path, tokens));
        }
        let pad = self.schema.field_at(path).and_then(|field| field.pad);
        keyring
            .seal(key, &self.origin(place), plaintext, pad)
            .map_err(|error| Error::from(error).at_path(path))
    }

    fn digest(&self, path: &str, token: &[u8]) -> Result<Vec<u8>, Error> {
        self.tokens.digest(self.collection, path, token)
    }

    fn open_old(&self, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>, Error> {
        match &self.primary {
            Some(primary) => Ok(primary.keyring.open_old(format, stored)?),
            None => Ok(None),
        }
    }

    fn origin(&self, place: &Place<'_>) -> Vec<u8> {
        let (tag, bytes) = &self.id;
        let (tag, bytes) = place.bound_id((*tag, bytes));
        let tenant = self.tenant.as_ref().map(TenantKey::typed);
        Origin {
            collection: self.collection,
            path: &place.path,
            tenant,
            id: (tag, &bytes),
        }
        .encode()
    }
}

/// The BSON type and bytes of an id, as they stand in a document.
fn value_bytes(id: &IdValue) -> (u8, Vec<u8>) {
    let mut out = Writer::new();
    id.encode(&mut out, "v");
    let bytes = out.finish().unwrap_or_default();
    // int32 length, type byte, "v\0", value, NUL
    let value = bytes
        .get(7..bytes.len().saturating_sub(1))
        .unwrap_or_default()
        .to_vec();
    (bytes.get(4).copied().unwrap_or_default(), value)
}
