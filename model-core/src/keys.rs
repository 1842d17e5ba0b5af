//! The keys of a database, for those who administer them.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::audit::ActorIdentity;
use crate::crypto::{KeyId, KeyRow, KeyState, Purpose};
use crate::engine::{Administration, Ports, RewrapReport, tenant_id};
use crate::error::Result;
use crate::value::TenantId;

/// The data keys of a database: who has which, and how one replaces another. Made by [`Db::keys`](crate::Db::keys).
///
/// Every change is audited in its own transaction, and so needs a server that has them. A rotation has two phases, so
/// that no process meets a key that it cannot know: [`stage`](Self::stage) a new key; after the keyring's time to live,
/// [`promote`](Self::promote) it. From then on it seals; the old one opens what it sealed, until that is re-sealed by
/// its next write or by [`reencrypt`](crate::ModelExt::reencrypt).
///
/// ```
/// # use model_core::prelude::*;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// use model_core::crypto::{KeyState, Keyring, LocalKek, Purpose};
/// let kek = LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89")?;
/// let keyring = Keyring::builder().realm("dev").wrapper(kek).build()?;
/// let db = Db::memory().keys(keyring).build().await?;
/// let acme = TenantId::new("acme")?;
/// let keys = db.keys(ActorIdentity::system("rotation"));
/// let new = keys.stage(Purpose::Enc, Some(&acme)).await?;
/// assert!(keys.promote(new).await.unwrap_err().is_refused(), "other processes may not know it yet");
/// assert_eq!(keys.status(Some(&acme)).await?[0].state, KeyState::DecryptOnly);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys {
    ports: Arc<Ports>,
    actor: ActorIdentity,
}

/// One key, as [`Keys::status`] tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The key's id.
    pub id: KeyId,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is; none for global models.
    pub tenant: Option<TenantId>,
    /// Its number among the keys of that purpose and tenant, from 1.
    pub version: u8,
    /// What it may be used for.
    pub state: KeyState,
    /// The provider of the key that wraps it.
    pub provider: String,
    /// That key's name at its provider.
    pub kek: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it became the primary one.
    pub promoted_at: Option<DateTime<Utc>>,
    /// When it was destroyed.
    pub destroyed_at: Option<DateTime<Utc>>,
}

/// Says that what is about to happen cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// What the key sealed is erased for good, wherever it is, once the backups of the key's row are gone.
    CryptoShred,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn new(ports: Arc<Ports>, actor: ActorIdentity) -> Self {
        Self { ports, actor }
    }

    fn administration(&self) -> Administration<'_> {
        Administration {
            ports: &self.ports,
            actor: &self.actor,
        }
    }

    /// The keys of a tenant, or those of global models, in every state, by purpose and version.
    ///
    /// # Errors
    /// `Configuration` without a keyring, `Crypto` for a malformed row, and those of the store.
    pub async fn status(&self, tenant: Option<&TenantId>) -> Result<Vec<KeyStatus>> {
        let rows = self.administration().rows(tenant).await?;
        rows.into_iter().map(KeyStatus::of).collect()
    }

    /// Begins a rotation: makes a key that opens and does not seal yet, so that every process can learn of it.
    ///
    /// # Errors
    /// `Configuration` without a keyring or after 255 keys, `Conflict` if somebody else made one at the same moment,
    /// `Crypto` from the key provider, `Unsupported` without transactions, and those of the store.
    pub async fn stage(&self, purpose: Purpose, tenant: Option<&TenantId>) -> Result<KeyId> {
        self.administration().stage(purpose, tenant).await
    }

    /// Ends a rotation: the key seals from now on, and the one that did so far only opens. Processes that have not looked
    /// yet go on sealing under the old one for at most the keyring's time to live.
    ///
    /// # Errors
    /// `Refused` before the keyring's time to live has passed since [`stage`](Self::stage), or for a key that does not
    /// open; `NotFound`, `Conflict`, `Unsupported`, and those of the store.
    pub async fn promote(&self, id: KeyId) -> Result<()> {
        self.administration().promote(id).await
    }

    /// Wraps every data key of the realm anew that does not lie under the key-encryption key that the wrapper uses now: of all
    /// tenants and the global models, in every state but destroyed. The data keys stay what they are, so that no value
    /// is touched, and a run that stopped is begun again.
    ///
    /// The old key-encryption key has to unwrap until it is done ([`LocalKek::with_retired`]; a KMS keeps the versions
    /// of its keys), in every process, and is not needed once a run reports nothing rewrapped and nothing failed. Backups of the key
    /// rows need it for as long as they are kept.
    ///
    /// [`LocalKek::with_retired`]: crate::crypto::LocalKek::with_retired
    ///
    /// # Errors
    /// Retryable `Crypto` if the key provider does not answer, `Unsupported` without transactions, and those of the store.
    /// What concerns one key is in the report.
    pub async fn rewrap(&self) -> Result<RewrapReport> {
        self.administration().rewrap().await
    }

    /// Takes a key out of use: what it sealed cannot be read until it is enabled again. A token that was made with a
    /// blind-index key does not match from then on. Other processes follow within the keyring's time to live.
    ///
    /// # Errors
    /// `Refused` for a primary or destroyed key; `NotFound`, `Conflict`, `Unsupported`, and those of the store.
    pub async fn disable(&self, id: KeyId) -> Result<()> {
        self.administration()
            .set_state("key.disable", id, KeyState::Disabled)
            .await
    }

    /// Puts a disabled key back into use: it opens what it sealed.
    ///
    /// # Errors
    /// As [`disable`](Self::disable).
    pub async fn enable(&self, id: KeyId) -> Result<()> {
        self.administration()
            .set_state("key.enable", id, KeyState::DecryptOnly)
            .await
    }

    /// Destroys a key. Its row stays as a tombstone, so that what it sealed is known to be erased and not lost.
    ///
    /// # Errors
    /// As [`disable`](Self::disable).
    pub async fn destroy(&self, id: KeyId, confirm: Confirm) -> Result<()> {
        let Confirm::CryptoShred = confirm;
        self.administration()
            .set_state("key.destroy", id, KeyState::Destroyed)
            .await
    }

    /// Destroys all keys of a tenant, those of its blind indexes too, and tells how many. What is written for the tenant
    /// later is sealed under new keys.
    ///
    /// # Errors
    /// `Conflict`, `Unsupported`, and those of the store.
    pub async fn shred(&self, tenant: &TenantId, confirm: Confirm) -> Result<u64> {
        let Confirm::CryptoShred = confirm;
        self.administration().shred(tenant).await
    }
}

impl KeyStatus {
    fn of(row: KeyRow) -> Result<Self> {
        Ok(Self {
            tenant: tenant_id(&row)?,
            id: row.id,
            purpose: row.purpose,
            version: row.ver,
            state: row.state,
            provider: row.wrapped.kek.provider,
            kek: row.wrapped.kek.id,
            created_at: row.created_at,
            promoted_at: row.promoted_at,
            destroyed_at: row.destroyed_at,
        })
    }
}
