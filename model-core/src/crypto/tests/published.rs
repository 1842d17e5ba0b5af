//! Published vectors: Project Wycheproof, RFC 4231, RFC 5869, C2SP. They hold the primitives to what the formats say of
//! them, whatever becomes of the crates; RFC 9106 is in `passwords.rs`, the two full answers of C2SP in `xaes.rs`.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sha3::Shake128;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use super::super::key::expand;
use super::super::xaes::Xaes;
use super::hex;

/// The rows of a file: words of hexadecimal digits, and whatever stands before them.
fn rows(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = file.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split(' ').collect())
}

fn bytes(word: &str) -> Vec<u8> {
    let digits = if word == "-" { "" } else { word };
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[test]
fn wycheproof_aes_256_gcm() {
    let (mut valid, mut invalid) = (0, 0);
    for row in rows(include_str!("data/aes_256_gcm.txt")) {
        let [verdict, rest @ ..] = row.as_slice() else {
            panic!("an empty row")
        };
        let [key, nonce, aad, plain, sealed] = rest else {
            panic!("{row:?}")
        };
        let cipher = Aes256Gcm::new_from_slice(&bytes(key)).unwrap();
        let nonce: [u8; 12] = bytes(nonce).try_into().unwrap();
        let (aad, plain, sealed) = (bytes(aad), bytes(plain), bytes(sealed));
        let (body, tag) = sealed.split_last_chunk::<16>().unwrap();
        let mut buffer = body.to_vec();
        let opened = cipher.decrypt_inout_detached(
            (&nonce).into(),
            &aad,
            InOutBuf::from(buffer.as_mut_slice()),
            tag.into(),
        );
        if *verdict == "valid" {
            valid += 1;
            assert!(opened.is_ok() && buffer == plain, "{row:?}");
            let made =
                cipher.encrypt_inout_detached((&nonce).into(), &aad, InOutBuf::from(buffer.as_mut_slice()));
            assert_eq!(
                (buffer.as_slice(), made.unwrap().as_slice()),
                (body, tag.as_slice()),
                "{row:?}"
            );
        } else {
            invalid += 1;
            assert!(opened.is_err(), "{row:?}");
        }
    }
    assert_eq!((valid, invalid), (21, 27));
}

#[test]
fn wycheproof_and_rfc_4231_hmac_sha256() {
    let mut count = 0;
    for row in rows(include_str!("data/hmac_sha256.txt")) {
        let [key, message, tag] = row.as_slice() else {
            panic!("{row:?}")
        };
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&bytes(key)).unwrap();
        Mac::update(&mut mac, &bytes(message));
        assert!(mac.finalize().into_bytes().starts_with(&bytes(tag)), "{row:?}");
        count += 1;
    }
    assert_eq!(count, 73);
}

/// HKDF-Extract is an HMAC; HKDF-Expand is the function that all keys here are derived by.
#[test]
fn wycheproof_and_rfc_5869_hkdf_sha256() {
    let mut count = 0;
    for row in rows(include_str!("data/hkdf_sha256.txt")) {
        let [input, salt, info, output] = row.as_slice() else {
            panic!("{row:?}")
        };
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&bytes(salt)).unwrap();
        Mac::update(&mut mac, &bytes(input));
        let prk: [u8; 32] = mac.finalize().into_bytes().into();
        let mut out = bytes(output);
        out.fill(0);
        let info = bytes(info);
        let (head, tail) = info.split_at(info.len() / 2);
        expand(&prk, &[head, tail], &mut out).unwrap();
        assert_eq!(hex(&out), hex(&bytes(output)), "{row:?}");
        count += 1;
    }
    assert!(count >= 90, "{count}");
}

/// The accumulated test of C2SP's XAES-256-GCM: keys, nonces, lengths, plaintexts and associated data out of one SHAKE128,
/// every ciphertext into another.
#[test]
fn c2sp_xaes_256_gcm_accumulated() {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    let (iterations, expected) = if full {
        (
            1_000_000,
            "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15",
        )
    } else {
        (
            10_000,
            "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939",
        )
    };
    let mut random = Shake128::default().finalize_xof();
    let mut all = Shake128::default();
    let mut take = |length: usize| {
        let mut out = vec![0u8; length];
        random.read(&mut out);
        out
    };
    for _ in 0..iterations {
        let key: [u8; 32] = take(32).try_into().unwrap();
        let nonce: [u8; 24] = take(24).try_into().unwrap();
        let length = usize::from(take(1)[0]);
        let mut buffer = take(length);
        let length = usize::from(take(1)[0]);
        let aad = take(length);
        let tag = Xaes::new(&key).seal(&nonce, &aad, &mut buffer).unwrap();
        all.update(&buffer);
        all.update(&tag);
    }
    let mut digest = [0u8; 32];
    all.finalize_xof().read(&mut digest);
    assert_eq!(hex(&digest), expected);
}
