//! The seal of a document: what authenticates the fields that are stored in the clear.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::aad::put;
use super::key::{KeyId, Purpose};
use super::loaded::LoadedKey;
use super::store::KeyState;
use super::{CryptoError, Result, TenantKey};

/// The length of a seal.
///
/// ```text
/// off len
/// 0   1   magic 0xE2
/// 1   1   suite 0x01 = key by HKDF-SHA256, then HMAC-SHA-256
/// 2   16  key id
/// 18  8   which fields it is over
/// 26  32  HMAC-SHA-256(key, LP(bytes 0 to 26) ‖ content)
/// ```
pub const SEAL_LEN: usize = 58;

const MAGIC: u8 = 0xE2;
const SUITE: u8 = 0x01;
const HEADER_LEN: usize = 26;
/// More than there are collections; a bound, so that a bug is slow instead of a leak.
pub(super) const MAX_COLLECTIONS: usize = 4096;
pub(super) const LABEL: &[u8] = b"model-core/seal/1\0";

/// A seal as it is stored.
#[derive(Clone, Copy)]
pub struct DocumentSeal<'a> {
    header: &'a [u8],
    key: KeyId,
    fields: u64,
    code: &'a [u8],
}

impl core::fmt::Debug for DocumentSeal<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DocumentSeal")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl<'a> DocumentSeal<'a> {
    /// Reads a seal.
    ///
    /// # Errors
    /// [`CryptoError::SealInvalid`] if it is none, [`CryptoError::UnknownSuite`] if this version does not know its kind.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let (header, code) = bytes
            .split_at_checked(HEADER_LEN)
            .ok_or(CryptoError::SealInvalid)?;
        let (start, fields) = header.split_at_checked(18).ok_or(CryptoError::SealInvalid)?;
        let ([MAGIC, suite, key @ ..], Ok(fields)) = (start, <[u8; 8]>::try_from(fields)) else {
            return Err(CryptoError::SealInvalid);
        };
        if *suite != SUITE {
            return Err(CryptoError::UnknownSuite(*suite));
        }
        let key = KeyId::from_slice(key).ok_or(CryptoError::SealInvalid)?;
        if bytes.len() != SEAL_LEN {
            return Err(CryptoError::SealInvalid);
        }
        let fields = u64::from_be_bytes(fields);
        Ok(Self {
            header,
            key,
            fields,
            code,
        })
    }

    /// The id of its key.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// Which fields it is over.
    pub const fn fields(&self) -> u64 {
        self.fields
    }
}

impl LoadedKey {
    /// The seal of a document of `tenant` in `collection`, over `content`. Which fields that is made of, `fields` tells.
    ///
    /// # Errors
    /// [`CryptoError::KeyScope`] unless this is a key for seals of that tenant, [`CryptoError::NoPrimaryKey`] unless it
    /// is a primary one.
    pub fn seal_document(
        &self,
        collection: &str,
        tenant: Option<(u8, &[u8])>,
        fields: u64,
        content: &[u8],
    ) -> Result<Vec<u8>> {
        if self.state() != KeyState::Primary {
            return Err(CryptoError::NoPrimaryKey);
        }
        let mut seal = Vec::with_capacity(SEAL_LEN);
        seal.extend_from_slice(&[MAGIC, SUITE]);
        seal.extend_from_slice(self.id().as_bytes());
        seal.extend_from_slice(&fields.to_be_bytes());
        let code = self.code_of(collection, tenant, &seal, content)?;
        seal.extend_from_slice(&code.finalize().into_bytes());
        Ok(seal)
    }

    /// Whether a seal holds, in constant time.
    ///
    /// # Errors
    /// [`CryptoError::SealInvalid`] if it does not, [`CryptoError::KeyScope`] for a key of another tenant or purpose,
    /// [`CryptoError::KeyDisabled`], [`CryptoError::KeyDestroyed`].
    pub fn check_document(
        &self,
        collection: &str,
        tenant: Option<(u8, &[u8])>,
        seal: DocumentSeal<'_>,
        content: &[u8],
    ) -> Result<()> {
        self.state().check_opens()?;
        if seal.key != self.id() {
            return Err(CryptoError::KeyScope);
        }
        let code = self.code_of(collection, tenant, seal.header, content)?;
        code.verify_slice(seal.code).map_err(|_| CryptoError::SealInvalid)
    }

    fn code_of(
        &self,
        collection: &str,
        tenant: Option<(u8, &[u8])>,
        header: &[u8],
        content: &[u8],
    ) -> Result<Hmac<Sha256>> {
        if self.purpose() != Purpose::Seal || self.tenant().map(TenantKey::typed) != tenant {
            return Err(CryptoError::KeyScope);
        }
        let mut code = self.seal_code(collection)?;
        let mut prefix = Vec::with_capacity(4 + HEADER_LEN);
        put(&mut prefix, header);
        code.update(&prefix);
        code.update(content);
        Ok(code)
    }
}

/// The beginning of a code, by HKDF-Expand(key, `"model-core/seal/1\0" ‖ LP(realm) ‖ LP(collection)`, 32).
pub(super) fn begin(key: &[u8; 32]) -> Result<Hmac<Sha256>> {
    Hmac::<Sha256>::new_from_slice(key).map_err(|_| CryptoError::WeakKey)
}
