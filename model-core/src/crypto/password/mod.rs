//! Password hashing: Argon2id (RFC 9106) in PHC strings, bounded in memory, time and concurrency.

mod input;
mod other;
mod pepper;
mod phc;
mod policy;
mod pool;

use core::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Version};

use self::phc::StoredHash;
use self::pool::{Job, Pool};
use super::key::random;
use super::{CryptoError, Result};

pub use self::input::{Candidate, NewPassword};
pub use self::pepper::{Pepper, Peppers};
pub use self::policy::{Bounds, HashPolicy, Limits};

/// What a candidate is to a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The password is right.
    Match {
        /// The hash is weaker than the policy, of an older format, or without the pepper of new ones: hash the candidate anew and store that.
        needs_rehash: bool,
    },
    /// The password is wrong, or there is none to compare with.
    Mismatch,
}

/// Hashes and verifies passwords, off the runtime's threads and never more at once than memory allows.
///
/// Cloning shares the pool. Its futures need a tokio runtime with time enabled.
#[derive(Clone)]
pub struct PasswordHasher {
    inner: Arc<Inner>,
}

struct Inner {
    policy: HashPolicy,
    peppers: Peppers,
    pool: Arc<Pool>,
    /// What a login without a stored hash computes, so that it takes as long as one with.
    dummy: Job,
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("policy", &self.inner.policy)
            .finish_non_exhaustive()
    }
}

impl PasswordHasher {
    /// A hasher for a policy, with limits on its concurrency.
    ///
    /// # Errors
    /// [`CryptoError::Config`] if Argon2 cannot do what the policy asks, or if the policy exceeds its own bounds;
    /// [`CryptoError::Rng`].
    pub fn new(policy: HashPolicy, limits: Limits) -> Result<Self> {
        Self::with_peppers(policy, limits, Peppers::none())
    }

    /// The same, with peppers.
    ///
    /// # Errors
    /// As [`PasswordHasher::new`].
    pub fn with_peppers(policy: HashPolicy, limits: Limits, peppers: Peppers) -> Result<Self> {
        policy.check()?;
        let dummy = new_job(&policy, peppers.of_new_hashes())?;
        let pool = Arc::new(Pool::new(limits, &dummy.params));
        let inner = Inner {
            policy,
            peppers,
            pool,
            dummy,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The policy that new hashes follow.
    pub fn policy(&self) -> &HashPolicy {
        &self.inner.policy
    }

    /// Hashes a new password with a fresh salt, as a PHC string.
    ///
    /// # Errors
    /// [`CryptoError::HasherBusy`], [`CryptoError::Rng`].
    pub async fn hash(&self, password: &NewPassword) -> Result<String> {
        let job = new_job(&self.inner.policy, self.inner.peppers.of_new_hashes())?;
        let output = self.inner.pool.run(job.clone(), password.secret()).await?;
        phc::format(&job, output)
    }

    /// Compares a candidate with a stored PHC string; one of bcrypt, scrypt or PBKDF2 too, by the features of these names.
    ///
    /// `None`, and a string without a hash, take as long as a real comparison and are a [`Verdict::Mismatch`]. A hash of another scheme takes the time of its scheme. A stored
    /// string costs nothing beyond the policy's bounds: they are checked before anything is computed.
    ///
    /// # Errors
    /// [`CryptoError::HashPolicy`], [`CryptoError::UnsupportedHash`], [`CryptoError::UnknownPepper`] or
    /// [`CryptoError::MalformedHash`] for the stored string, after as much time as a comparison takes; [`CryptoError::HasherBusy`].
    pub async fn verify(&self, stored: Option<&str>, candidate: &Candidate) -> Result<Verdict> {
        let stored = stored
            .map(|text| StoredHash::parse(text, &self.inner.policy.max, &self.inner.peppers))
            .transpose();
        let (stored, secret) = match (stored, candidate.secret()) {
            (Ok(Some(stored)), Some(secret)) => (stored, secret),
            (Err(error), _) => {
                self.burn(candidate).await?;
                return Err(error);
            }
            (Ok(_), _) => {
                self.burn(candidate).await?;
                return Ok(Verdict::Mismatch);
            }
        };
        let stored = match stored {
            StoredHash::Argon2(stored) => stored,
            StoredHash::Other(hash) => {
                let is_match = self.inner.pool.run_other(hash, secret).await?;
                return Ok(if is_match {
                    Verdict::Match { needs_rehash: true }
                } else {
                    Verdict::Mismatch
                });
            }
        };
        let Some(expected) = stored.output else {
            self.burn(candidate).await?;
            return Ok(Verdict::Mismatch);
        };
        let needs_rehash = stored.needs_rehash(&self.inner.policy, self.inner.peppers.of_new_hashes());
        let output = self.inner.pool.run(stored.job, secret).await?;
        // `Output` compares in constant time.
        Ok(if output == expected {
            Verdict::Match { needs_rehash }
        } else {
            Verdict::Mismatch
        })
    }

    /// Takes the time of a comparison.
    async fn burn(&self, candidate: &Candidate) -> Result<()> {
        let secret = candidate.secret().unwrap_or_default();
        self.inner
            .pool
            .run(self.inner.dummy.clone(), secret)
            .await
            .map(|_: Output| ())
    }
}

/// A computation as the policy says, with a fresh salt.
fn new_job(policy: &HashPolicy, pepper: Option<&Pepper>) -> Result<Job> {
    let mut salt = vec![0u8; policy.salt_len];
    random(&mut salt)?;
    Ok(Job {
        algorithm: Algorithm::Argon2id,
        version: Version::V0x13,
        params: policy.params(pepper)?,
        output_len: policy.output_len,
        salt,
        pepper: pepper.cloned(),
    })
}

/// A parameter combination that Argon2 refuses.
fn impossible<E>(_: E) -> CryptoError {
    CryptoError::Config("Argon2 does not allow these parameters: see RFC 9106, section 3.1")
}
