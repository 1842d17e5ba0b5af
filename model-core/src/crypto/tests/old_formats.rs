//! Vectors of the ready-made decoders: made by `openssl enc` (3.0.19: `-aes-256-cbc -K -iv`, `-aes-256-ctr -K -iv`,
//! `-aes-256-cbc -md md5 -S -pass`) and again by Node's `createCipheriv`, which agree.

use super::super::{AesCbc, AesCtr, CryptoError, CryptoJs, LibreChat, OldFormat};

const KEY: &str = "8f1d3b5a7c9e0f2143658709badcfe1032547698badcfe0123456789abcdef01";
const IV: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const PLAIN: &str = "sk-live-canary 🔑";
const CBC: &str = "f57e3434e823130801db6b4fecf07ec254de24e58175904c7efd71815d443518";
const CTR: &str = "ddba237edc4c02cca659ef42b87976098b3ae4";
const JSON: &str = r#"{"user":"ada","port":5432,"ssl":true,"hosts":["a","b"]}"#;
const CRYPTO_JS: &str = "U2FsdGVkX18BAgMEBQYHCEAFR15LJ6p0zQaan8nQ/0g/9bPy//Slbk7ldFqylVIBY9STB1mz46bNxif6d9p7ekb2MCbe50XvqkDJiVB73UQ=";

fn key() -> [u8; 32] {
    let digits: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&KEY[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    digits.try_into().unwrap()
}

fn opened(format: &dyn OldFormat, stored: &str) -> String {
    assert!(format.is(stored), "{stored}");
    (*format.open(stored).unwrap()).clone()
}

#[test]
fn cbc_and_ctr() {
    assert_eq!(opened(&AesCbc::new(&key()), &format!("{IV}:{CBC}")), PLAIN);
    assert_eq!(opened(&AesCtr::new(&key()), &format!("{IV}:{CTR}")), PLAIN);
    // A whole block of padding.
    let whole = "e3eb7a89ddbe1c50b20725983466197ec7aa4d73f92a16a2f6fac598567b54d3";
    assert_eq!(
        opened(&AesCbc::new(&key()), &format!("{IV}:{whole}")),
        "0123456789abcdef"
    );
    assert_eq!(opened(&AesCtr::new(&key()), &format!("{IV}:")), "");
}

#[test]
fn the_three_generations_of_librechat() {
    let new = LibreChat::new(KEY).unwrap();
    let all = LibreChat::new(KEY).unwrap().with_iv(IV).unwrap();
    for format in [&new, &all] {
        assert_eq!(opened(format, &format!("{IV}:{CBC}")), PLAIN);
        assert_eq!(opened(format, &format!("v3:{IV}:{CTR}")), PLAIN);
    }
    assert_eq!(opened(&all, CBC), PLAIN);
    assert!(!new.is(CBC), "without an IV the first generation is not known");
    assert_eq!(LibreChat::new("short").unwrap_err(), CryptoError::WeakKey);
    assert_eq!(
        LibreChat::new(KEY).unwrap().with_iv(KEY).unwrap_err(),
        CryptoError::WeakKey
    );
}

#[test]
fn crypto_js() {
    assert_eq!(opened(&CryptoJs::new("dev-encryption-key"), CRYPTO_JS), JSON);
    let wrong = CryptoJs::new("another").open(CRYPTO_JS).unwrap_err();
    assert_eq!(wrong, CryptoError::OldFormat);
}

/// Whatever is wrong, it is one error, and never a panic; other text is not taken for the format.
#[test]
fn what_does_not_open() {
    let formats: [&dyn OldFormat; 4] = [
        &AesCbc::new(&key()),
        &AesCtr::new(&key()),
        &LibreChat::new(KEY).unwrap().with_iv(IV).unwrap(),
        &CryptoJs::new("dev-encryption-key"),
    ];
    for format in formats {
        assert!(!format!("{format:?} {format:#?}").contains("8f1d"), "no key");
        for text in [
            "",
            "plain",
            "a:b",
            "v3:",
            "v3::",
            ":",
            "U2Fsd",
            "é:é",
            "sk-live-canary",
            &IV[..31],
        ] {
            assert!(!format.is(text), "{format:?} {text}");
            assert_eq!(
                format.open(text).map(drop),
                Err(CryptoError::OldFormat),
                "{format:?} {text}"
            );
        }
    }
    let cbc = AesCbc::new(&key());
    let mut altered = CBC.to_owned();
    altered.replace_range(62.., "00");
    assert_eq!(
        cbc.open(&format!("{IV}:{altered}")).unwrap_err(),
        CryptoError::OldFormat
    );
    let cut = &CBC[..CBC.len() - 2];
    assert!(!cbc.is(&format!("{IV}:{cut}")));
    for length in 0..CRYPTO_JS.len() {
        assert!(
            CryptoJs::new("dev-encryption-key")
                .open(&CRYPTO_JS[..length])
                .is_err()
        );
    }
}
