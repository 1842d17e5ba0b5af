//! A secret that is mixed into every password.

use core::fmt;
use std::sync::Arc;

use argon2::{KeyId, ParamsBuilder};
use zeroize::Zeroizing;

use super::super::key::{expand, is_weak};
use super::super::{CryptoError, Result, given_key};

const ID_LABEL: &[u8] = b"model-core/pepper-id/1";

/// A secret that Argon2 mixes into every password (RFC 9106, section 3.1: the secret value `K`), and that is not in the
/// database: with hashes alone nobody can try passwords.
///
/// A hash names its pepper by the parameter `keyid`, eight bytes that are derived from it. Hashes without one, or with an
/// older one, verify as before and are made anew with the next login; there is no other way to change them, since the
/// password is needed for it. Where the database handle has a keyring, hashes are sealed, which keeps them from a thief as well, and
/// are rotated like any other field: then a pepper is for systems that have one already, or for two keepers of keys.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use model_core::crypto::{Candidate, HashPolicy, Limits, NewPassword, PasswordHasher, Pepper, Verdict};
/// let pepper = Pepper::parse("b7a0b1a9c9f0d5c3e2d4f6a8b0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3")?;
/// # let policy = HashPolicy { memory_kib: 64, passes: 1, ..HashPolicy::default() };
/// # let limits = Limits::for_policy(&policy);
/// let hasher = PasswordHasher::with_peppers(policy, limits, [pepper])?;
/// let stored = hasher.hash(&NewPassword::new("correct horse".to_owned())?).await?;
/// assert!(stored.contains(",keyid="));
/// let verdict = hasher.verify(Some(&stored), &Candidate::new("correct horse".to_owned())).await?;
/// assert_eq!(verdict, Verdict::Match { needs_rehash: false });
/// # Ok::<(), model_core::crypto::CryptoError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Pepper {
    id: [u8; 8],
    key: Arc<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").finish_non_exhaustive()
    }
}

impl Pepper {
    /// A pepper from its bytes.
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if the bytes are all the same or all printable text.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        if is_weak(key) {
            return Err(CryptoError::WeakKey);
        }
        let mut id = [0; 8];
        expand(key, &[ID_LABEL], &mut id)?;
        Ok(Self {
            id,
            key: Arc::new(Zeroizing::new(*key)),
        })
    }

    /// A pepper from 64 hexadecimal digits, or from base64 of 32 bytes (either alphabet, padding optional).
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if the text is neither, or the key is weak.
    pub fn parse(text: &str) -> Result<Self> {
        Self::new(&*given_key::parse(text)?)
    }

    /// A pepper from an environment variable, written as [`Pepper::parse`] reads it.
    ///
    /// # Errors
    /// [`CryptoError::KeySource`] if the variable is not set or not text; else as [`Pepper::parse`].
    pub fn from_env(name: &str) -> Result<Self> {
        Self::new(&*given_key::from_env(name)?)
    }

    pub(super) fn id(&self) -> &[u8; 8] {
        &self.id
    }

    pub(super) fn key(&self) -> &[u8] {
        self.key.as_slice()
    }

    /// Lets a hash name its pepper.
    pub(super) fn put_on(&self, params: &mut ParamsBuilder) -> Result<()> {
        params.keyid(KeyId::new(&self.id).map_err(super::impossible)?);
        Ok(())
    }
}
