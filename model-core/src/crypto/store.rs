//! Key rows, as documents of `__model_keys`, and the port to where they are kept.

use async_trait::async_trait;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use chrono::{DateTime, Utc};

use super::key::{KeyId, Purpose};
use super::wrapper::{KekRef, Wrapped};
use super::{CryptoError, Result, TenantKey};

/// The collection that key rows are kept in.
pub const KEYS_COLLECTION: &str = "__model_keys";

/// What a key may be used for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Seals and opens; at most one key per realm, purpose and tenant.
    Primary,
    /// Opens only.
    DecryptOnly,
    /// Neither, until enabled again.
    Disabled,
    /// Neither, for good: the wrapped key is gone, the row stays as a tombstone.
    Destroyed,
}

impl KeyState {
    /// The name that key rows store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::DecryptOnly => "decrypt_only",
            Self::Disabled => "disabled",
            Self::Destroyed => "destroyed",
        }
    }

    /// The state of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Primary, Self::DecryptOnly, Self::Disabled, Self::Destroyed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// An error unless the key may open values.
    pub(crate) const fn check_opens(self) -> Result<()> {
        match self {
            Self::Primary | Self::DecryptOnly => Ok(()),
            Self::Disabled => Err(CryptoError::KeyDisabled),
            Self::Destroyed => Err(CryptoError::KeyDestroyed),
        }
    }
}

/// One data-encryption key, wrapped, with what it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRow {
    /// The key's id, derived from its bytes.
    pub id: KeyId,
    /// What the key is for.
    pub purpose: Purpose,
    /// The tenant it belongs to; `None` for global models.
    pub tenant: Option<TenantKey>,
    /// The realm it belongs to.
    pub realm: String,
    /// The key's number among those of its realm, purpose and tenant, from 1; blind-index tokens start with it.
    pub ver: u8,
    /// The wrapped key; empty once destroyed.
    pub wrapped: Wrapped,
    /// What the key may be used for now.
    pub state: KeyState,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When the key became primary.
    pub promoted_at: Option<DateTime<Utc>>,
    /// When the key should no longer be primary.
    pub not_after: Option<DateTime<Utc>>,
    /// When the key was destroyed.
    pub destroyed_at: Option<DateTime<Utc>>,
}

impl KeyRow {
    /// The row as a document: what [`KeyRow::from_document`] reads.
    ///
    /// # Errors
    /// [`CryptoError::MalformedKeyRow`] if the tenant is not a BSON value.
    pub fn to_document(&self) -> Result<Document> {
        let tenant = self.tenant.as_ref().map_or(Ok(Bson::Null), TenantKey::to_bson)?;
        let mut document = doc! {
            "_id": binary(self.id.as_bytes()),
            "purpose": self.purpose.as_str(),
            "tenant": tenant,
            "realm": &self.realm,
            "ver": i32::from(self.ver),
            "kek": {
                "provider": &self.wrapped.kek.provider,
                "id": &self.wrapped.kek.id,
                "version": &self.wrapped.kek.version,
            },
            "wrapped": binary(&self.wrapped.bytes),
            "state": self.state.as_str(),
            "created_at": bson::DateTime::from_chrono(self.created_at),
        };
        let times = [
            ("promoted_at", self.promoted_at),
            ("not_after", self.not_after),
            ("destroyed_at", self.destroyed_at),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                document.insert(name, bson::DateTime::from_chrono(time));
            }
        }
        Ok(document)
    }

    /// Reads a row; strict about types, silent about fields that it does not know.
    ///
    /// # Errors
    /// [`CryptoError::MalformedKeyRow`] with the name of the field.
    pub fn from_document(document: &Document) -> Result<Self> {
        let kek = document.get_document("kek").map_err(|_| malformed("kek"))?;
        let tenant = match document.get("tenant") {
            None => return Err(malformed("tenant")),
            Some(Bson::Null) => None,
            Some(value) => Some(TenantKey::from_bson(value).map_err(|_| malformed("tenant"))?),
        };
        let wrapped = Wrapped {
            kek: KekRef {
                provider: text(kek, "provider", "kek.provider")?.to_owned(),
                id: text(kek, "id", "kek.id")?.to_owned(),
                version: text(kek, "version", "kek.version")?.to_owned(),
            },
            bytes: bytes(document, "wrapped")?.to_vec(),
        };
        let ver = document
            .get_i32("ver")
            .ok()
            .and_then(|ver| u8::try_from(ver).ok());
        Ok(Self {
            id: KeyId::from_slice(bytes(document, "_id")?).ok_or_else(|| malformed("_id"))?,
            purpose: Purpose::parse(text(document, "purpose", "purpose")?)
                .ok_or_else(|| malformed("purpose"))?,
            tenant,
            realm: text(document, "realm", "realm")?.to_owned(),
            ver: ver.ok_or_else(|| malformed("ver"))?,
            wrapped,
            state: KeyState::parse(text(document, "state", "state")?).ok_or_else(|| malformed("state"))?,
            created_at: time(document, "created_at")?.ok_or_else(|| malformed("created_at"))?,
            promoted_at: time(document, "promoted_at")?,
            not_after: time(document, "not_after")?,
            destroyed_at: time(document, "destroyed_at")?,
        })
    }
}

/// The port to where key rows are kept: the database itself, or another.
///
/// A store keeps a unique index over `(realm, purpose, tenant)` where `state` is `"primary"`; the guarantee of
/// [`KeyStore::insert_if_no_primary`] is that index, not a read before the write. Reads are from the primary with
/// majority concern, so that a key that someone sealed with is found. Failures are [`CryptoError::Store`].
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The row with this id, in any state.
    async fn load(&self, id: KeyId) -> Result<Option<KeyRow>>;

    /// The primary row of a realm, purpose and tenant.
    async fn primary(
        &self,
        realm: &str,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
    ) -> Result<Option<KeyRow>>;

    /// All rows of a realm, purpose and tenant, in any state and any order.
    async fn list(&self, realm: &str, purpose: Purpose, tenant: Option<&TenantKey>) -> Result<Vec<KeyRow>>;

    /// Inserts a primary row; `false`, and nothing done, if there is one for its realm, purpose and tenant.
    async fn insert_if_no_primary(&self, row: &KeyRow) -> Result<bool>;

    /// Changes the state of a row; `false` if there is none, or if it is destroyed.
    ///
    /// To [`KeyState::Destroyed`] also empties `wrapped` and sets `destroyed_at`; to [`KeyState::Primary`] also sets
    /// `promoted_at`, and is `false` while another row is primary.
    async fn set_state(&self, id: KeyId, state: KeyState, now: DateTime<Utc>) -> Result<bool>;
}

const fn malformed(field: &'static str) -> CryptoError {
    CryptoError::MalformedKeyRow { field }
}

fn binary(bytes: &[u8]) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    }
}

fn bytes<'a>(document: &'a Document, field: &'static str) -> Result<&'a [u8]> {
    document
        .get_binary_generic(field)
        .map(Vec::as_slice)
        .map_err(|_| malformed(field))
}

fn text<'a>(document: &'a Document, key: &str, field: &'static str) -> Result<&'a str> {
    document.get_str(key).map_err(|_| malformed(field))
}

fn time(document: &Document, field: &'static str) -> Result<Option<DateTime<Utc>>> {
    match document.get(field) {
        None | Some(Bson::Null) => Ok(None),
        Some(Bson::DateTime(time)) => Ok(Some(time.to_chrono())),
        Some(_) => Err(malformed(field)),
    }
}
