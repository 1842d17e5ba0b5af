//! Passwords: vectors, bounds, limits, timing.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};

use super::super::CryptoError::{self, Config, MalformedHash, PasswordLength, UnsupportedHash};
use super::super::{
    Bounds, Candidate, HashPolicy, Limits, NewPassword, PasswordHasher, Pepper, Peppers, Verdict,
};
use super::{block_on, hex};

fn cheap() -> HashPolicy {
    HashPolicy {
        memory_kib: 64,
        passes: 1,
        ..HashPolicy::default()
    }
}

fn hasher() -> PasswordHasher {
    PasswordHasher::new(cheap(), Limits::default()).unwrap()
}

pub(super) fn new(text: &str) -> NewPassword {
    NewPassword::new(text.to_owned()).unwrap()
}

fn verify(hasher: &PasswordHasher, stored: &str, typed: &str) -> Result<Verdict, CryptoError> {
    block_on(hasher.verify(Some(stored), &Candidate::new(typed.to_owned())))
}

/// RFC 4648, section 4, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0usize, |word, byte| word << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = char::from(DIGITS[word >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

#[test]
fn rfc_9106_section_5_3() {
    let mut builder = ParamsBuilder::new();
    builder
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap());
    let params = builder.build().unwrap();
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, &mut memory)
        .unwrap();
    assert_eq!(
        hex(&tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

/// From the reference implementation's `test.c`.
#[test]
fn reference_strings_verify() {
    let hasher = hasher();
    for stored in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        // The salt of the vectors has eight bytes.
        assert_eq!(
            verify(&hasher, stored, "password"),
            Ok(Verdict::Match { needs_rehash: true })
        );
        assert_eq!(verify(&hasher, stored, "passwore"), Ok(Verdict::Mismatch));
    }
}

#[test]
fn what_is_hashed_verifies() {
    let hasher = hasher();
    let stored = block_on(hasher.hash(&new("correct horse"))).unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
    assert_ne!(block_on(hasher.hash(&new("correct horse"))).unwrap(), stored);
    assert_eq!(
        verify(&hasher, &stored, "correct horse"),
        Ok(Verdict::Match { needs_rehash: false })
    );
    assert_eq!(verify(&hasher, &stored, "correct horsf"), Ok(Verdict::Mismatch));
    assert_eq!(verify(&hasher, &stored, ""), Ok(Verdict::Mismatch));
    assert_eq!(
        block_on(hasher.verify(None, &Candidate::new("correct horse".into()))),
        Ok(Verdict::Mismatch)
    );
}

#[test]
fn the_default_policy_is_owasp_s() {
    let hasher = PasswordHasher::new(HashPolicy::default(), Limits::default()).unwrap();
    let stored = block_on(hasher.hash(&new("correct horse"))).unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(
        verify(&hasher, &stored, "correct horse"),
        Ok(Verdict::Match { needs_rehash: false })
    );
}

#[test]
fn weaker_or_older_hashes_need_a_rehash() {
    let strict = hasher();
    let hash_with = |policy: HashPolicy| {
        let hasher = PasswordHasher::new(policy, Limits::default()).unwrap();
        block_on(hasher.hash(&new("correct horse"))).unwrap()
    };
    let weaker = [
        HashPolicy {
            memory_kib: 32,
            passes: 4,
            ..cheap()
        },
        HashPolicy {
            salt_len: 8,
            ..cheap()
        },
        HashPolicy {
            output_len: 16,
            ..cheap()
        },
    ];
    for policy in weaker {
        let stored = hash_with(policy);
        assert_eq!(
            verify(&strict, &stored, "correct horse"),
            Ok(Verdict::Match { needs_rehash: true }),
            "{stored}"
        );
    }
    let stronger = hash_with(HashPolicy {
        memory_kib: 128,
        passes: 2,
        lanes: 2,
        ..cheap()
    });
    assert_eq!(
        verify(&strict, &stronger, "correct horse"),
        Ok(Verdict::Match { needs_rehash: false })
    );
    let unversioned = hash_with(cheap()).replace("$v=19", "");
    assert_eq!(
        verify(&strict, &unversioned, "correct horse"),
        Ok(Verdict::Match { needs_rehash: true })
    );
}

#[test]
fn old_algorithms_and_versions_verify_once() {
    let hasher = hasher();
    for algorithm in [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id] {
        for (version, number) in [(Version::V0x10, 16), (Version::V0x13, 19)] {
            let params = argon2::Params::new(8, 1, 1, None).unwrap();
            let mut tag = [0; 32];
            Argon2::new(algorithm, version, params)
                .hash_password_into(b"password", &[7; 16], &mut tag)
                .unwrap();
            let stored = format!(
                "${algorithm}$v={number}$m=8,t=1,p=1${}${}",
                base64(&[7; 16]),
                base64(&tag)
            );
            let stored = stored.replace('=', "\0").replacen('\0', "=", 4).replace('\0', "");
            assert_eq!(
                verify(&hasher, &stored, "password"),
                Ok(Verdict::Match { needs_rehash: true }),
                "{stored}"
            );
        }
    }
}

#[test]
fn costs_over_the_bounds_are_refused_without_being_computed() {
    let hasher = hasher();
    let tail = "c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    for costs in [
        "m=8388608,t=2,p=1",
        "m=4294967295,t=2,p=1",
        "m=64,t=4294967295,p=1",
        "m=64,t=17,p=1",
        "m=64,t=1,p=16777215",
        "m=64,t=1,p=5",
        "m=262144,t=5,p=1",
        "m=262145,t=1,p=1",
    ] {
        let started = Instant::now();
        assert_eq!(
            verify(&hasher, &format!("$argon2id$v=19${costs}${tail}"), "password"),
            Err(CryptoError::HashPolicy),
            "{costs}"
        );
        assert!(started.elapsed() < Duration::from_millis(500), "{costs}");
    }
    // The first would be held to the bounds, and the last be computed with.
    for costs in [
        "m=64,t=1,p=1,t=4294967295",
        "m=64,t=1,p=1,m=30000000",
        "m=64,m=64,t=1,p=1",
    ] {
        let stored = format!("$argon2id$v=19${costs}${tail}");
        assert_eq!(
            verify(&hasher, &stored, "password"),
            Err(MalformedHash),
            "{costs}"
        );
        assert_eq!(hasher.policy().max.check(&stored), Err(MalformedHash), "{costs}");
    }
    let long = format!("$argon2id$v=19$m=64,t=1,p=1${tail}{}", "A".repeat(300));
    assert_eq!(verify(&hasher, &long, "password"), Err(CryptoError::HashPolicy));
}

#[test]
fn other_strings_are_named_for_what_they_are() {
    let hasher = hasher();
    let tail = "c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let version = format!("$argon2id$v=20$m=64,t=1,p=1${tail}");
    for stored in [
        "$1$abcdefgh$ijklmnopqrstuv",
        "$yescrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q",
        &version,
    ] {
        assert_eq!(
            verify(&hasher, stored, "password"),
            Err(UnsupportedHash),
            "{stored}"
        );
    }
    let many = format!("$argon2id$v=19$m=64,t=1,p=1${tail}$x");
    let few = format!("$argon2id$v=19$m=4294967296,t=1,p=1${tail}");
    let odd = format!("$argon2id$v=19$m=7,t=1,p=1${tail}");
    let zero = format!("$argon2id$v=19$m=64,t=0,p=0${tail}");
    for stored in [
        "",
        "x",
        "$",
        "plain text",
        "$argon2id",
        "$argon2id$v=19$t=1,p=1$c29tZXNhbHQ",
        &many,
        &few,
        &odd,
        &zero,
    ] {
        assert_eq!(
            verify(&hasher, stored, "password"),
            Err(MalformedHash),
            "{stored}"
        );
    }
    // A string without a hash: an account without a password.
    for stored in [
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
        "$argon2id$v=19$m=64,t=1,p=1",
    ] {
        assert_eq!(
            verify(&hasher, stored, "password"),
            Ok(Verdict::Mismatch),
            "{stored}"
        );
    }
}

#[test]
fn lengths() {
    let length = |text: String| NewPassword::new(text).map(|_| ());
    assert_eq!(length("x".repeat(7)), Err(PasswordLength));
    assert_eq!(length("x".repeat(8)), Ok(()));
    assert_eq!(length("x".repeat(1024)), Ok(()));
    assert_eq!(length("x".repeat(1025)), Err(PasswordLength));
    assert_eq!(length("x".repeat(1 << 20)), Err(PasswordLength));
    assert_eq!(length("pass\0word".into()), Ok(()));
    // 1023 bytes composed, 1535 as typed; and what grows when composed.
    assert_eq!(length("e\u{301}".repeat(511)), Ok(()));
    assert_eq!(length("e\u{301}".repeat(513)), Err(PasswordLength));
    assert_eq!(length("\u{1D160}".repeat(255)), Err(PasswordLength));
    let hasher = hasher();
    let stored = block_on(hasher.hash(&new("pass\0word"))).unwrap();
    assert_eq!(
        verify(&hasher, &stored, "pass\0word"),
        Ok(Verdict::Match { needs_rehash: false })
    );
    assert_eq!(verify(&hasher, &stored, "pass"), Ok(Verdict::Mismatch));
    assert_eq!(
        verify(&hasher, &stored, &"x".repeat(1 << 20)),
        Ok(Verdict::Mismatch)
    );
}

#[test]
fn composed_and_decomposed_are_the_same_password() {
    let hasher = hasher();
    let (composed, decomposed) = (
        "\u{e9}t\u{e9} 2024 \u{d55c}",
        "e\u{301}te\u{301} 2024 \u{1112}\u{1161}\u{11ab}",
    );
    let stored = block_on(hasher.hash(&new(composed))).unwrap();
    assert_eq!(
        verify(&hasher, &stored, decomposed),
        Ok(Verdict::Match { needs_rehash: false })
    );
    let stored = block_on(hasher.hash(&new(decomposed))).unwrap();
    assert_eq!(
        verify(&hasher, &stored, composed),
        Ok(Verdict::Match { needs_rehash: false })
    );
    let candidate = Candidate::new(decomposed.to_owned());
    let stored = block_on(hasher.hash(&candidate.to_new_password().unwrap())).unwrap();
    assert_eq!(
        verify(&hasher, &stored, composed),
        Ok(Verdict::Match { needs_rehash: false })
    );
    assert_eq!(
        format!("{:?} {:?}", new(composed), candidate),
        "NewPassword([REDACTED]) Candidate([REDACTED])"
    );
}

#[test]
fn impossible_policies_are_refused() {
    for policy in [
        HashPolicy {
            memory_kib: 7,
            ..cheap()
        },
        HashPolicy { passes: 0, ..cheap() },
        HashPolicy { lanes: 0, ..cheap() },
        HashPolicy {
            memory_kib: 1 << 20,
            ..cheap()
        },
        HashPolicy {
            max: Bounds {
                passes: 0,
                ..Bounds::default()
            },
            ..cheap()
        },
        HashPolicy {
            salt_len: 7,
            ..cheap()
        },
        HashPolicy {
            salt_len: 49,
            ..cheap()
        },
        HashPolicy {
            output_len: 9,
            ..cheap()
        },
        HashPolicy {
            output_len: 65,
            ..cheap()
        },
    ] {
        assert!(matches!(
            PasswordHasher::new(policy, Limits::default()),
            Err(Config(_))
        ));
    }
}

fn pepper(first: u8) -> Pepper {
    Pepper::new(&core::array::from_fn(|i| {
        first.wrapping_add(u8::try_from(i).unwrap())
    }))
    .unwrap()
}

fn peppered(peppers: Peppers) -> PasswordHasher {
    PasswordHasher::with_peppers(cheap(), Limits::default(), peppers).unwrap()
}

/// A hash names its pepper, and is that of Argon2 with the secret: what another implementation of RFC 9106 would compute.
#[test]
fn a_pepper_is_argon2_s_secret() {
    let stored = block_on(peppered(Peppers::current(pepper(0x80))).hash(&new("correct horse"))).unwrap();
    let parts: Vec<&str> = stored.split('$').collect();
    let &[_, "argon2id", "v=19", params, salt, hash] = parts.as_slice() else {
        panic!("{stored}")
    };
    assert!(params.starts_with("m=64,t=1,p=1,keyid="), "{stored}");
    let unpadded = |bytes: &[u8]| base64(bytes).trim_end_matches('=').to_owned();
    let mut key_id = [0; 8];
    let key: [u8; 32] = core::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
    super::super::key::expand(&key, &[b"model-core/pepper-id/1"], &mut key_id).unwrap();
    assert!(params.ends_with(&unpadded(&key_id)), "{stored}");

    let salt = argon2::password_hash::phc::Salt::from_b64(salt).unwrap();
    let params = ParamsBuilder::new()
        .m_cost(64)
        .t_cost(1)
        .p_cost(1)
        .build()
        .unwrap();
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new_with_secret(&key, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into_with_memory(b"correct horse", &salt, &mut tag, &mut memory)
        .unwrap();
    assert_eq!(hash, unpadded(&tag));
}

/// What is known verifies, and asks for a new hash where it is not the current one; what is not known is no wrong password.
#[test]
fn peppers_change_with_the_next_login() {
    let right = |needs_rehash| Ok(Verdict::Match { needs_rehash });
    let (none, one) = (hasher(), peppered(Peppers::current(pepper(1))));
    let both = peppered(Peppers::current(pepper(2)).with_known(pepper(1)));
    let [plain, old, young] =
        [&none, &one, &both].map(|hasher| block_on(hasher.hash(&new("correct horse"))).unwrap());
    for (stored, needs_rehash) in [(&plain, true), (&old, true), (&young, false)] {
        assert_eq!(verify(&both, stored, "correct horse"), right(needs_rehash));
        assert_eq!(verify(&both, stored, "correct horsf"), Ok(Verdict::Mismatch));
    }
    assert_eq!(verify(&one, &old, "correct horse"), right(false));
    assert_eq!(verify(&none, &plain, "correct horse"), right(false));
    for unknown in [&none, &peppered(Peppers::current(pepper(3)))] {
        assert_eq!(
            verify(unknown, &old, "correct horse"),
            Err(CryptoError::UnknownPepper)
        );
    }
    // Before a pepper is current, and after it was: it verifies, and new hashes have none.
    let known = peppered(Peppers::none().with_known(pepper(1)));
    assert_eq!(verify(&known, &old, "correct horse"), right(true));
    assert_eq!(verify(&known, &plain, "correct horse"), right(false));
    assert!(
        !block_on(known.hash(&new("correct horse")))
            .unwrap()
            .contains("keyid")
    );
    // Of another pepper under this one's name: nothing matches.
    let id = |stored: &str| stored.split("keyid=").nth(1).unwrap()[..11].to_owned();
    let forged = old.replace(&id(&old), &id(&young));
    assert_eq!(verify(&both, &forged, "correct horse"), Ok(Verdict::Mismatch));
}

#[test]
fn a_pepper_is_a_key() {
    assert_eq!(Pepper::new(&[7; 32]).unwrap_err(), CryptoError::WeakKey);
    assert_eq!(
        Pepper::new(b"thirty-two characters as a key!!").unwrap_err(),
        CryptoError::WeakKey
    );
    assert_eq!(Pepper::parse("short").unwrap_err(), CryptoError::WeakKey);
    assert!(matches!(
        Pepper::from_env("NO_SUCH_PEPPER"),
        Err(CryptoError::KeySource { .. })
    ));
    assert_eq!(format!("{:?}", pepper(1)), "Pepper { .. }");
}
