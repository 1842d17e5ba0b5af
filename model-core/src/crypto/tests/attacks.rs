//! What a writer of the database can do to a ciphertext, and what we say to it.

use core::num::NonZeroU32;

use super::super::CryptoError::{
    self, KeyDestroyed, KeyDisabled, KeyScope, MalformedOrigin, NoPrimaryKey, NotCiphertext, SuiteForbidden,
    Tampered, TooLarge, Truncated, UnknownSuite,
};
use super::super::store::KeyState;
use super::super::{MAX_PLAINTEXT, OVERHEAD, Origin, Purpose, Suites, TenantKey, bson_value, shape};
use super::{ACME, ID, PLACE, dek, loaded, loaded_in, ring, tenant};

const SECRET: &[u8] = b"a secret value";

/// Sealed with key 1 of tenant `acme` at [`PLACE`].
fn sealed() -> Vec<u8> {
    ring()
        .seal(&loaded(1, Some(tenant("acme"))), &PLACE.encode(), SECRET, None)
        .unwrap()
}

fn open_at(place: &Origin<'_>, envelope: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = loaded(1, Some(tenant("acme")));
    ring()
        .open(&key, &place.encode(), envelope, Suites::ALL)
        .map(|plaintext| plaintext.to_vec())
}

#[test]
fn what_was_sealed_opens_where_it_was_sealed() {
    let envelope = sealed();
    assert_eq!(envelope.len(), OVERHEAD + SECRET.len());
    assert_eq!(open_at(&PLACE, &envelope).unwrap(), SECRET);
    assert_eq!(shape(&envelope).unwrap(), dek(1).id());
    assert_ne!(sealed(), envelope);
}

#[test]
fn a_moved_ciphertext_is_tampered() {
    let envelope = sealed();
    let other_id: &[u8] = b"\x65\x43\x21\0\0\0\0\0\0\0\0\x02";
    let moved = [
        Origin {
            collection: "accounts",
            ..PLACE
        },
        Origin {
            path: "secret",
            ..PLACE
        },
        Origin {
            collection: "userst",
            path: "oken",
            ..PLACE
        },
        Origin {
            collection: "user",
            path: "stoken",
            ..PLACE
        },
        Origin {
            id: (7, other_id),
            ..PLACE
        },
        Origin {
            id: (2, ID.1),
            ..PLACE
        },
    ];
    for place in moved {
        assert_eq!(open_at(&place, &envelope), Err(Tampered), "{place:?}");
    }
}

#[test]
fn an_id_of_another_bson_type_is_another_id() {
    let id = bson::oid::ObjectId::from_bytes([7; 12]);
    let (object, text) = (
        bson_value(&id.into()).unwrap(),
        bson_value(&id.to_hex().into()).unwrap(),
    );
    let (int, long) = (
        bson_value(&7_i32.into()).unwrap(),
        bson_value(&7_i64.into()).unwrap(),
    );
    let key = loaded(1, Some(tenant("acme")));
    for (here, there) in [(object, text), (int, long)] {
        let here = Origin {
            id: (here.0, &here.1),
            ..PLACE
        }
        .encode();
        let there = Origin {
            id: (there.0, &there.1),
            ..PLACE
        };
        let envelope = ring().seal(&key, &here, SECRET, None).unwrap();
        assert_eq!(open_at(&there, &envelope), Err(Tampered));
    }
}

#[test]
fn every_truncation_fails_by_what_is_missing() {
    let envelope = sealed();
    for length in 0..envelope.len() {
        let expected = match length {
            0 => NotCiphertext,
            1..OVERHEAD => Truncated,
            _ => Tampered,
        };
        assert_eq!(open_at(&PLACE, &envelope[..length]), Err(expected), "{length}");
    }
    let longer = [envelope.as_slice(), &[0]].concat();
    assert_eq!(open_at(&PLACE, &longer), Err(Tampered));
}

#[test]
fn every_flipped_bit_fails_by_its_region() {
    let envelope = sealed();
    for byte in 0..envelope.len() {
        for bit in 0..8 {
            let mut flipped = envelope.clone();
            flipped[byte] ^= 1 << bit;
            let expected = match byte {
                0 => NotCiphertext,
                // 0x01 ^ 0x02 is 0x03; one flip never turns one known suite into the other.
                1 => UnknownSuite(flipped[1]),
                // The caller loads the key by this id, finds none or another's, and never gets here with ours.
                2..18 => KeyScope,
                _ => Tampered,
            };
            assert_eq!(open_at(&PLACE, &flipped), Err(expected), "byte {byte} bit {bit}");
        }
    }
}

#[test]
fn suite_bytes() {
    let mut envelope = sealed();
    for suite in [0x00, 0x03, 0x7F, 0xFF] {
        envelope[1] = suite;
        assert_eq!(shape(&envelope), Err(UnknownSuite(suite)));
        assert_eq!(open_at(&PLACE, &envelope), Err(UnknownSuite(suite)));
    }
    // A known suite that is not the one that was authenticated.
    envelope[1] = 0x02;
    assert_eq!(open_at(&PLACE, &envelope), Err(Tampered));
    let key = loaded(1, Some(tenant("acme")));
    assert_eq!(
        ring()
            .open(&key, &PLACE.encode(), &envelope, Suites::PLAIN)
            .unwrap_err(),
        SuiteForbidden
    );
    assert_eq!(
        ring()
            .open(&key, &PLACE.encode(), &sealed(), Suites::PADDED)
            .unwrap_err(),
        SuiteForbidden
    );
}

#[test]
fn a_key_opens_only_in_its_scope() {
    let envelope = sealed();
    let acme = || Some(tenant("acme"));
    let open = |key: &super::super::LoadedKey, place: &Origin<'_>| {
        ring()
            .open(key, &place.encode(), &envelope, Suites::ALL)
            .unwrap_err()
    };
    let global = Origin {
        tenant: None,
        ..PLACE
    };
    let other = tenant("other");
    // The other tenant's context, the global context, a global key, the key of another tenant, realm or purpose.
    assert_eq!(
        open(
            &loaded(1, acme()),
            &Origin {
                tenant: Some(other.typed()),
                ..PLACE
            }
        ),
        KeyScope
    );
    assert_eq!(
        open(
            &loaded(1, acme()),
            &Origin {
                tenant: Some((5, ACME.1)),
                ..PLACE
            }
        ),
        KeyScope
    );
    assert_eq!(open(&loaded(1, acme()), &global), KeyScope);
    assert_eq!(open(&loaded(1, None), &PLACE), KeyScope);
    assert_eq!(open(&loaded(2, Some(other)), &PLACE), KeyScope);
    assert_eq!(
        open(
            &loaded_in("stage", 1, Purpose::Enc, acme(), KeyState::Primary),
            &PLACE
        ),
        KeyScope
    );
    assert_eq!(
        open(
            &loaded_in("prod", 1, Purpose::BlindIndex, acme(), KeyState::Primary),
            &PLACE
        ),
        KeyScope
    );
    // The right scope, but not the key that the envelope names.
    assert_eq!(open(&loaded(2, acme()), &PLACE), KeyScope);
}

#[test]
fn key_id_rewritten_to_another_key_of_the_tenant_is_tampered() {
    let mut envelope = sealed();
    envelope[2..18].copy_from_slice(dek(2).id().as_bytes());
    let key = loaded(2, Some(tenant("acme")));
    assert_eq!(
        ring()
            .open(&key, &PLACE.encode(), &envelope, Suites::ALL)
            .unwrap_err(),
        Tampered
    );
}

#[test]
fn states_of_a_key() {
    let (ring, place, envelope) = (ring(), PLACE.encode(), sealed());
    let in_state = |state| loaded_in("prod", 1, Purpose::Enc, Some(tenant("acme")), state);
    let open = |state| {
        ring.open(&in_state(state), &place, &envelope, Suites::ALL)
            .map(|_| ())
    };
    let seal = |state| ring.seal(&in_state(state), &place, SECRET, None).map(|_| ());
    assert_eq!(
        (open(KeyState::Primary), seal(KeyState::Primary)),
        (Ok(()), Ok(()))
    );
    assert_eq!(
        (open(KeyState::DecryptOnly), seal(KeyState::DecryptOnly)),
        (Ok(()), Err(NoPrimaryKey))
    );
    assert_eq!(
        (open(KeyState::Disabled), seal(KeyState::Disabled)),
        (Err(KeyDisabled), Err(KeyDisabled))
    );
    assert_eq!(
        (open(KeyState::Destroyed), seal(KeyState::Destroyed)),
        (Err(KeyDestroyed), Err(KeyDestroyed))
    );
}

#[test]
fn sealing_checks_the_scope_too() {
    let place = PLACE.encode();
    for key in [
        loaded(1, None),
        loaded(1, Some(tenant("other"))),
        loaded_in("stage", 1, Purpose::Enc, Some(tenant("acme")), KeyState::Primary),
        loaded_in(
            "prod",
            1,
            Purpose::Pepper,
            Some(tenant("acme")),
            KeyState::Primary,
        ),
    ] {
        assert_eq!(ring().seal(&key, &place, SECRET, None).unwrap_err(), KeyScope);
    }
    let key = loaded(1, Some(tenant("acme")));
    assert_eq!(
        ring().seal(&key, &place[1..], SECRET, None).unwrap_err(),
        MalformedOrigin
    );
}

#[test]
fn padding_hides_the_length_within_a_bucket() {
    let key = loaded(1, Some(tenant("acme")));
    let seal = |length: usize, bucket: u32| {
        let pad = Some(NonZeroU32::new(bucket).unwrap());
        ring().seal(&key, &PLACE.encode(), &vec![7; length], pad).unwrap()
    };
    for (length, bucket, padded) in [
        (0, 64, 64),
        (1, 64, 64),
        (60, 64, 64),
        (61, 64, 128),
        (0, 1, 4),
        (5, 1, 9),
    ] {
        let envelope = seal(length, bucket);
        assert_eq!(envelope.len(), OVERHEAD + padded);
        assert_eq!(envelope[1], 0x02);
        assert_eq!(open_at(&PLACE, &envelope).unwrap(), vec![7; length]);
    }
}

#[test]
fn too_large_is_refused_on_both_ways() {
    let key = loaded(1, Some(tenant("acme")));
    let place = PLACE.encode();
    let most = vec![0; MAX_PLAINTEXT];
    let envelope = ring().seal(&key, &place, &most, None).unwrap();
    assert_eq!(open_at(&PLACE, &envelope).unwrap().len(), MAX_PLAINTEXT);
    assert_eq!(
        ring()
            .seal(&key, &place, &vec![0; MAX_PLAINTEXT + 1], None)
            .unwrap_err(),
        TooLarge
    );
    assert_eq!(
        ring().seal(&key, &place, &most, NonZeroU32::new(1)).unwrap_err(),
        TooLarge
    );
    assert_eq!(
        ring()
            .seal(&key, &place, b"", NonZeroU32::new(u32::MAX))
            .unwrap_err(),
        TooLarge
    );
    assert_eq!(
        open_at(&PLACE, &[envelope.as_slice(), &[0]].concat()),
        Err(TooLarge)
    );
}

#[test]
fn nonces_are_distinct() {
    let key = loaded(1, Some(tenant("acme")));
    let (ring, place) = (ring(), PLACE.encode());
    let nonces: std::collections::HashSet<Vec<u8>> = (0..10_000)
        .map(|_| ring.seal(&key, &place, b"", None).unwrap()[18..42].to_vec())
        .collect();
    assert_eq!(nonces.len(), 10_000);
}

#[test]
fn nothing_prints_a_secret() {
    let key = loaded(1, Some(tenant("acme")));
    let field = key.field_key("users", "token").unwrap();
    let text = format!("{key:?} {field:?} {:?} {:?} {:?}", ring(), tenant("acme"), dek(1));
    // The key's bytes in the ways that a derived Debug would print them.
    for secret in ["acme", "1, 0, 3, 2", "01000302"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(
        format!("{:?}", TenantKey::new(2, b"x").unwrap()),
        "TenantKey([REDACTED])"
    );
}
