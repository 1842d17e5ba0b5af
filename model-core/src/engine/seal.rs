//! Sealing the secrets of one document.

use std::sync::Arc;

use super::caller::Caller;
use super::keys::StoreKeys;
use crate::codec::{Seal, Writer};
use crate::crypto::{Keyring, LoadedKey, Origin, Purpose, TenantKey};
use crate::error::{Error, Result};
use crate::schema::ModelSchema;
use crate::value::IdValue;

/// The key of a document's tenant, and the document's identity.
pub(super) struct Sealer<'a> {
    keyring: &'a Keyring,
    key: Arc<LoadedKey>,
    collection: &'static str,
    tenant: Option<TenantKey>,
    id: (u8, Vec<u8>),
}

impl<'a> Sealer<'a> {
    /// The sealer of the document `id`; none where nothing is sealed, or there is no keyring.
    pub(super) async fn new(
        caller: &'a Caller,
        schema: &'static ModelSchema,
        id: &IdValue,
    ) -> Result<Option<Self>> {
        let Some(Primary { keyring, key, tenant }) = primary(caller, schema).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            keyring,
            key,
            collection: schema.collection,
            tenant,
            id: value_bytes(id),
        }))
    }
}

/// What a document's values are sealed under.
pub(super) struct Primary<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) key: Arc<LoadedKey>,
    pub(super) tenant: Option<TenantKey>,
}

/// The primary key of the caller's tenant; none where nothing is sealed, or there is no keyring.
pub(super) async fn primary<'a>(
    caller: &'a Caller,
    schema: &'static ModelSchema,
) -> Result<Option<Primary<'a>>> {
    let Some(keyring) = caller.ports.keyring.as_ref().filter(|_| schema.has_encrypted()) else {
        return Ok(None);
    };
    let tenant = match (schema.tenant_field(), &caller.tenant) {
        (Some(_), Some(tenant)) => {
            let (tag, bytes) = value_bytes(tenant.value());
            Some(TenantKey::new(tag, &bytes).map_err(Error::from)?)
        }
        _ => None,
    };
    let key = match keyring.cached_primary(Purpose::Enc, tenant.as_ref()) {
        Some(key) => key,
        None => keyring
            .ensure_primary(
                &StoreKeys(&*caller.ports.store),
                Purpose::Enc,
                tenant.as_ref(),
                caller.ports.now(),
            )
            .await
            .map_err(Error::from)?,
    };
    Ok(Some(Primary { keyring, key, tenant }))
}

impl Seal for Sealer<'_> {
    fn seal(&self, path: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.keyring
            .seal(&self.key, &self.origin(path), plaintext, None)
            .map_err(|error| Error::from(error).at_path(path))
    }

    fn origin(&self, path: &str) -> Vec<u8> {
        let (tag, bytes) = &self.id;
        let tenant = self.tenant.as_ref().map(TenantKey::typed);
        Origin {
            collection: self.collection,
            path,
            tenant,
            id: (*tag, bytes),
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
