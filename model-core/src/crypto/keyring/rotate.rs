//! More than one key for a purpose: new keys, and all that are in use at once.

use core::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::envelope::{Parts, Suites};
use super::super::key::{Dek, Purpose};
use super::super::loaded::LoadedKey;
use super::super::store::{KeyRow, KeyState, KeyStore};
use super::super::wrapper::{WrapCtx, Wrapped};
use super::super::{CryptoError, Result, TenantKey};
use super::Keyring;

/// The number of the next key among `rows`.
pub(crate) fn next_version(rows: &[KeyRow]) -> Result<u8> {
    rows.iter()
        .map(|row| row.ver)
        .max()
        .unwrap_or(0)
        .checked_add(1)
        .ok_or(CryptoError::Config("a tenant has at most 255 keys per purpose"))
}

impl Keyring {
    /// How long an unwrapped key serves: after that, every process knows what became of it.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Whether the key of a row unwraps, and is the key that the row names. Nothing is kept of it.
    ///
    /// # Errors
    /// [`CryptoError::KeyProvider`], [`CryptoError::Tampered`], [`CryptoError::KeyIdMismatch`].
    pub async fn check(&self, row: &KeyRow) -> Result<()> {
        let ctx = WrapCtx::new(row.id, row.purpose, row.tenant.as_ref(), &self.realm);
        if self.wrapper.unwrap(&row.wrapped, &ctx).await?.id() == row.id {
            Ok(())
        } else {
            Err(CryptoError::KeyIdMismatch)
        }
    }

    /// A new key and its row, which opens but does not seal; nothing is stored.
    ///
    /// # Errors
    /// [`CryptoError::Rng`], [`CryptoError::KeyProvider`].
    pub async fn generate(
        &self,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
        ver: u8,
        now: DateTime<Utc>,
    ) -> Result<(KeyRow, Dek)> {
        let dek = Dek::generate()?;
        let wrapped = self
            .wrapper
            .wrap(&dek, &WrapCtx::new(dek.id(), purpose, tenant, &self.realm))
            .await?;
        let row = KeyRow {
            id: dek.id(),
            purpose,
            tenant: tenant.cloned(),
            realm: self.realm.to_string(),
            ver,
            wrapped,
            state: KeyState::DecryptOnly,
            created_at: now,
            promoted_at: None,
            not_after: None,
            destroyed_at: None,
        };
        Ok((row, dek))
    }

    /// The key of a row, wrapped anew; none if it lies under the wrapper's present key already. Nothing is stored.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub async fn rewrap(&self, row: &KeyRow) -> Result<Option<Wrapped>> {
        let ctx = WrapCtx::new(row.id, row.purpose, row.tenant.as_ref(), &self.realm);
        let dek = self.wrapper.unwrap(&row.wrapped, &ctx).await?;
        if dek.id() != row.id {
            return Err(CryptoError::KeyIdMismatch);
        }
        let wrapped = self.wrapper.wrap(&dek, &ctx).await?;
        Ok((wrapped.kek != row.wrapped.kek).then_some(wrapped))
    }

    /// The same value sealed under another key, for the same place, in the same suite and length.
    ///
    /// # Errors
    /// As [`open`](Self::open) under the old key and [`seal`](Self::seal) under the new one.
    pub fn reseal(
        &self,
        old: &LoadedKey,
        new: &LoadedKey,
        origin: &[u8],
        envelope: &[u8],
    ) -> Result<Vec<u8>> {
        let plaintext = self.open(old, origin, envelope, Suites::ALL)?;
        let bucket = match Parts::parse(envelope)?.padded_length() {
            Some(length) => NonZeroU32::new(u32::try_from(length).map_err(|_| CryptoError::TooLarge)?),
            None => None,
        };
        self.seal(new, origin, &plaintext, bucket)
    }

    /// The blind-index keys of a tenant that are in use, the primary first; one is made where there is none.
    ///
    /// Whoever writes a token writes one under each, and whoever searches asks for each: so a key can be replaced
    /// without a moment in which a value is not found, or can be taken twice.
    ///
    /// # Errors
    /// As [`ensure_primary`](Self::ensure_primary) and [`load`](Self::load).
    pub async fn index_keys(
        &self,
        store: &dyn KeyStore,
        tenant: Option<&TenantKey>,
        now: DateTime<Utc>,
    ) -> Result<Arc<[Arc<LoadedKey>]>> {
        if let Some(keys) = self.in_use.get(TenantKey::part(tenant)) {
            return Ok(keys);
        }
        let primary = self
            .ensure_primary(store, Purpose::BlindIndex, tenant, now)
            .await?;
        let rows = store.list(&self.realm, Purpose::BlindIndex, tenant).await?;
        let mut keys = vec![Arc::clone(&primary)];
        for row in rows {
            if row.state.check_opens().is_ok() && row.id != primary.id() {
                keys.push(self.load(store, row.id).await?);
            }
        }
        let keys: Arc<[_]> = keys.into();
        self.in_use
            .insert(TenantKey::part(tenant).into(), Arc::clone(&keys));
        Ok(keys)
    }
}
