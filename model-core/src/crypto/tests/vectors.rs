//! Frozen bytes: a change here is a change of the file format, and breaks every stored value.

use core::num::NonZeroU32;

use super::super::aad::associated_data;
use super::super::envelope::seal_with_nonce;
use super::super::store::{KeyRow, KeyState};
use super::super::wrapper::WrapCtx;
use super::super::{CryptoError, DocumentSeal, LocalKek, Origin, Purpose, Suites};
use super::{ID, KEK, PLACE, dek, hex, loaded, loaded_in, ring, row, tenant};

const NONCE: &[u8; 24] = b"ABCDEFGHIJKLMNOPQRSTUVWX";
/// Codec B1: the BSON document `{"v": "secret"}`.
const PLAINTEXT: &[u8] = b"\x13\0\0\0\x02v\0\x07\0\0\0secret\0\0";

#[test]
fn key_id() {
    assert_eq!(hex(dek(0).id().as_bytes()), "87c87db55248379e6356a1c58653331a");
    assert_eq!(dek(0).id().id8(), "87c87db5");
}

#[test]
fn origin_and_associated_data() {
    let origin = PLACE.encode();
    assert_eq!(
        hex(&origin),
        "00000005757365727300000005746f6b656e010200000009050000006\
         1636d6500070000000c654321000000000000000001"
    );
    assert_eq!(
        hex(&associated_data(b"0123456789abcdefgh", "prod", &origin)),
        format!(
            "6d6f64656c2d636f72652f6161642f310000000012303132333435363738396162636465666768\
             0000000470726f64{}",
            hex(&origin)
        )
    );
    let global = Origin {
        tenant: None,
        ..PLACE
    }
    .encode();
    assert_eq!(
        hex(&global),
        "00000005757365727300000005746f6b656e00070000000c654321000000000000000001"
    );
}

#[test]
fn envelopes() {
    let (with, without) = (
        PLACE,
        Origin {
            tenant: None,
            path: "members[].token",
            ..PLACE
        },
    );
    let cases = [
        (
            with,
            Some("acme"),
            None,
            "e10187c87db55248379e6356a1c58653331a4142434445464748494a4b4c4d4e4f50515253545556575840e544486a16b9062dc335366a21f3ad10da000b08982d75204785a4ef7dfec86874ef",
        ),
        (
            without,
            None,
            None,
            "e10187c87db55248379e6356a1c58653331a4142434445464748494a4b4c4d4e4f505152535455565758f88229de8ecf8a05df57741a0bb7a62dc4106ef5b501e1194dddba6ca05e18ffd82a75",
        ),
        (
            with,
            Some("acme"),
            NonZeroU32::new(64),
            "e10287c87db55248379e6356a1c58653331a4142434445464748494a4b4c4d4e4f50515253545556575853e5445b7b60b9012fb535420f4281bb01b972880bea41db0040cfc78a8b933edd8bbd25f02109a93c5a2fe81da036653ca2cd91f8b2dd02ef3308bcc5195ae37764b92c07bd6e35475d0a01b85b3891",
        ),
    ];
    for (place, owner, pad, expected) in cases {
        let key = loaded(0, owner.map(tenant));
        let field = key.field_key(place.collection, place.path).unwrap();
        let origin = place.encode();
        let envelope = seal_with_nonce(&field, NONCE, &origin, PLAINTEXT, pad).unwrap();
        assert_eq!(hex(&envelope), expected);
        let opened = ring().open(&key, &origin, &envelope, Suites::ALL).unwrap();
        assert_eq!(&*opened, PLAINTEXT);
    }
    assert_eq!(PLACE.id, ID);
}

#[test]
fn wrapped_key() {
    let (dek, acme) = (dek(0), tenant("acme"));
    let ctx = WrapCtx::new(dek.id(), Purpose::Enc, Some(&acme), "prod");
    assert_eq!(
        hex(&ctx.aad()),
        "0000001087c87db55248379e6356a1c58653331a00000003656e630000000f0102000000090500000061636d65000000000470726f64"
    );
    let kek = LocalKek::new(&KEK).unwrap();
    assert!(format!("{kek:?}").contains("e2376d8fa952557d"));
    assert_eq!(
        hex(&kek.wrap_with_nonce(b"ABCDEFGHIJKL", &dek, &ctx.aad()).unwrap()),
        "4142434445464748494a4b4c62d684318d5a60ef0e71f737b2033121fe8f7b7d5f3c1d93576badd7fd7ef1ad8a5b018d0d61faa7df75f2c2e9cb11bb"
    );
}

#[test]
fn index_key() {
    let key = loaded_in(
        "prod",
        0,
        Purpose::BlindIndex,
        Some(tenant("acme")),
        KeyState::Primary,
    );
    assert_eq!(
        hex(&*key.index_key("users", "email").unwrap()),
        "3cac02895d609c39faa54c9a6bf580fcd24d53bd480d94d53d580b4bf0635803"
    );
    assert!(loaded(0, None).index_key("users", "email").is_err());
    assert!(key.field_key("users", "email").is_err());
}

/// Made by another implementation (Python's `hmac`) from the text of `index_key` and `index_token`.
#[test]
fn index_tokens() {
    let key = loaded_in(
        "prod",
        0,
        Purpose::BlindIndex,
        Some(tenant("acme")),
        KeyState::Primary,
    );
    let email = key
        .index_token("users", "email#email/1", b"\x02a@x.com", 16)
        .unwrap();
    assert_eq!(hex(&email), "0161487deba85995982282e8064b935f5d");
    let token = key
        .index_token("users", "secret#token/1", b"tok_live_4242", 32)
        .unwrap();
    assert_eq!(
        hex(&token),
        "0109d3838b2a6736c502f83c8e866bfdd04ef78e91ef0791367dc07344683f76be"
    );
    let is = |value: &[u8], token: &[u8]| {
        key.is_index_token("users", "secret#token/1", value, token)
            .unwrap()
    };
    assert!(is(b"tok_live_4242", &token));
    assert!(!is(b"tok_live_4243", &token));
    assert!(!is(b"tok_live_4242", &token[..1]));
    assert!(!is(b"tok_live_4242", &[]));
    let mut other = token.clone();
    other[0] = 2;
    assert!(!is(b"tok_live_4242", &other), "a token of another key");
    for bit in 8..token.len() * 8 {
        let mut flipped = token.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!is(b"tok_live_4242", &flipped));
    }
    assert!(loaded(0, None).index_token("users", "email", b"", 16).is_err());
}

#[test]
fn key_row() {
    let mut row = row(&dek(0), Purpose::Enc, Some(tenant("acme")), KeyState::Primary);
    row.wrapped.bytes = vec![1, 2, 3];
    let document = row.to_document().unwrap();
    assert_eq!(
        document.to_string(),
        r#"{ "_id": Binary(0x0, h8h9tVJIN55jVqHFhlMzGg==), "purpose": "enc", "tenant": "acme", "realm": "prod", "ver": 1, "kek": { "provider": "local", "id": "test", "version": "" }, "wrapped": Binary(0x0, AQID), "state": "primary", "created_at": DateTime("2023-11-14 22:13:20.0 +00:00:00"), "promoted_at": DateTime("2023-11-14 22:13:20.0 +00:00:00") }"#
    );
    assert_eq!(KeyRow::from_document(&document).unwrap(), row);
    row.tenant = None;
    assert_eq!(KeyRow::from_document(&row.to_document().unwrap()).unwrap(), row);
    for field in [
        "_id",
        "purpose",
        "tenant",
        "realm",
        "ver",
        "kek",
        "wrapped",
        "state",
        "created_at",
    ] {
        let mut broken = document.clone();
        broken.remove(field);
        let error = KeyRow::from_document(&broken).unwrap_err();
        assert_eq!(error, CryptoError::MalformedKeyRow { field });
    }
}

/// Made by another implementation (Python's `hmac`) from the text of `document_seal`.
#[test]
fn document_seal() {
    let key = loaded_in("prod", 0, Purpose::Seal, Some(tenant("acme")), KeyState::Primary);
    let acme = tenant("acme");
    let seal = key
        .seal_document("users", Some(acme.typed()), 0x0123_4567_89ab_cdef, b"content")
        .unwrap();
    assert_eq!(
        hex(&seal),
        "e20187c87db55248379e6356a1c58653331a0123456789abcdef65adaf758e8052c3a1f16f12e41d0e2b0da825512df124e798b993280f1287fb"
    );
    let check = |seal: &[u8], content: &[u8]| {
        let seal = DocumentSeal::parse(seal)?;
        key.check_document("users", Some(acme.typed()), seal, content)
    };
    assert_eq!(check(&seal, b"content"), Ok(()));
    assert_eq!(check(&seal, b"contenT"), Err(CryptoError::SealInvalid));
    for bit in 0..seal.len() * 8 {
        let mut flipped = seal.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            1 => CryptoError::UnknownSuite(flipped[1]),
            2..18 => CryptoError::KeyScope,
            _ => CryptoError::SealInvalid,
        };
        assert_eq!(check(&flipped, b"content"), Err(expected), "bit {bit}");
    }
    for length in 0..seal.len() {
        assert_eq!(check(&seal[..length], b"content"), Err(CryptoError::SealInvalid));
    }
    let longer = [&*seal, &[0]].concat();
    assert_eq!(check(&longer, b"content"), Err(CryptoError::SealInvalid));
    let parsed = DocumentSeal::parse(&seal).unwrap();
    let elsewhere = key.check_document("accounts", Some(acme.typed()), parsed, b"content");
    assert_eq!(elsewhere, Err(CryptoError::SealInvalid), "another collection");
    let global = key.check_document("users", None, parsed, b"content");
    assert_eq!(global, Err(CryptoError::KeyScope), "another tenant");
    assert!(!format!("{parsed:?}").contains(&hex(&seal)[52..60]));
    for purpose in [Purpose::Enc, Purpose::BlindIndex, Purpose::Pepper] {
        let other = loaded_in("prod", 0, purpose, Some(tenant("acme")), KeyState::Primary);
        let made = other.seal_document("users", Some(acme.typed()), 0, b"");
        assert_eq!(made, Err(CryptoError::KeyScope));
    }
    let old = key.in_state(KeyState::DecryptOnly);
    assert_eq!(
        old.check_document("users", Some(acme.typed()), parsed, b"content"),
        Ok(())
    );
    let made = old.seal_document("users", Some(acme.typed()), 0, b"");
    assert_eq!(made, Err(CryptoError::NoPrimaryKey));
    for (state, expected) in [
        (KeyState::Disabled, CryptoError::KeyDisabled),
        (KeyState::Destroyed, CryptoError::KeyDestroyed),
    ] {
        let checked = key
            .in_state(state)
            .check_document("users", Some(acme.typed()), parsed, b"content");
        assert_eq!(checked, Err(expected));
    }
}
