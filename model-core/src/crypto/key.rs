//! Data-encryption keys, their content-derived ids, and the keys of fields derived from them.
//!
//! Derivation is HKDF-Expand with SHA-256 (RFC 5869, section 2.3); a DEK is uniformly random and used as the PRK, so
//! that there is nothing to extract.

use core::fmt;
use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::xaes::Xaes;
use super::{CryptoError, Result};

const KEY_ID_LABEL: &[u8] = b"model-core/key-id/1";
const FIELD_LABEL: &[u8] = b"model-core/enc/1\0";
/// A random key is printable text once in 10^13; more than one retry means that the generator is broken.
const GENERATE_ATTEMPTS: usize = 4;

/// What a key is for; a key is never used for two purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Purpose {
    /// Sealing fields.
    Enc,
    /// Blind-index tokens and token digests.
    BlindIndex,
    /// A secret mixed into password hashes.
    Pepper,
    /// Seals of documents.
    Seal,
}

impl Purpose {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Enc, Self::BlindIndex, Self::Pepper, Self::Seal];

    /// The name that key rows store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enc => "enc",
            Self::BlindIndex => "bidx",
            Self::Pepper => "pepper",
            Self::Seal => "seal",
        }
    }

    /// The purpose of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// The id of a data-encryption key: 16 bytes derived from the key itself.
///
/// A ciphertext names its key by this id and authenticates it, which commits the ciphertext to the key: nobody can make one
/// envelope that opens under two keys without a 2^128 search.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// An id from its bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// An id from a slice, if that has 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The id's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first eight hexadecimal digits: enough to find a key row by, in logs and errors.
    pub fn id8(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({}…)", self.id8())
    }
}

/// A data-encryption key: 32 random bytes, wiped from memory when dropped.
///
/// Always made by [`Dek::generate`] (users bring a key-encryption key, never a DEK) or unwrapped from a key row.
pub struct Dek {
    // Boxed, so that moving the key leaves no copies behind.
    bytes: Box<Zeroizing<[u8; 32]>>,
    id: KeyId,
}

impl fmt::Debug for Dek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dek")
            .field("id", &self.id)
            .field("bytes", &"[REDACTED]")
            .finish()
    }
}

impl Dek {
    /// A new random key.
    ///
    /// # Errors
    /// [`CryptoError::Rng`] if the operating system gives no randomness.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        for _ in 0..GENERATE_ATTEMPTS {
            random(&mut *bytes)?;
            if !is_weak(&bytes) {
                return Self::from_bytes(&bytes);
            }
        }
        Err(CryptoError::Rng)
    }

    /// A key from its bytes, for what unwraps keys.
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if the bytes are all the same or all printable text.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self> {
        if is_weak(bytes) {
            return Err(CryptoError::WeakKey);
        }
        let mut id = [0u8; 16];
        expand(bytes, &[KEY_ID_LABEL], &mut id)?;
        let mut boxed = Box::new(Zeroizing::new([0u8; 32]));
        boxed.copy_from_slice(bytes);
        Ok(Self {
            bytes: boxed,
            id: KeyId(id),
        })
    }

    /// The key's bytes, for what wraps keys.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key's id: HKDF-Expand(key, `"model-core/key-id/1"`, 16).
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// 32 bytes derived from the key for `info`, given in parts.
    pub(crate) fn derive(&self, info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>> {
        let mut out = Zeroizing::new([0u8; 32]);
        expand(&self.bytes, info, &mut *out)?;
        Ok(out)
    }
}

/// The key of one field: the cached cipher state for a DEK, realm, collection and path.
#[derive(Debug)]
pub struct FieldKey {
    key_id: KeyId,
    realm: Arc<str>,
    xaes: Xaes,
}

impl FieldKey {
    /// HKDF-Expand(DEK, `"model-core/enc/1\0" ‖ LP(realm) ‖ field`) with `field` = LP(collection) ‖ LP(path).
    pub(crate) fn derive(dek: &Dek, realm: &Arc<str>, field: &[u8]) -> Result<Self> {
        let mut info = Vec::with_capacity(4 + realm.len());
        super::aad::put(&mut info, realm.as_bytes());
        let key = dek.derive(&[FIELD_LABEL, &info, field])?;
        Ok(Self {
            key_id: dek.id(),
            realm: Arc::clone(realm),
            xaes: Xaes::new(&key),
        })
    }

    /// The id of the key that this one was derived from.
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    pub(crate) const fn xaes(&self) -> &Xaes {
        &self.xaes
    }
}

/// HKDF-Expand with SHA-256; `out` is at most 32 bytes here.
pub(crate) fn expand(prk: &[u8; 32], info: &[&[u8]], out: &mut [u8]) -> Result<()> {
    let hkdf = Hkdf::<Sha256>::from_prk(prk).map_err(|_| CryptoError::WeakKey)?;
    hkdf.expand_multi_info(info, out)
        .map_err(|_| CryptoError::TooLarge)
}

/// Fills `out` from the operating system; on an error `out` is wiped.
pub(crate) fn random(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|_| {
        out.zeroize();
        CryptoError::Rng
    })
}

/// Whether a key is what people type or forget to fill in: one repeated byte, or nothing but printable text.
pub(crate) fn is_weak(bytes: &[u8; 32]) -> bool {
    let [first, ..] = *bytes;
    bytes.iter().all(|byte| *byte == first)
        || bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes() -> [u8; 32] {
        core::array::from_fn(|i| u8::try_from(i).unwrap())
    }

    #[test]
    fn weak_keys_are_refused() {
        for weak in [
            [0u8; 32],
            [0xAA; 32],
            *b"correct horse battery staple 123",
            [b' '; 32],
        ] {
            assert_eq!(Dek::from_bytes(&weak).unwrap_err(), CryptoError::WeakKey);
        }
        assert!(Dek::from_bytes(&bytes()).is_ok());
        assert_ne!(Dek::generate().unwrap().id(), Dek::generate().unwrap().id());
    }

    #[test]
    fn debug_shows_no_key() {
        let dek = Dek::from_bytes(&[b'\x01'; 32].map(|_| 0x5A).map({
            let mut i = 0u8;
            move |b| {
                i += 1;
                b ^ (i | 0x80)
            }
        }))
        .unwrap();
        let text = format!("{dek:?} {:?}", dek.id());
        assert!(text.contains("[REDACTED]") && text.contains(&dek.id().id8()));
    }

    #[test]
    fn expand_is_rfc_5869() {
        // Test case 1: the PRK and the info of the RFC, the first 32 bytes of its output.
        let prk = [
            0x07, 0x77, 0x09, 0x36, 0x2c, 0x2e, 0x32, 0xdf, 0x0d, 0xdc, 0x3f, 0x0d, 0xc4, 0x7b, 0xba, 0x63,
            0x90, 0xb6, 0xc7, 0x3b, 0xb5, 0x0f, 0x9c, 0x31, 0x22, 0xec, 0x84, 0x4a, 0xd7, 0xc2, 0xb3, 0xe5,
        ];
        let info: [u8; 10] = core::array::from_fn(|i| 0xF0 + u8::try_from(i).unwrap());
        let (a, b) = info.split_at(3);
        let mut out = [0u8; 32];
        expand(&prk, &[a, b], &mut out).unwrap();
        assert_eq!(
            out,
            [
                0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f,
                0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4,
                0xc5, 0xbf
            ]
        );
    }

    #[test]
    fn purposes_round_trip() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
        }
        assert_eq!(Purpose::parse("ENC"), None);
    }
}
