//! Loading keys: races, caches, scopes, failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::super::CryptoError::{
    self, Config, KeyDestroyed, KeyDisabled, KeyIdMismatch, KeyProvider, UnknownKey,
};
use super::super::store::{KeyRow, KeyState, KeyStore};
use super::super::wrapper::{KeyWrapper, WrapCtx, Wrapped};
use super::super::{Dek, KeyId, Keyring, LocalKek, MemoryKeyStore, Purpose, Suites, TenantKey};
use super::{KEK, PLACE, block_on, dek, now, ring, tenant};

type Result<T> = core::result::Result<T, CryptoError>;

/// A memory store that counts its reads, and can be away.
#[derive(Default)]
struct Counted {
    rows: MemoryKeyStore,
    reads: AtomicUsize,
    away: AtomicBool,
}

impl Counted {
    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn read(&self) -> Result<()> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            Err(CryptoError::Store("away".into()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl KeyStore for Counted {
    async fn load(&self, id: KeyId) -> Result<Option<KeyRow>> {
        self.read()?;
        self.rows.load(id).await
    }

    async fn primary(
        &self,
        realm: &str,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
    ) -> Result<Option<KeyRow>> {
        self.read()?;
        // Gives rivals time to see no primary either.
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.rows.primary(realm, purpose, tenant).await
    }

    async fn list(&self, realm: &str, purpose: Purpose, tenant: Option<&TenantKey>) -> Result<Vec<KeyRow>> {
        self.rows.list(realm, purpose, tenant).await
    }

    async fn insert_if_no_primary(&self, row: &KeyRow) -> Result<bool> {
        self.rows.insert_if_no_primary(row).await
    }

    async fn set_state(&self, id: KeyId, state: KeyState, now: DateTime<Utc>) -> Result<bool> {
        self.rows.set_state(id, state, now).await
    }
}

/// A KEK that counts its unwraps, and can be away or give another key.
#[derive(Debug, Clone)]
struct Kek(Arc<KekState>);

#[derive(Debug)]
struct KekState {
    local: LocalKek,
    unwraps: AtomicUsize,
    away: AtomicBool,
    wrong: AtomicBool,
}

fn kek() -> Kek {
    let local = LocalKek::new(&KEK).unwrap();
    Kek(Arc::new(KekState {
        local,
        unwraps: 0.into(),
        away: false.into(),
        wrong: false.into(),
    }))
}

#[async_trait]
impl KeyWrapper for Kek {
    fn provider(&self) -> &str {
        self.0.local.provider()
    }

    async fn wrap(&self, dek: &Dek, ctx: &WrapCtx<'_>) -> Result<Wrapped> {
        self.0.local.wrap(dek, ctx).await
    }

    async fn unwrap(&self, wrapped: &Wrapped, ctx: &WrapCtx<'_>) -> Result<Dek> {
        self.0.unwraps.fetch_add(1, Ordering::SeqCst);
        if self.0.away.load(Ordering::SeqCst) {
            return Err(KeyProvider {
                provider: "local".into(),
                retryable: true,
            });
        }
        if self.0.wrong.load(Ordering::SeqCst) {
            return Ok(dek(9));
        }
        self.0.local.unwrap(wrapped, ctx).await
    }
}

fn ring_with(kek: &Kek, ttl: Duration) -> Keyring {
    Keyring::builder()
        .realm("prod")
        .wrapper(kek.clone())
        .ttl(ttl)
        .grace(Duration::from_mins(1))
        .build()
        .unwrap()
}

const TTL: Duration = Duration::from_mins(1);

#[test]
fn a_primary_is_made_once_and_then_cached() {
    let (store, ring, acme) = (Counted::default(), ring(), tenant("acme"));
    assert!(ring.cached_primary(Purpose::Enc, Some(&acme)).is_none());
    let first = block_on(ring.ensure_primary(&store, Purpose::Enc, Some(&acme), now())).unwrap();
    let again = block_on(ring.ensure_primary(&store, Purpose::Enc, Some(&acme), now())).unwrap();
    assert_eq!((first.id(), store.reads()), (again.id(), 1));
    assert_eq!(
        ring.cached_primary(Purpose::Enc, Some(&acme)).unwrap().id(),
        first.id()
    );
    assert_eq!(ring.cached(first.id()).unwrap().tenant(), Some(&acme));
    // Another purpose, another tenant and no tenant each have their own.
    for (purpose, tenant) in [
        (Purpose::BlindIndex, Some(&acme)),
        (Purpose::Enc, None),
        (Purpose::Enc, Some(&tenant("b"))),
    ] {
        let other = block_on(ring.ensure_primary(&store, purpose, tenant, now())).unwrap();
        assert_ne!(other.id(), first.id());
    }
}

#[test]
fn racing_processes_end_with_one_primary() {
    let store = Counted::default();
    let ids: Vec<KeyId> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    block_on(ring().ensure_primary(&store, Purpose::Enc, None, now()))
                        .unwrap()
                        .id()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    let row = block_on(store.rows.primary("prod", Purpose::Enc, None))
        .unwrap()
        .unwrap();
    assert_eq!(row.id, ids[0]);
}

#[test]
fn one_process_makes_one_call() {
    let (store, ring) = (Counted::default(), ring());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| block_on(ring.ensure_primary(&store, Purpose::Enc, None, now())).unwrap());
        }
    });
    assert_eq!(store.reads(), 1);
}

#[test]
fn another_process_opens_what_one_sealed() {
    let (store, acme) = (Counted::default(), tenant("acme"));
    let (one, two, place) = (ring(), ring(), PLACE.encode());
    let key = block_on(one.ensure_primary(&store, Purpose::Enc, Some(&acme), now())).unwrap();
    assert_eq!(key.version(), 1);
    let envelope = one.seal(&key, &place, b"value", None).unwrap();
    let key = block_on(two.load(&store, super::super::shape(&envelope).unwrap())).unwrap();
    let opened = two.open(&key, &place, &envelope, Suites::PLAIN).unwrap();
    assert_eq!(&*opened, b"value");
    let reads = store.reads();
    block_on(two.load(&store, key.id())).unwrap();
    assert_eq!(store.reads(), reads);
}

#[test]
fn planted_ids_cost_one_read_each() {
    let (store, ring) = (Counted::default(), ring());
    let ids: Vec<KeyId> = (0..10_000_u128).map(|i| KeyId::new(i.to_be_bytes())).collect();
    for _ in 0..3 {
        for id in &ids {
            assert_eq!(
                block_on_ready(ring.load(&store, *id)),
                Err(UnknownKey { id8: id.id8() })
            );
        }
    }
    assert_eq!(store.reads(), ids.len());
}

/// The id of a loaded key; the futures here never wait, so that a runtime per call would be waste.
fn block_on_ready<T>(future: impl Future<Output = Result<Arc<T>>>) -> Result<()> {
    let mut future = core::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut core::task::Context::from_waker(core::task::Waker::noop()))
    {
        core::task::Poll::Ready(result) => result.map(|_| ()),
        core::task::Poll::Pending => panic!("waits"),
    }
}

#[test]
fn wrong_bytes_under_a_right_id_are_found_at_load() {
    let (store, kek) = (Counted::default(), kek());
    let id = block_on(ring().ensure_primary(&store, Purpose::Enc, None, now()))
        .unwrap()
        .id();
    kek.0.wrong.store(true, Ordering::SeqCst);
    let ring = ring_with(&kek, TTL);
    assert_eq!(block_on(ring.load(&store, id)).unwrap_err(), KeyIdMismatch);
    assert_eq!(
        block_on(ring.ensure_primary(&store, Purpose::Enc, None, now())).unwrap_err(),
        KeyIdMismatch
    );
}

#[test]
fn shredding_one_tenant_leaves_the_other() {
    let (store, ring) = (Counted::default(), ring());
    let (acme, other) = (tenant("acme"), tenant("other"));
    let one = block_on(ring.ensure_primary(&store, Purpose::Enc, Some(&acme), now()))
        .unwrap()
        .id();
    let two = block_on(ring.ensure_primary(&store, Purpose::Enc, Some(&other), now()))
        .unwrap()
        .id();
    assert_eq!(block_on(ring.destroy(&store, one, now())), Ok(true));
    assert_eq!(block_on(ring.load(&store, one)).unwrap_err(), KeyDestroyed);
    assert!(ring.cached_primary(Purpose::Enc, Some(&acme)).is_none());
    assert!(block_on(ring.load(&store, two)).is_ok());
    let tombstone = block_on(store.rows.load(one)).unwrap().unwrap();
    assert!(tombstone.wrapped.bytes.is_empty() && tombstone.destroyed_at == Some(now()));
    // For good.
    assert_eq!(
        block_on(store.set_state(one, KeyState::Primary, now())),
        Ok(false)
    );
    // New writes of the tenant get a new key.
    let fresh = block_on(ring.ensure_primary(&store, Purpose::Enc, Some(&acme), now())).unwrap();
    assert_ne!(fresh.id(), one);
    assert_eq!(fresh.version(), 2);
}

#[test]
fn a_disabled_key_is_refused_until_enabled() {
    let (store, ring) = (Counted::default(), ring());
    let id = block_on(ring.ensure_primary(&store, Purpose::Enc, None, now()))
        .unwrap()
        .id();
    assert_eq!(block_on(ring.disable(&store, id, now())), Ok(true));
    assert_eq!(block_on(ring.load(&store, id)).unwrap_err(), KeyDisabled);
    assert_eq!(
        block_on(store.set_state(id, KeyState::DecryptOnly, now())),
        Ok(true)
    );
    let elsewhere = super::ring();
    assert_eq!(
        block_on(elsewhere.load(&store, id)).unwrap().state(),
        KeyState::DecryptOnly
    );
}

#[test]
fn an_expired_key_serves_while_the_provider_or_the_store_is_away() {
    let (store, kek) = (Counted::default(), kek());
    let ring = ring_with(&kek, Duration::ZERO);
    let id = block_on(ring.ensure_primary(&store, Purpose::Enc, None, now()))
        .unwrap()
        .id();
    assert!(ring.cached(id).is_none());
    kek.0.away.store(true, Ordering::SeqCst);
    assert_eq!(block_on(ring.load(&store, id)).unwrap().id(), id);
    store.away.store(true, Ordering::SeqCst);
    assert_eq!(block_on(ring.load(&store, id)).unwrap().id(), id);
    // Without grace, or for a key never seen, the failure shows, and may be tried again.
    let error = block_on(ring_with(&kek, TTL).load(&store, id)).unwrap_err();
    assert!(error.is_retryable() && matches!(error, CryptoError::Store(_)));
    store.away.store(false, Ordering::SeqCst);
    let strict = ring_with(&kek, TTL);
    assert!(matches!(
        block_on(strict.load(&store, id)).unwrap_err(),
        KeyProvider { retryable: true, .. }
    ));
    kek.0.away.store(false, Ordering::SeqCst);
    assert!(block_on(strict.load(&store, id)).is_ok());
}

#[test]
fn nothing_is_unwrapped_before_it_is_needed() {
    let (store, kek) = (Counted::default(), kek());
    let ring = ring_with(&kek, TTL);
    let id = block_on(super::ring().ensure_primary(&store, Purpose::Enc, None, now()))
        .unwrap()
        .id();
    assert!(ring.cached(id).is_none() && ring.cached_primary(Purpose::Enc, None).is_none());
    assert_eq!(kek.0.unwraps.load(Ordering::SeqCst), 0);
    block_on(ring.load(&store, id)).unwrap();
    block_on(ring.load(&store, id)).unwrap();
    assert_eq!(kek.0.unwraps.load(Ordering::SeqCst), 1);
}

#[test]
fn a_builder_needs_a_realm_and_a_wrapper() {
    assert!(matches!(Keyring::builder().realm("prod").build(), Err(Config(_))));
    assert!(matches!(
        Keyring::builder().wrapper(LocalKek::new(&KEK).unwrap()).build(),
        Err(Config(_))
    ));
}
