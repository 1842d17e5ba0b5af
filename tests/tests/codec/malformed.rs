//! Bytes that are no document, or not this one.
//!
//! What is asserted of every input: our reader answers with an error or a value and does not panic; and each field of
//! that value, dynamic and foreign ones included, is what the `bson` crate reads under the same key of the same bytes
//! ([`judge`]). The converse is not asserted: `bson` checks what no field asks for, our reader passes over it.

use proptest::prelude::*;

use crate::generate::everything;
use crate::model::expected;
use crate::verdict::{decode, document};
use crate::{choices, config, encode, sample};

fn checked(bytes: &[u8]) -> Result<bool, TestCaseError> {
    document(bytes).map_err(|error| TestCaseError::fail(format!("{error}\n{bytes:?}")))
}

#[test]
fn no_truncation_decodes() {
    let bytes = encode(&sample());
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        // With a length that fits what is left, and with an end.
        let mut cut = bytes[..length].to_vec();
        cut.push(0);
        if let Some(slot) = cut.first_chunk_mut::<4>() {
            *slot = i32::try_from(length + 1).unwrap().to_le_bytes();
        }
        document(&cut).unwrap();
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode(&longer).is_err(), "a byte after the end");
}

/// Every byte of one document, set to each of a few values.
#[test]
fn no_single_byte_makes_garbage() {
    let bytes = encode(&sample());
    for at in 0..bytes.len() {
        for value in [
            0,
            1,
            2,
            3,
            4,
            5,
            8,
            0x0F,
            0x10,
            0x12,
            0x7F,
            0x80,
            0xFF,
            bytes[at] ^ 1,
            bytes[at] ^ 0x80,
        ] {
            let mut changed = bytes.clone();
            changed[at] = value;
            document(&changed).unwrap_or_else(|error| panic!("byte {at} = {value}: {error}"));
        }
    }
}

proptest! {
    #![proptest_config(config(30))]

    #[test]
    fn flipped_bytes_make_no_garbage(model in everything(), seed in any::<u64>()) {
        let mut choose = choices(seed);
        let bytes = expected(&model).to_vec().unwrap();
        for _ in 0..20 {
            let mut changed = bytes.clone();
            for _ in 0..=choose(4) {
                let at = choose(changed.len());
                changed[at] = u8::try_from(choose(256)).unwrap();
            }
            checked(&changed)?;
        }
    }

    /// Every four bytes that may be a length, set to what a length must not be.
    #[test]
    fn wrong_lengths_make_no_garbage(model in everything(), seed in any::<u64>()) {
        let mut choose = choices(seed);
        let bytes = expected(&model).to_vec().unwrap();
        for _ in 0..40 {
            let at = choose(bytes.len() - 4);
            let there = i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            for length in [0, 1, 4, 5, -1, i32::MIN, i32::MAX, there.wrapping_add(1), there.wrapping_sub(1)] {
                let mut changed = bytes.clone();
                changed[at..at + 4].copy_from_slice(&length.to_le_bytes());
                checked(&changed)?;
            }
        }
    }

    /// A value of another type under a declared key.
    #[test]
    fn other_types_make_no_garbage(model in everything(), value in crate::generate::dynamic(), seed in any::<u64>()) {
        let document = expected(&model);
        let key = document.keys().nth(choices(seed)(document.len())).unwrap().clone();
        let mut changed = document;
        changed.insert(&key, value);
        checked(&changed.to_vec().unwrap())?;
    }

    #[test]
    fn noise_makes_no_garbage(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        checked(&bytes)?;
        let mut framed = bytes;
        framed.push(0);
        let length = i32::try_from(framed.len() + 4).unwrap().to_le_bytes();
        checked(&[&length[..], &framed].concat())?;
    }
}

/// Documents in documents, to any depth, do not exhaust the stack of a reader that passes over them; the `bson`
/// crate reads a dynamic field, and its depth is the server's business (100 levels).
#[test]
fn a_bomb_of_nesting_is_passed_over() {
    let mut bomb = vec![5, 0, 0, 0, 0];
    for _ in 0..20_000 {
        let length = i32::try_from(bomb.len() + 8).unwrap().to_le_bytes();
        bomb = [&length[..], &[3, b'a', 0], &bomb, &[0]].concat();
    }
    let plain = encode(&sample());
    let with_bomb = crate::with_raw(&plain, "unknown", 3, &bomb);
    assert_eq!(encode(&decode(&with_bomb).unwrap()), plain);
}
