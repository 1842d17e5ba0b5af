//! What binds a wrapped key, and the key-encryption keys of a process.

use super::super::CryptoError::{self, KeyProvider, KeyScope, KeySource, Tampered, WeakKey};
use super::super::store::{KeyRow, KeyStore};
use super::super::{Keyring, LocalKek, MemoryKeyStore, Purpose};
use super::{KEK, block_on, dek, now, ring, tenant};

#[test]
fn a_row_moved_to_another_tenant_or_realm_does_not_load() {
    let (acme, other) = (tenant("acme"), tenant("other"));
    let source = MemoryKeyStore::new();
    let id = block_on(ring().ensure_primary(&source, Purpose::Enc, Some(&acme), now()))
        .unwrap()
        .id();
    let row = block_on(source.load(id)).unwrap().unwrap();
    let load = |row: KeyRow, ring: &Keyring| {
        let store = MemoryKeyStore::new();
        assert!(block_on(store.insert_if_no_primary(&row)).unwrap());
        block_on(ring.load(&store, id)).map(|_| ())
    };
    assert_eq!(load(row.clone(), &ring()), Ok(()));
    assert_eq!(
        load(
            KeyRow {
                tenant: Some(other),
                ..row.clone()
            },
            &ring()
        ),
        Err(Tampered)
    );
    assert_eq!(
        load(
            KeyRow {
                tenant: None,
                ..row.clone()
            },
            &ring()
        ),
        Err(Tampered)
    );
    assert_eq!(
        load(
            KeyRow {
                purpose: Purpose::BlindIndex,
                ..row.clone()
            },
            &ring()
        ),
        Err(Tampered)
    );
    assert_eq!(
        load(
            KeyRow {
                realm: "stage".into(),
                ..row.clone()
            },
            &ring()
        ),
        Err(KeyScope)
    );
    // A restore into another environment: the row says "prod", the keyring does not.
    let stage = Keyring::builder()
        .realm("stage")
        .wrapper(LocalKek::new(&KEK).unwrap())
        .build()
        .unwrap();
    assert_eq!(load(row, &stage), Err(KeyScope));
}

#[test]
fn local_keks() {
    let base64 = "gGxvY2FsIGtlayBvZiB0ZXN0cywgbm8gdGV4dC4uLiE=";
    let hex = super::hex(&KEK);
    let id = |kek: Result<LocalKek, CryptoError>| format!("{:?}", kek.unwrap());
    assert_eq!(id(LocalKek::parse(&hex)), id(LocalKek::new(&KEK)));
    assert_eq!(
        id(LocalKek::parse(&format!(" {}\n", hex.to_uppercase()))),
        id(LocalKek::new(&KEK))
    );
    let text = super::passwords::base64(&KEK);
    for text in [
        text.clone(),
        text.trim_end_matches('=').to_owned(),
        text.replace('+', "-").replace('/', "_"),
    ] {
        assert_eq!(id(LocalKek::parse(&text)), id(LocalKek::new(&KEK)));
    }
    assert_eq!(text, base64);
    for bad in [
        "",
        "x",
        &hex[1..],
        &"0".repeat(64),
        &"zz".repeat(32),
        &"A".repeat(43),
        &"A".repeat(44),
        "correct horse",
    ] {
        assert_eq!(LocalKek::parse(bad).unwrap_err(), WeakKey, "{bad}");
    }
    let name = "MODEL_CORE_TEST_NO_SUCH_VARIABLE";
    assert_eq!(
        LocalKek::from_env(name).unwrap_err(),
        KeySource { name: name.into() }
    );
}

#[test]
fn a_retired_kek_unwraps_and_an_unknown_one_is_named() {
    let store = MemoryKeyStore::new();
    let id = block_on(ring().ensure_primary(&store, Purpose::Enc, None, now()))
        .unwrap()
        .id();
    let fresh = || LocalKek::new(dek(5).expose()).unwrap();
    let ring = |kek| Keyring::builder().realm("prod").wrapper(kek).build().unwrap();
    let error = block_on(ring(fresh()).load(&store, id)).unwrap_err();
    assert_eq!(
        error,
        KeyProvider {
            provider: "local".into(),
            retryable: false
        }
    );
    let both = fresh().with_retired(LocalKek::new(&KEK).unwrap());
    assert!(block_on(ring(both).load(&store, id)).is_ok());
}
