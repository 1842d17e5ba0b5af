//! Data keys, kept in the database's own store.

use async_trait::async_trait;
use bson::{Bson, Document, RawDocumentBuf, doc};
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use crate::crypto::{
    CryptoError, KEYS_COLLECTION, KeyId, KeyRow, KeyState, KeyStore, Keyring, Origin, Plaintext, Purpose,
    Suites, TenantKey, shape,
};
use crate::engine::caller::{Caller, equals};
use crate::engine::ports::Ports;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::store::{Find, Guard, Selection, Store, StoreError, UpdateOne, into_error};

/// The field that only a primary key has; unique, so that a tenant has one.
pub(in crate::engine) const SLOT: &str = "slot";

/// The key store over the collection `__model_keys`.
pub(in crate::engine) struct StoreKeys<'a>(pub(in crate::engine) &'a dyn Store);

/// An error of the crypto module as ours. Its text holds no value.
impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        let kind = match error {
            CryptoError::WeakKey | CryptoError::KeySource { .. } | CryptoError::Config(_) => {
                ErrorKind::Configuration
            }
            CryptoError::PasswordLength => ErrorKind::Invalid,
            _ => ErrorKind::Crypto,
        };
        let ours = Self::new(kind, error.to_string());
        if error.is_retryable() {
            ours.retryable()
        } else {
            ours
        }
    }
}

/// The keyring of a handle.
///
/// # Errors
/// `Configuration` if it has none.
pub(in crate::engine) fn keyring(ports: &Ports) -> Result<&Keyring> {
    ports.keyring.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::Configuration,
            "no keyring: give the database handle one with `.keys(...)`",
        )
    })
}

/// Unwraps one of the keys that the database has, so that a wrong key-encryption key shows at start-up and not with the
/// first secret that is asked for.
///
/// # Errors
/// `Configuration` if it does not unwrap; retryable `Crypto` if the provider does not answer.
pub(crate) async fn check_keyring(ports: &Ports) -> Result<()> {
    let Some(keyring) = &ports.keyring else {
        return Ok(());
    };
    let rest = equals("realm", keyring.realm().into()).and(Node::field(SLOT, Test::Exists(true)));
    let found = ports
        .store
        .find_one(KEYS_COLLECTION, &selection(rest))
        .await
        .map_err(into_error)?;
    let Some(row) = row(found)? else { return Ok(()) };
    match keyring.check(&row).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(error) => Err(Error::new(
            ErrorKind::Configuration,
            format!("the keyring does not unwrap the keys of this database: {error}"),
        )),
    }
}

/// Whose envelopes may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the caller's own tenant, and of global models.
    Own,
    /// Those of any tenant: to compare a password with its hash, before the tenant is known. The hash stays inside.
    Any,
}

/// Opens an envelope that is bound to `origin`, if that is within reach.
pub(crate) async fn open_sealed(
    caller: &Caller,
    origin: &[u8],
    envelope: &[u8],
    reach: Reach,
) -> Result<Plaintext> {
    let keyring = keyring(&caller.ports)?;
    let bound = Origin::parse(origin).map_err(Error::from)?;
    let own = caller
        .tenant
        .as_ref()
        .map(|tenant| TenantKey::from_bson(&tenant.value().to_bson()))
        .transpose();
    let own = own.map_err(Error::from)?;
    if reach == Reach::Own && bound.tenant.is_some() && bound.tenant != own.as_ref().map(TenantKey::typed) {
        return Err(Error::from(CryptoError::KeyScope).at_path(bound.path));
    }
    let id = shape(envelope).map_err(Error::from)?;
    let key = match keyring.cached(id) {
        Some(key) => key,
        None => keyring
            .load(&StoreKeys(&*caller.ports.store), id)
            .await
            .map_err(Error::from)?,
    };
    keyring
        .open(&key, origin, envelope, Suites::ALL)
        .map_err(|error| Error::from(error).at_path(bound.path))
}

/// Opens what another system encrypted; none if it is not of that format.
pub(crate) fn open_old(caller: &Caller, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>> {
    Ok(keyring(&caller.ports)?.open_old(format, stored)?)
}

fn selection(rest: Node) -> Selection {
    Selection {
        tenant: None,
        id: None,
        revision: Guard::None,
        rest,
    }
}

pub(in crate::engine) fn by_id(id: KeyId) -> Selection {
    Selection {
        id: Some(("_id", binary(id))),
        ..selection(Node::Everything)
    }
}

fn binary(id: KeyId) -> Bson {
    Bson::Binary(bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: id.as_bytes().to_vec(),
    })
}

/// The unique name of the one primary key for a purpose and tenant.
pub(in crate::engine) fn slot(
    realm: &str,
    purpose: Purpose,
    tenant: Option<&TenantKey>,
) -> Result<Bson, CryptoError> {
    let tenant = tenant.map(TenantKey::to_bson).transpose()?.unwrap_or(Bson::Null);
    Ok(Bson::Document(
        doc! { "realm": realm, "purpose": purpose.as_str(), "tenant": tenant },
    ))
}

/// Makes sure that a tenant has one primary key: without the index two processes could make two. It is asked for whenever
/// a key is made, which is rare.
async fn one_primary(store: &dyn Store) -> Result<(), CryptoError> {
    let index = doc! {
        "key": { SLOT: 1 }, "name": "slot_1_unique", "unique": true,
        "partialFilterExpression": { SLOT: { "$exists": true } },
    };
    let made = store.create_index(KEYS_COLLECTION, &index).await;
    made.map_err(|error| unavailable(&error))
}

/// Makes sure that each key of a tenant has a number of its own.
pub(in crate::engine) async fn own_numbers(store: &dyn Store) -> Result<(), CryptoError> {
    let index = doc! {
        "key": { "realm": 1, "purpose": 1, "tenant": 1, "ver": 1 }, "name": "realm_purpose_tenant_ver_unique",
        "unique": true,
    };
    let made = store.create_index(KEYS_COLLECTION, &index).await;
    made.map_err(|error| unavailable(&error))
}

fn unavailable(error: &StoreError) -> CryptoError {
    CryptoError::Store(match error {
        StoreError::Unavailable { what } => format!("no answer from {what}"),
        StoreError::Refused { code, name } => format!("refused with {name} ({code})"),
        _ => "the key collection cannot be reached".to_owned(),
    })
}

fn row(document: Option<RawDocumentBuf>) -> Result<Option<KeyRow>, CryptoError> {
    let Some(document) = document else { return Ok(None) };
    let document =
        Document::try_from(&*document).map_err(|_| CryptoError::MalformedKeyRow { field: "_id" })?;
    KeyRow::from_document(&document).map(Some)
}

impl StoreKeys<'_> {
    /// The keys of a realm, of every tenant and purpose.
    pub(in crate::engine) async fn every(&self, realm: &str) -> Result<Vec<KeyRow>, CryptoError> {
        self.read(equals("realm", realm.into())).await
    }

    async fn read(&self, rest: Node) -> Result<Vec<KeyRow>, CryptoError> {
        let find = Find::all(KEYS_COLLECTION, selection(rest));
        let mut cursor = self.0.find(&find).await.map_err(|error| unavailable(&error))?;
        let mut rows = Vec::new();
        while cursor.advance().await.map_err(|error| unavailable(&error))? {
            let read = cursor.each(&mut |raw| {
                let document =
                    Document::from_reader(raw).map_err(|_| Error::internal("a malformed key row"))?;
                rows.push(KeyRow::from_document(&document)?);
                Ok(true)
            });
            read.map_err(|_| CryptoError::MalformedKeyRow { field: "_id" })?;
        }
        Ok(rows)
    }
}

#[async_trait]
impl KeyStore for StoreKeys<'_> {
    async fn load(&self, id: KeyId) -> Result<Option<KeyRow>, CryptoError> {
        row(self
            .0
            .find_one(KEYS_COLLECTION, &by_id(id))
            .await
            .map_err(|error| unavailable(&error))?)
    }

    async fn primary(
        &self,
        realm: &str,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
    ) -> Result<Option<KeyRow>, CryptoError> {
        let selection = selection(equals(SLOT, slot(realm, purpose, tenant)?));
        row(self
            .0
            .find_one(KEYS_COLLECTION, &selection)
            .await
            .map_err(|error| unavailable(&error))?)
    }

    async fn list(
        &self,
        realm: &str,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
    ) -> Result<Vec<KeyRow>, CryptoError> {
        let tenant = tenant.map(TenantKey::to_bson).transpose()?.unwrap_or(Bson::Null);
        let rest = equals("realm", realm.into())
            .and(equals("purpose", purpose.as_str().into()))
            .and(equals("tenant", tenant));
        self.read(rest).await
    }

    async fn insert_if_no_primary(&self, row: &KeyRow) -> Result<bool, CryptoError> {
        one_primary(self.0).await?;
        let mut document = row.to_document()?;
        document.insert(SLOT, slot(&row.realm, row.purpose, row.tenant.as_ref())?);
        let bytes = document
            .to_vec()
            .map_err(|_| CryptoError::MalformedKeyRow { field: "slot" })?;
        match self.0.insert(KEYS_COLLECTION, &[&bytes]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Duplicate { .. }) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn set_state(&self, id: KeyId, state: KeyState, now: DateTime<Utc>) -> Result<bool, CryptoError> {
        let Some(mut row) = self.load(id).await? else {
            return Ok(false);
        };
        if row.state == KeyState::Destroyed {
            return Ok(state == KeyState::Destroyed);
        }
        row.state = state;
        if state == KeyState::Destroyed {
            row.destroyed_at = Some(now);
            row.wrapped.bytes.clear();
        }
        let mut set = row.to_document()?;
        set.remove("_id");
        let set =
            RawDocumentBuf::try_from(&set).map_err(|_| CryptoError::MalformedKeyRow { field: "state" })?;
        let unset = if state == KeyState::Primary {
            Vec::new()
        } else {
            vec![SLOT.to_owned()]
        };
        let update = UpdateOne {
            selection: by_id(id),
            set,
            unset,
        };
        self.0
            .update(KEYS_COLLECTION, &[&update])
            .await
            .map(|matched| matched == 1)
            .map_err(|error| unavailable(&error))
    }
}
