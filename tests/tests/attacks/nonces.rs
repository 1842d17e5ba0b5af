//! 19: no nonce is used twice, and no two seals of one value are alike.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use model_core::crypto::{Keyring, MemoryKeyStore, Origin, Purpose, TenantKey};
use model_core::testing;

use crate::is_full;

/// A million at full size.
#[tokio::test]
async fn no_nonce_is_used_twice() {
    let seals = if is_full() { 1_000_000 } else { 20_000 };
    let ring: Keyring = testing::keyring().unwrap();
    let tenant = TenantKey::new(2, b"\x05\0\0\0acme\0").unwrap();
    let key = ring
        .ensure_primary(
            &MemoryKeyStore::new(),
            Purpose::Enc,
            Some(&tenant),
            DateTime::<Utc>::UNIX_EPOCH,
        )
        .await
        .unwrap();
    let origin = Origin {
        collection: "users",
        path: "token",
        tenant: Some(tenant.typed()),
        id: (7, &[7; 12]),
    }
    .encode();
    let (mut nonces, mut sealed) = (HashSet::new(), HashSet::new());
    for _ in 0..seals {
        let envelope = ring.seal(&key, &origin, b"the same value", None).unwrap();
        let nonce: [u8; 24] = envelope[18..42].try_into().unwrap();
        // A counter, or a clock in its first bytes, would show here.
        let value: [u8; 16] = envelope[42..58].try_into().unwrap();
        assert!(nonces.insert(nonce), "a nonce came twice");
        assert!(sealed.insert(value), "two seals of a value are alike");
    }
    let halves: HashSet<_> = nonces.iter().map(|nonce| &nonce[12..]).collect();
    assert_eq!(
        (nonces.len(), halves.len()),
        (seals, seals),
        "each half is random by itself"
    );
}
