//! 24: keys are replaced while others seal and open. Who opens reads from a copy of the key rows that is behind: with two
//! phases every process knows a key before anybody seals under it. Replaced at once, it would be unknown.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use model_core::crypto::{
    CryptoError, KeyId, KeyRow, KeyState, KeyStore, Keyring, MemoryKeyStore, Origin, Purpose, Suites,
    TenantKey,
};
use model_core::testing;
use tokio::task::yield_now;

const ROUNDS: usize = 50;
const TASKS: usize = 4;

/// The key rows as they were when it last caught up.
#[derive(Default)]
struct Replica(Mutex<Vec<KeyRow>>);

impl Replica {
    async fn catch_up(&self, leader: &MemoryKeyStore, tenant: &TenantKey) {
        let rows = leader.list("test", Purpose::Enc, Some(tenant)).await.unwrap();
        *self.0.lock().unwrap() = rows;
    }
}

type Result<T> = std::result::Result<T, CryptoError>;

#[async_trait]
impl KeyStore for Replica {
    async fn load(&self, id: KeyId) -> Result<Option<KeyRow>> {
        Ok(self.0.lock().unwrap().iter().find(|row| row.id == id).cloned())
    }

    async fn primary(&self, _: &str, _: Purpose, _: Option<&TenantKey>) -> Result<Option<KeyRow>> {
        unreachable!("it opens, and does not seal")
    }

    async fn list(&self, _: &str, _: Purpose, _: Option<&TenantKey>) -> Result<Vec<KeyRow>> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn insert_if_no_primary(&self, _: &KeyRow) -> Result<bool> {
        unreachable!("it is a copy")
    }

    async fn set_state(&self, _: KeyId, _: KeyState, _: DateTime<Utc>) -> Result<bool> {
        unreachable!("it is a copy")
    }
}

/// Makes a key beside the primary one. The port has no insertion of a key that is not primary: the engine's store does.
async fn stage(ring: &Keyring, leader: &MemoryKeyStore, tenant: &TenantKey, old: KeyId) -> KeyId {
    let now = DateTime::UNIX_EPOCH;
    let (row, _) = ring.generate(Purpose::Enc, Some(tenant), 2, now).await.unwrap();
    leader.set_state(old, KeyState::DecryptOnly, now).await.unwrap();
    assert!(leader.insert_if_no_primary(&row).await.unwrap());
    leader.set_state(old, KeyState::Primary, now).await.unwrap();
    row.id
}

/// How many values do not open for want of their key, in a rotation of two phases or of one.
async fn unknown_keys(two_phases: bool) -> usize {
    let tenant = TenantKey::new(2, b"\x05\0\0\0acme\0").unwrap();
    let (leader, replica) = (MemoryKeyStore::new(), Replica::default());
    let (sealing, opening) = (testing::keyring().unwrap(), testing::keyring().unwrap());
    let now = DateTime::UNIX_EPOCH;
    let first = sealing
        .ensure_primary(&leader, Purpose::Enc, Some(&tenant), now)
        .await
        .unwrap()
        .id();
    replica.catch_up(&leader, &tenant).await;
    let origin = Origin {
        collection: "users",
        path: "token",
        tenant: Some(tenant.typed()),
        id: (7, &[7; 12]),
    }
    .encode();
    let unknown = Mutex::new(0);
    let work = (0..TASKS).map(async |_| {
        for _ in 0..ROUNDS {
            let key = sealing
                .ensure_primary(&leader, Purpose::Enc, Some(&tenant), now)
                .await
                .unwrap();
            let envelope = sealing.seal(&key, &origin, b"value", None).unwrap();
            yield_now().await;
            match opening.load(&replica, key.id()).await {
                Ok(known) => {
                    let opened = opening.open(&known, &origin, &envelope, Suites::ALL).unwrap();
                    assert_eq!(&opened[..], b"value");
                }
                Err(CryptoError::UnknownKey { .. }) => *unknown.lock().unwrap() += 1,
                Err(error) => panic!("{error}"),
            }
        }
    });
    let rotation = async {
        for _ in 0..ROUNDS / 5 {
            yield_now().await;
        }
        let second = stage(&sealing, &leader, &tenant, first).await;
        if two_phases {
            // What the time between the phases is for.
            replica.catch_up(&leader, &tenant).await;
        }
        leader.set_state(first, KeyState::DecryptOnly, now).await.unwrap();
        assert!(leader.set_state(second, KeyState::Primary, now).await.unwrap());
        sealing.forget(first);
    };
    futures_util::future::join(futures_util::future::join_all(work), rotation).await;
    let last = sealing.cached_primary(Purpose::Enc, Some(&tenant)).unwrap();
    assert_ne!(last.id(), first, "the rotation was while others worked");
    unknown.into_inner().unwrap()
}

#[tokio::test]
async fn a_rotation_of_two_phases_is_noticed_by_nobody() {
    assert_eq!(unknown_keys(true).await, 0);
}

/// Or the test above would show nothing.
#[tokio::test]
async fn a_rotation_of_one_phase_is() {
    assert!(unknown_keys(false).await > 0);
}
