//! A key that is ready for use.

use core::fmt;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::aad::{OriginParts, put};
use super::document_seal;
use super::key::{Dek, FieldKey, KeyId, Purpose};
use super::store::{KeyRow, KeyState};
use super::{CryptoError, Result, TenantKey};

const INDEX_LABEL: &[u8] = b"model-core/bidx/1\0";
/// Fields come from schemas, so this is never reached; a bound, so that a bug is slow instead of a leak.
const MAX_FIELDS: usize = 4096;

/// An unwrapped key with what it belongs to; its bytes are wiped when the last holder drops it.
///
/// Only a [`Keyring`](super::Keyring) makes one, and only after the key hashed to its id.
#[derive(Clone)]
pub struct LoadedKey {
    state: KeyState,
    material: Arc<Material>,
}

struct Material {
    dek: Dek,
    purpose: Purpose,
    tenant: Option<TenantKey>,
    realm: Arc<str>,
    version: u8,
    /// Ordered: comparing a few names takes less than hashing one.
    fields: RwLock<BTreeMap<Box<[u8]>, Arc<FieldKey>>>,
    /// The beginnings of seals, by collection.
    seals: RwLock<HashMap<Box<str>, Hmac<Sha256>>>,
}

impl fmt::Debug for LoadedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedKey")
            .field("id", &self.id())
            .field("purpose", &self.purpose())
            .field("realm", &self.realm())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl LoadedKey {
    /// The key of a row, once unwrapped.
    pub(crate) fn new(row: KeyRow, dek: Dek, realm: &Arc<str>) -> Result<Self> {
        if dek.id() != row.id {
            return Err(CryptoError::KeyIdMismatch);
        }
        let material = Material {
            dek,
            purpose: row.purpose,
            tenant: row.tenant,
            realm: Arc::clone(realm),
            version: row.ver,
            fields: RwLock::default(),
            seals: RwLock::default(),
        };
        Ok(Self {
            state: row.state,
            material: Arc::new(material),
        })
    }

    /// The same key in another state.
    pub(crate) fn in_state(&self, state: KeyState) -> Self {
        Self {
            state,
            material: Arc::clone(&self.material),
        }
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.material.dek.id()
    }

    /// What the key is for.
    pub fn purpose(&self) -> Purpose {
        self.material.purpose
    }

    /// The tenant that the key belongs to; `None` for global models.
    pub fn tenant(&self) -> Option<&TenantKey> {
        self.material.tenant.as_ref()
    }

    /// The realm that the key belongs to.
    pub fn realm(&self) -> &str {
        &self.material.realm
    }

    /// The state of the key when it was loaded.
    pub const fn state(&self) -> KeyState {
        self.state
    }

    /// The key's number among those of its realm, purpose and tenant.
    pub fn version(&self) -> u8 {
        self.material.version
    }

    /// The key of a field, derived once.
    ///
    /// # Errors
    /// [`CryptoError::KeyScope`] unless this is a key for sealing fields.
    pub fn field_key(&self, collection: &str, path: &str) -> Result<Arc<FieldKey>> {
        self.field_key_at(&names(collection, path))
    }

    /// The HMAC key of a blind index, derived each time:
    /// HKDF-Expand(key, `"model-core/bidx/1\0" ‖ LP(realm) ‖ LP(collection) ‖ LP(index)`, 32).
    ///
    /// # Errors
    /// [`CryptoError::KeyScope`] unless this is a key for blind indexes.
    pub fn index_key(&self, collection: &str, index: &str) -> Result<Zeroizing<[u8; 32]>> {
        self.check_purpose(Purpose::BlindIndex)?;
        let mut realm = Vec::with_capacity(4 + self.realm().len());
        put(&mut realm, self.realm().as_bytes());
        self.material
            .dek
            .derive(&[INDEX_LABEL, &realm, &names(collection, index)])
    }

    /// The beginning of a seal's code in a collection, derived once.
    pub(super) fn seal_code(&self, collection: &str) -> Result<Hmac<Sha256>> {
        let material = &self.material;
        if let Some(code) = material
            .seals
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(collection)
        {
            return Ok(code.clone());
        }
        let mut place = Vec::with_capacity(8 + self.realm().len() + collection.len());
        put(&mut place, self.realm().as_bytes());
        put(&mut place, collection.as_bytes());
        let code = document_seal::begin(&*material.dek.derive(&[document_seal::LABEL, &place])?)?;
        let mut seals = material.seals.write().unwrap_or_else(PoisonError::into_inner);
        if seals.len() < document_seal::MAX_COLLECTIONS {
            seals.insert(collection.into(), code.clone());
        }
        Ok(code)
    }

    /// The key of a field, by `LP(collection) ‖ LP(path)` as an origin starts.
    pub(crate) fn field_key_at(&self, field: &[u8]) -> Result<Arc<FieldKey>> {
        self.check_purpose(Purpose::Enc)?;
        let material = &self.material;
        if let Some(key) = material
            .fields
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(field)
        {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(FieldKey::derive(&material.dek, &material.realm, field)?);
        let mut fields = material.fields.write().unwrap_or_else(PoisonError::into_inner);
        if fields.len() < MAX_FIELDS {
            fields.insert(field.into(), Arc::clone(&key));
        }
        Ok(key)
    }

    /// An error unless the key is one for sealing fields of this realm and of the origin's tenant.
    pub(crate) fn check_scope(&self, realm: &str, origin: &OriginParts<'_>) -> Result<()> {
        self.check_purpose(Purpose::Enc)?;
        if self.realm() != realm || TenantKey::part(self.tenant()) != origin.tenant {
            return Err(CryptoError::KeyScope);
        }
        Ok(())
    }

    fn check_purpose(&self, purpose: Purpose) -> Result<()> {
        if self.purpose() == purpose {
            Ok(())
        } else {
            Err(CryptoError::KeyScope)
        }
    }
}

fn names(collection: &str, name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + collection.len() + name.len());
    put(&mut out, collection.as_bytes());
    put(&mut out, name.as_bytes());
    out
}
