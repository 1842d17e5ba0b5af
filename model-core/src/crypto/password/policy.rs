//! What new hashes cost, what stored hashes may cost, and how many are computed at once.

use std::thread::available_parallelism;
use std::time::Duration;

use argon2::{Params, ParamsBuilder};

use super::super::{CryptoError, Result};
use super::impossible;
use super::pepper::{Pepper, Peppers};
use super::phc::StoredHash;

/// The memory that the default limits allow all computations together, in KiB.
const MEMORY_BUDGET_KIB: u32 = 256 * 1024;

/// The most that a stored hash may ask for; whoever writes to the database chooses these numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Memory in KiB (`m`): 262,144.
    pub memory_kib: u32,
    /// Passes over the memory (`t`): 16.
    pub passes: u32,
    /// Lanes (`p`): 4.
    pub lanes: u32,
    /// Memory times passes, the time that a hash takes: 2^20.
    pub memory_times_passes: u64,
    /// The length of the whole string: 256.
    pub phc_len: usize,
    /// The cost of a bcrypt hash: 15, at which it takes seconds.
    pub bcrypt_cost: u32,
    /// The iterations of a PBKDF2 hash: 2,000,000.
    pub pbkdf2_iterations: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            memory_kib: 262_144,
            passes: 16,
            lanes: 4,
            memory_times_passes: 1 << 20,
            phc_len: 256,
            bcrypt_cost: 15,
            pbkdf2_iterations: 2_000_000,
        }
    }
}

impl Bounds {
    /// Whether a stored hash is of a scheme that this build knows, well formed, and within the bounds: for a check of what is
    /// taken over from another system. Nothing is computed, and no pepper is known here.
    ///
    /// # Errors
    /// [`CryptoError::HashPolicy`], [`CryptoError::UnsupportedHash`], [`CryptoError::UnknownPepper`],
    /// [`CryptoError::MalformedHash`].
    ///
    /// ```
    /// use model_core::crypto::{CryptoError, HashPolicy};
    /// let bounds = HashPolicy::default().max;
    /// let huge = "$argon2id$v=19$m=8388608,t=1,p=1$c29tZXNhbHQ";
    /// assert_eq!(bounds.check(huge), Err(CryptoError::HashPolicy));
    /// ```
    pub fn check(&self, stored: &str) -> Result<()> {
        StoredHash::parse(stored, self, &Peppers::none()).map(drop)
    }

    pub(super) fn allow(&self, memory_kib: u32, passes: u32, lanes: u32) -> bool {
        memory_kib <= self.memory_kib
            && passes <= self.passes
            && lanes <= self.lanes
            && u64::from(memory_kib) * u64::from(passes) <= self.memory_times_passes
    }
}

/// What a new hash costs: by default 19 MiB and two passes of Argon2id, OWASP's first recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashPolicy {
    /// Memory in KiB (`m`): 19,456.
    pub memory_kib: u32,
    /// Passes over the memory (`t`): 2.
    pub passes: u32,
    /// Lanes (`p`): 1; more do not run in parallel here.
    pub lanes: u32,
    /// Bytes of the hash: 32, at most 64.
    pub output_len: usize,
    /// Bytes of the salt: 16, from 8 to 48.
    pub salt_len: usize,
    /// What a stored hash may cost.
    pub max: Bounds,
}

impl Default for HashPolicy {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
            output_len: 32,
            salt_len: 16,
            max: Bounds::default(),
        }
    }
}

impl HashPolicy {
    /// An error unless what this policy makes can be made, and verified again.
    pub(super) fn check(&self) -> Result<()> {
        if !self.max.allow(self.memory_kib, self.passes, self.lanes) {
            return Err(CryptoError::Config(
                "the password policy exceeds its own bounds: raise `max`",
            ));
        }
        if !(8..=48).contains(&self.salt_len) || !(10..=64).contains(&self.output_len) {
            return Err(CryptoError::Config(
                "a password hash has a salt of 8 to 48 and an output of 10 to 64 bytes",
            ));
        }
        self.params(None).map(|_| ())
    }

    pub(super) fn params(&self, pepper: Option<&Pepper>) -> Result<Params> {
        let mut params = ParamsBuilder::new();
        params
            .m_cost(self.memory_kib)
            .t_cost(self.passes)
            .p_cost(self.lanes)
            .output_len(self.output_len);
        if let Some(pepper) = pepper {
            pepper.put_on(&mut params)?;
        }
        params.build().map_err(impossible)
    }
}

/// How many passwords are hashed at once, and how many wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Computations at once; each takes the policy's memory. A stored hash that needs more takes several.
    pub permits: usize,
    /// Computations that wait; one more is [`CryptoError::HasherBusy`].
    pub queue: usize,
    /// How long one waits before it is [`CryptoError::HasherBusy`].
    pub wait: Duration,
}

impl Limits {
    /// A computation per core, within 256 MiB together; 64 wait, for up to five seconds.
    pub fn for_policy(policy: &HashPolicy) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let by_memory = usize::try_from(MEMORY_BUDGET_KIB / policy.memory_kib.max(1)).unwrap_or(1);
        Self {
            permits: cores.min(by_memory).max(1),
            queue: 64,
            wait: Duration::from_secs(5),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_policy(&HashPolicy::default())
    }
}
