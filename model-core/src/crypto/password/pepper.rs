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
/// A hash names its pepper by the parameter `keyid`, eight bytes that are derived from it. Where the database handle has a keyring, hashes are sealed, which keeps them from a thief as well, and
/// are rotated like any other field: then a pepper is for systems that have one already, or for two keepers of keys.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use model_core::crypto::{Candidate, HashPolicy, Limits, NewPassword, PasswordHasher, Pepper, Peppers, Verdict};
/// let pepper = Pepper::parse("b7a0b1a9c9f0d5c3e2d4f6a8b0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3")?;
/// # let policy = HashPolicy { memory_kib: 64, passes: 1, ..HashPolicy::default() };
/// # let limits = Limits::for_policy(&policy);
/// let hasher = PasswordHasher::with_peppers(policy, limits, Peppers::current(pepper))?;
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
        // Copied to where it stays, so that moving it leaves no copies behind.
        let mut kept = Arc::new(Zeroizing::new([0; 32]));
        if let Some(kept) = Arc::get_mut(&mut kept) {
            kept.copy_from_slice(key);
        }
        Ok(Self { id, key: kept })
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

/// The peppers that a hasher knows, and the one that it mixes into new hashes.
///
/// Hashes without the current one verify as before and are made anew with the next login; there is no other way to change
/// them, since the password is needed for it. A process that does not know a hash's pepper cannot verify it: a new pepper is
/// made known to all processes first, and current after that. Since hashes without one verify, a pepper is no protection from
/// who writes to the database.
///
/// ```
/// # use model_core::crypto::{Pepper, Peppers};
/// # let pepper = |first: u8| Pepper::new(&std::array::from_fn(|i| first + i as u8));
/// # let (old, new) = (pepper(1)?, pepper(2)?);
/// // Everywhere before any process makes hashes with the new one:
/// let first = Peppers::current(old.clone()).with_known(new.clone());
/// // And then:
/// let second = Peppers::current(new).with_known(old);
/// # Ok::<(), model_core::crypto::CryptoError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Peppers {
    current: Option<Pepper>,
    known: Vec<Pepper>,
}

impl Peppers {
    /// This one is mixed into new hashes.
    pub fn current(pepper: Pepper) -> Self {
        Self {
            current: Some(pepper),
            known: Vec::new(),
        }
    }

    /// New hashes have none: before the first one becomes current, and after the last one.
    pub fn none() -> Self {
        Self::default()
    }

    /// Hashes with this one verify too: it was current once, or is going to be.
    #[must_use]
    pub fn with_known(mut self, pepper: Pepper) -> Self {
        self.known.push(pepper);
        self
    }

    pub(super) fn of_new_hashes(&self) -> Option<&Pepper> {
        self.current.as_ref()
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<&Pepper> {
        self.current
            .iter()
            .chain(&self.known)
            .find(|pepper| pepper.id == id)
    }
}
