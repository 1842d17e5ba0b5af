//! How a keyring is configured.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::super::cache::Cache;
use super::super::old::OldFormat;
use super::super::wrapper::KeyWrapper;
use super::super::{CryptoError, Result};
use super::{Keyring, PrimaryCaches};

const DEFAULT_TTL: Duration = Duration::from_mins(15);
const DEFAULT_MAX_TENANTS: usize = 10_000;
const NEGATIVE_TTL: Duration = Duration::from_secs(30);
const NEGATIVE_CAPACITY: usize = 16_384;

/// How a [`Keyring`] is configured.
#[derive(Debug)]
#[must_use]
pub struct KeyringBuilder {
    realm: String,
    wrapper: Option<Arc<dyn KeyWrapper>>,
    ttl: Duration,
    grace: Option<Duration>,
    max_tenants: usize,
    old_formats: Vec<(Box<str>, Box<dyn OldFormat>)>,
}

impl Default for KeyringBuilder {
    fn default() -> Self {
        Self {
            realm: String::new(),
            wrapper: None,
            ttl: DEFAULT_TTL,
            grace: None,
            max_tenants: DEFAULT_MAX_TENANTS,
            old_formats: Vec::new(),
        }
    }
}

impl KeyringBuilder {
    /// The realm: `"prod"`, `"stage"`. What is sealed in one does not open in another.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// What wraps and unwraps the keys.
    pub fn wrapper(mut self, wrapper: impl KeyWrapper + 'static) -> Self {
        self.wrapper = Some(Arc::new(wrapper));
        self
    }

    /// How long an unwrapped key serves before its row is read and unwrapped again: 15 minutes.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How much longer it serves while the provider or the store cannot be reached: as long again as the ttl.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// How many tenants' keys are kept unwrapped at once: 10,000.
    pub fn max_tenants(mut self, max_tenants: usize) -> Self {
        self.max_tenants = max_tenants;
        self
    }

    /// What opens the values of fields with `#[model(old_format("name"))]`, which another system encrypted.
    pub fn old_format(mut self, name: impl Into<Box<str>>, format: impl OldFormat + 'static) -> Self {
        self.old_formats.push((name.into(), Box::new(format)));
        self
    }

    /// The keyring; neither the provider nor a store is touched.
    ///
    /// # Errors
    /// [`CryptoError::Config`] without a realm or without a wrapper.
    pub fn build(self) -> Result<Keyring> {
        let wrapper = self
            .wrapper
            .ok_or(CryptoError::Config("a keyring needs a wrapper: `.wrapper(..)`"))?;
        if self.realm.is_empty() {
            return Err(CryptoError::Config("a keyring needs a realm: `.realm(\"prod\")`"));
        }
        let (ttl, grace, tenants) = (self.ttl, self.grace.unwrap_or(self.ttl), self.max_tenants);
        let primaries = || Cache::new(tenants, ttl, Duration::ZERO);
        Ok(Keyring {
            realm: self.realm.into(),
            wrapper,
            // A tenant has a primary per purpose, and older keys of documents not rewritten yet.
            keys: Cache::new(tenants.saturating_mul(5), ttl, grace),
            primaries: PrimaryCaches {
                enc: primaries(),
                blind_index: primaries(),
                pepper: primaries(),
                seal: primaries(),
            },
            refused: Cache::new(NEGATIVE_CAPACITY, NEGATIVE_TTL, Duration::ZERO),
            in_use: Cache::new(tenants, ttl, Duration::ZERO),
            old_formats: self.old_formats.into(),
            ttl,
            flights: core::array::from_fn(|_| Mutex::new(())),
            hasher: RandomState::new(),
        })
    }
}
