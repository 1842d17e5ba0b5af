//! Encryption at field level, its keys, and password hashing: formats and engines, no I/O of their own.
//!
//! ```text
//! KEK (a KMS, or LocalKek)  --wrap-->  DEK row in `__model_keys`      wrapper, store
//! DEK (per tenant, or global)                                          key, loaded, keyring
//!  ├ key id     = HKDF-Expand(DEK, "model-core/key-id/1", 16)
//!  └ field key  = HKDF-Expand(DEK, "model-core/enc/1\0" ‖ LP(realm) ‖ LP(collection) ‖ LP(path), 32)
//!       └ XAES-256-GCM                                                 xaes, envelope, aad
//! index DEK (a row of its own)
//!  └ index key  = HKDF-Expand(DEK, "model-core/bidx/1\0" ‖ LP(realm) ‖ LP(collection) ‖ LP(index), 32)
//!       └ token = version ‖ HMAC-SHA-256(index key, LP(value))         index
//! seal DEK (a row of its own)
//!  └ seal key   = HKDF-Expand(DEK, "model-core/seal/1\0" ‖ LP(realm) ‖ LP(collection), 32)
//!       └ seal  = header ‖ HMAC-SHA-256(seal key, LP(header) ‖ content) document_seal
//! ```
//!
//! `LP(x)` is the length of `x` as a big-endian `u32`, then `x`. The envelope ([`shape`]), the associated data
//! ([`Origin`]) and the key row ([`KeyRow`]) are file formats: the frozen vectors in this module's tests hold them.
//!
//! What an attacker gets: someone with the database only, whether a reader or a writer, learns neither a value nor
//! a key, and cannot move, splice, truncate or downgrade a ciphertext without [`CryptoError`] saying so. Someone
//! inside the process, or with access to the KMS, is out of scope. The length of a plaintext shows unless padded.
//!
//! Sources: NIST SP 800-38D (GCM), NIST SP 800-108 and C2SP XAES-256-GCM (the cipher), RFC 5869 (HKDF), RFC 9106
//! (Argon2), the PHC string format.

mod aad;
mod cache;
mod document_seal;
mod envelope;
mod error;
mod given_key;
mod index;
mod key;
mod keyring;
mod loaded;
mod local_kek;
mod memory;
mod old;
mod password;
mod plaintext;
mod store;
mod tenant;
mod wrapper;
mod xaes;

#[cfg(test)]
mod tests;

pub use aad::Origin;
pub(crate) use aad::put;
pub use document_seal::{DocumentSeal, SEAL_LEN};
pub use envelope::{MAX_PLAINTEXT, OVERHEAD, Suite, Suites, shape};
pub use error::CryptoError;
pub use index::TOKEN_LEN;
pub use key::{Dek, FieldKey, KeyId, Purpose};
pub(crate) use keyring::next_version;
pub use keyring::{Keyring, KeyringBuilder};
pub use loaded::LoadedKey;
pub use local_kek::LocalKek;
pub use memory::MemoryKeyStore;
pub use old::OldFormat;
#[cfg(feature = "old-formats")]
pub use old::{AesCbc, AesCtr, CryptoJs, LibreChat};
pub use password::{
    Bounds, Candidate, HashPolicy, Limits, NewPassword, PasswordHasher, Pepper, Peppers, Verdict,
};
pub use plaintext::Plaintext;
pub(crate) use plaintext::wipe;
pub use store::{KEYS_COLLECTION, KeyRow, KeyState, KeyStore};
pub use tenant::{TenantKey, bson_value};
pub use wrapper::{KekRef, KeyWrapper, WrapCtx, Wrapped};

/// The result of everything in this module.
type Result<T> = core::result::Result<T, CryptoError>;
