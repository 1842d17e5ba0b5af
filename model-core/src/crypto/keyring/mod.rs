//! The keys of a process: found, unwrapped, cached, and held to their scope.

mod builder;
mod rotate;

use core::hash::{BuildHasher, Hash};
use core::num::NonZeroU32;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, MutexGuard};

use super::aad::OriginParts;
use super::cache::Cache;
use super::envelope::{self, Parts, Suites};
use super::key::{KeyId, Purpose};
use super::loaded::LoadedKey;
use super::old::OldFormat;
use super::store::{KeyRow, KeyState, KeyStore};
use super::wrapper::{KeyWrapper, WrapCtx};
use super::{CryptoError, Plaintext, Result, TenantKey};

pub use self::builder::KeyringBuilder;
pub(crate) use self::rotate::next_version;

/// Loads of one key wait for each other; of two keys, rarely.
const FLIGHTS: usize = 64;

/// The keys of a process.
///
/// Made without touching the key provider; nothing is unwrapped before a value needs it. A keyring does not hold its
/// [`KeyStore`]: the database does, and passes it to each call that may need to load.
#[derive(Debug)]
pub struct Keyring {
    realm: Arc<str>,
    wrapper: Arc<dyn KeyWrapper>,
    keys: Cache<KeyId, Arc<LoadedKey>>,
    /// By the tenant part of an origin, so that a lookup copies nothing.
    primaries: PrimaryCaches,
    /// Ids that do not load, and why: planted ids cannot hammer the store or the provider.
    refused: Cache<KeyId, CryptoError>,
    /// The blind-index keys that are in use, by the tenant part of an origin; the primary first.
    in_use: Cache<Box<[u8]>, Arc<[Arc<LoadedKey>]>>,
    /// What opens values that other systems encrypted, by the name that fields know it by.
    old_formats: OldFormats,
    ttl: Duration,
    flights: [Mutex<()>; FLIGHTS],
    hasher: RandomState,
}

type OldFormats = Box<[(Box<str>, Box<dyn OldFormat>)]>;
type PrimaryCache = Cache<Box<[u8]>, Arc<LoadedKey>>;

#[derive(Debug)]
struct PrimaryCaches {
    enc: PrimaryCache,
    blind_index: PrimaryCache,
    pepper: PrimaryCache,
    seal: PrimaryCache,
}

impl PrimaryCaches {
    fn of(&self, purpose: Purpose) -> &PrimaryCache {
        match purpose {
            Purpose::Enc => &self.enc,
            Purpose::BlindIndex => &self.blind_index,
            Purpose::Pepper => &self.pepper,
            Purpose::Seal => &self.seal,
        }
    }
}

impl Keyring {
    /// Starts a keyring: a realm and a wrapper are required.
    pub fn builder() -> KeyringBuilder {
        KeyringBuilder::default()
    }

    /// What opens the values of an old format.
    pub(crate) fn old_format(&self, name: &str) -> Option<&dyn OldFormat> {
        let found = self.old_formats.iter().find(|(known, _)| **known == *name);
        found.map(|(_, format)| &**format)
    }

    /// The realm (`"prod"`, `"stage"`) that all keys and ciphertexts of this keyring are bound to.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The primary key of a purpose and tenant, made on first use.
    ///
    /// Two processes that make it at once end with one: the store decides, and the loser's key is dropped unused.
    ///
    /// # Errors
    /// [`CryptoError::Store`], [`CryptoError::KeyProvider`], or what makes the stored key unusable:
    /// [`CryptoError::KeyIdMismatch`], [`CryptoError::KeyScope`], [`CryptoError::Tampered`].
    pub async fn ensure_primary(
        &self,
        store: &dyn KeyStore,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
        now: DateTime<Utc>,
    ) -> Result<Arc<LoadedKey>> {
        if let Some(key) = self.cached_primary(purpose, tenant) {
            return Ok(key);
        }
        let _flight = self.flight(&(purpose, tenant)).await;
        if let Some(key) = self.cached_primary(purpose, tenant) {
            return Ok(key);
        }
        let key = match store.primary(&self.realm, purpose, tenant).await? {
            Some(row) => self.adopt_primary(row, purpose, tenant).await?,
            None => self.create_primary(store, purpose, tenant, now).await?,
        };
        self.primaries
            .of(purpose)
            .insert(TenantKey::part(tenant).into(), Arc::clone(&key));
        Ok(key)
    }

    /// The primary key of a purpose and tenant, if it is cached.
    pub fn cached_primary(&self, purpose: Purpose, tenant: Option<&TenantKey>) -> Option<Arc<LoadedKey>> {
        self.primaries.of(purpose).get(TenantKey::part(tenant))
    }

    /// The key with this id, from the cache or else from the store.
    ///
    /// An id that does not load is refused without asking again for 30 seconds.
    ///
    /// # Errors
    /// [`CryptoError::UnknownKey`], [`CryptoError::KeyDisabled`], [`CryptoError::KeyDestroyed`],
    /// [`CryptoError::KeyScope`] for a key of another realm, [`CryptoError::KeyIdMismatch`],
    /// [`CryptoError::Tampered`] for an altered row, [`CryptoError::Store`], [`CryptoError::KeyProvider`].
    pub async fn load(&self, store: &dyn KeyStore, id: KeyId) -> Result<Arc<LoadedKey>> {
        if let Some(key) = self.cached(id) {
            return Ok(key);
        }
        self.check_refused(id)?;
        let _flight = self.flight(&id).await;
        if let Some(key) = self.cached(id) {
            return Ok(key);
        }
        self.check_refused(id)?;
        let loaded = match store.load(id).await {
            Ok(Some(row)) if row.id == id => self.adopt(row).await,
            Ok(_) => Err(CryptoError::UnknownKey { id8: id.id8() }),
            // The store is away: what it said last holds for a while.
            Err(error) if error.is_retryable() => return self.keys.get_stale(&id).ok_or(error),
            Err(error) => Err(error),
        };
        if let Err(error) = &loaded {
            // Only a key that was revoked is worth a scan of the primaries: unknown ids may be planted in thousands.
            if matches!(error, CryptoError::KeyDisabled | CryptoError::KeyDestroyed) {
                self.forget(id);
            }
            self.keys.remove(&id);
            if is_settled(error) {
                self.refused.insert(id, error.clone());
            }
        }
        loaded
    }

    /// The key with this id, if it is cached.
    pub fn cached(&self, id: KeyId) -> Option<Arc<LoadedKey>> {
        self.keys.get(&id)
    }

    /// The key with this id, as [`load`](Self::load) found it a moment ago: without waiting, so that what is read in one go
    /// can be checked in one go.
    ///
    /// # Errors
    /// Those of [`load`](Self::load); [`CryptoError::UnknownKey`] if nobody has loaded it.
    pub fn known(&self, id: KeyId) -> Result<Arc<LoadedKey>> {
        self.check_refused(id)?;
        let known = self.keys.get_stale(&id);
        known.ok_or_else(|| CryptoError::UnknownKey { id8: id.id8() })
    }

    /// Seals a plaintext for the place that `origin` says; `pad` hides its length in buckets of that size.
    ///
    /// # Errors
    /// [`CryptoError::KeyScope`] for a key of another tenant, realm or purpose, [`CryptoError::NoPrimaryKey`] for a
    /// key that is not primary, [`CryptoError::TooLarge`], [`CryptoError::Rng`].
    pub fn seal(
        &self,
        key: &LoadedKey,
        origin: &[u8],
        plaintext: &[u8],
        pad: Option<NonZeroU32>,
    ) -> Result<Vec<u8>> {
        let parts = OriginParts::parse(origin)?;
        key.state().check_opens()?;
        key.check_scope(&self.realm, &parts)?;
        if key.state() != KeyState::Primary {
            return Err(CryptoError::NoPrimaryKey);
        }
        let field = key.field_key_at(parts.field)?;
        envelope::seal(&field, origin, plaintext, pad)
    }

    /// Opens an envelope that was sealed for the place that `origin` says.
    ///
    /// The order of the checks: shape, suite, state of the key, its scope, and only then one attempt to decrypt.
    ///
    /// # Errors
    /// Those of [`shape`](super::shape), [`CryptoError::SuiteForbidden`], [`CryptoError::KeyDisabled`],
    /// [`CryptoError::KeyDestroyed`], [`CryptoError::KeyScope`], [`CryptoError::Tampered`], and
    /// [`CryptoError::Decode`] for a malformed padding.
    pub fn open(
        &self,
        key: &LoadedKey,
        origin: &[u8],
        envelope: &[u8],
        allowed: Suites,
    ) -> Result<Plaintext> {
        let sealed = Parts::parse_allowed(envelope, allowed)?;
        key.state().check_opens()?;
        let parts = OriginParts::parse(origin)?;
        key.check_scope(&self.realm, &parts)?;
        if sealed.key_id != key.id() {
            return Err(CryptoError::KeyScope);
        }
        sealed.open(&*key.field_key_at(parts.field)?, origin)
    }

    /// Disables a key: what it sealed cannot be read until it is enabled. Other processes follow within their ttl.
    ///
    /// # Errors
    /// [`CryptoError::Store`].
    pub async fn disable(&self, store: &dyn KeyStore, id: KeyId, now: DateTime<Utc>) -> Result<bool> {
        self.set_state(store, id, KeyState::Disabled, now).await
    }

    /// Destroys a key, and so everything it sealed, for good. Other processes follow within their ttl.
    ///
    /// Backups of the key rows still hold the wrapped key, until they expire or its key-encryption key is destroyed.
    ///
    /// # Errors
    /// [`CryptoError::Store`].
    pub async fn destroy(&self, store: &dyn KeyStore, id: KeyId, now: DateTime<Utc>) -> Result<bool> {
        self.set_state(store, id, KeyState::Destroyed, now).await
    }

    async fn set_state(
        &self,
        store: &dyn KeyStore,
        id: KeyId,
        state: KeyState,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let changed = store.set_state(id, state, now).await?;
        self.forget(id);
        Ok(changed)
    }

    /// Drops what this process knows of a key: its row has changed.
    pub fn forget(&self, id: KeyId) {
        self.keys.remove(&id);
        self.refused.remove(&id);
        self.in_use.retain(|_| false);
        for purpose in Purpose::ALL {
            self.primaries.of(purpose).retain(|key| key.id() != id);
        }
    }

    fn check_refused(&self, id: KeyId) -> Result<()> {
        self.refused.get(&id).map_or(Ok(()), Err)
    }

    async fn adopt_primary(
        &self,
        row: KeyRow,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
    ) -> Result<Arc<LoadedKey>> {
        if row.purpose != purpose || row.tenant.as_ref() != tenant {
            return Err(CryptoError::KeyScope);
        }
        if row.state != KeyState::Primary {
            return Err(CryptoError::NoPrimaryKey);
        }
        self.adopt(row).await
    }

    async fn create_primary(
        &self,
        store: &dyn KeyStore,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
        now: DateTime<Utc>,
    ) -> Result<Arc<LoadedKey>> {
        let ver = next_version(&store.list(&self.realm, purpose, tenant).await?)?;
        let (mut row, dek) = self.generate(purpose, tenant, ver, now).await?;
        row.state = KeyState::Primary;
        row.promoted_at = Some(now);
        if store.insert_if_no_primary(&row).await? {
            return Ok(self.keep(LoadedKey::new(row, dek, &self.realm)?));
        }
        let row = store
            .primary(&self.realm, purpose, tenant)
            .await?
            .ok_or(CryptoError::NoPrimaryKey)?;
        self.adopt_primary(row, purpose, tenant).await
    }

    /// Unwraps a row and caches its key.
    async fn adopt(&self, row: KeyRow) -> Result<Arc<LoadedKey>> {
        if *row.realm != *self.realm {
            return Err(CryptoError::KeyScope);
        }
        row.state.check_opens()?;
        let ctx = WrapCtx::new(row.id, row.purpose, row.tenant.as_ref(), &self.realm);
        match self.wrapper.unwrap(&row.wrapped, &ctx).await {
            Ok(dek) => Ok(self.keep(LoadedKey::new(row, dek, &self.realm)?)),
            // The provider is away, but the row was read: an expired key serves on for a while, in the row's state.
            Err(error) if error.is_retryable() => {
                let stale = self.keys.get_stale(&row.id).ok_or(error)?;
                Ok(Arc::new(stale.in_state(row.state)))
            }
            Err(error) => Err(error),
        }
    }

    fn keep(&self, key: LoadedKey) -> Arc<LoadedKey> {
        let key = Arc::new(key);
        self.refused.remove(&key.id());
        self.keys.insert(key.id(), Arc::clone(&key));
        key
    }

    /// Waits for whoever is loading the same key.
    async fn flight(&self, key: &impl Hash) -> Option<MutexGuard<'_, ()>> {
        let stripe = usize::try_from(self.hasher.hash_one(key) % FLIGHTS as u64).unwrap_or_default();
        match self.flights.get(stripe) {
            Some(flight) => Some(flight.lock().await),
            None => None,
        }
    }
}

/// Whether an id will fail the same way for a while, so that asking again is only load.
fn is_settled(error: &CryptoError) -> bool {
    !matches!(
        error,
        CryptoError::Store(_) | CryptoError::KeyProvider { retryable: true, .. } | CryptoError::Rng
    )
}
