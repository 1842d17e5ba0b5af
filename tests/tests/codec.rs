//! The codec against the `bson` crate, byte for byte and both ways.
//!
//! `MODEL_TEST_SIZE=full` runs twenty times the cases.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

#[path = "codec/corpus.rs"]
mod corpus;
#[path = "codec/envelope.rs"]
mod envelope;
#[path = "codec/generate.rs"]
mod generate;
#[path = "codec/json.rs"]
mod json;
#[path = "codec/judge.rs"]
mod judge;
#[path = "codec/malformed.rs"]
mod malformed;
#[path = "codec/model.rs"]
mod model;
#[path = "codec/outside.rs"]
mod outside;
#[path = "codec/verdict.rs"]
mod verdict;

use bson::{Bson, Document, doc};
use model_core::__private::Writer;
use model_core::Model;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

use crate::generate::{disguise, everything};
use crate::model::{Everything, expected};
use crate::verdict::decode;

/// How many cases a property is asked: `small`, or twenty times as many.
pub(crate) fn config(small: u32) -> Config {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    Config {
        cases: if full { small * 20 } else { small },
        max_shrink_iters: 60,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::default()
    }
}

/// What our writer writes.
pub(crate) fn encode(model: &Everything) -> Vec<u8> {
    verdict::encode(model).unwrap()
}

fn show(bytes: &[u8]) -> String {
    Document::from_reader(bytes).map_or_else(|error| error.to_string(), |document| format!("{document:?}"))
}

/// Deterministic choices from a seed, for what depends on another generated value.
pub(crate) fn choices(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    }
}

proptest! {
    #![proptest_config(config(100))]

    /// What we write is what the `bson` crate writes, and what we read of it we write again.
    #[test]
    fn writes_and_reads_as_the_bson_crate_does(model in everything()) {
        let bytes = encode(&model);
        let theirs = expected(&model).to_vec().unwrap();
        prop_assert!(bytes == theirs, "ours {}\ntheirs {}", show(&bytes), show(&theirs));
        let read = decode(&theirs).unwrap();
        let again = encode(&read);
        prop_assert!(again == theirs, "again {}\ntheirs {}", show(&again), show(&theirs));
    }

    /// What other clients store means the same: other number types, another order, null for absence, unknown keys.
    #[test]
    fn reads_what_other_clients_write(model in everything(), seed in any::<u64>()) {
        let plain = expected(&model);
        let disguised = disguise(&plain, &mut choices(seed));
        let read = decode(&disguised.to_vec().unwrap());
        let read = read.map_err(|error| TestCaseError::fail(format!("{error:?}: {disguised:?}")))?;
        let (again, plain) = (encode(&read), plain.to_vec().unwrap());
        prop_assert!(again == plain, "again {}\nplain {}\nfrom {disguised:?}", show(&again), show(&plain));
    }

    /// A key that stands twice is refused, declared or not, at the top and in embedded structs and maps.
    #[test]
    fn a_key_that_stands_twice_is_refused(model in everything(), seed in any::<u64>()) {
        let mut choose = choices(seed);
        let document = expected(&model);
        let (key, value) = document.iter().nth(choose(document.len())).unwrap();
        for extra in [value.clone(), Bson::Null, Bson::Int32(1)] {
            let bytes = with_element(&document.to_vec().unwrap(), key, &extra);
            prop_assert!(decode(&bytes).is_err(), "{key} twice: {}", show(&bytes));
        }
        for (field, key) in [("nested", "maxSize"), ("sorted", "twice"), ("nested", "unknown"), ("shape", "kind")] {
            let mut inner = match field {
                "nested" => doc! { "maxSize": 1, "parts": [] },
                "shape" => doc! { "kind": "tagged", "value": [] },
                _ => doc! {},
            };
            inner.insert(key, inner.get(key).cloned().unwrap_or(Bson::Int32(1)));
            let twice = with_element(&inner.to_vec().unwrap(), key, &inner[key]);
            let mut outer = document.clone();
            outer.remove(field);
            let bytes = with_raw(&outer.to_vec().unwrap(), field, 3, &twice);
            prop_assert!(decode(&bytes).is_err(), "{field}.{key} twice");
        }
    }
}

/// `document` with one more element at its end, whatever keys it has already.
fn with_element(document: &[u8], key: &str, value: &Bson) -> Vec<u8> {
    let one = doc! { key: value.clone() }.to_vec().unwrap();
    with_bytes(document, &one[4..one.len() - 1])
}

fn with_raw(document: &[u8], key: &str, tag: u8, value: &[u8]) -> Vec<u8> {
    let element = [&[tag], key.as_bytes(), &[0], value].concat();
    with_bytes(document, &element)
}

fn with_bytes(document: &[u8], element: &[u8]) -> Vec<u8> {
    let mut bytes = document[..document.len() - 1].to_vec();
    bytes.extend_from_slice(element);
    bytes.push(0);
    let length = i32::try_from(bytes.len()).unwrap();
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// The revision is a key like any other: it is read by the model, and passed over where no model asks for it.
#[test]
fn a_revision_that_stands_twice_is_refused() {
    // Every optional field is there, so that no key has to be looked for.
    let model = sample();
    let once = with_element(&encode(&model), "_rev", &Bson::Int64(1));
    assert_eq!(decode(&once).unwrap().revision.to_string(), "1");
    let twice = with_element(&once, "_rev", &Bson::Int64(2));
    let error = decode(&twice).map(|model| model.revision).unwrap_err();
    assert!(format!("{error:?}").contains("path: \"_rev\""), "{error:?}");
    let version = with_element(&once, "_sv", &Bson::Int32(1));
    assert!(decode(&version).is_ok());
    assert!(
        decode(&with_element(&version, "_sv", &Bson::Int32(2))).is_err(),
        "two versions"
    );
}

/// One value, always the same, with every optional field there.
pub(crate) fn sample() -> Everything {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let tree = everything().new_tree(&mut TestRunner::deterministic());
    let mut model = tree.unwrap().current();
    model.note = Some("n".to_owned());
    model.maybe = Some(1);
    model.other = Some(model.nested.clone());
    model.updated = Some(model.created);
    model
}

/// A whole number does not lose a digit on its way through a double field, and a fraction is no whole number.
#[test]
fn numbers_that_do_not_fit_are_refused() {
    for (key, value) in [
        ("small", Bson::Int32(32_768)),
        ("small", Bson::Double(0.5)),
        ("port", Bson::Int32(-1)),
        ("int", Bson::Int64(1 << 31)),
        ("int", Bson::Double(f64::NAN)),
        ("count", Bson::Int64(-1)),
        ("count", Bson::Double(1e10)),
        ("long", Bson::Double(9.3e18)),
        ("long", Bson::Double(f64::INFINITY)),
        ("long", Bson::Decimal128("1".parse().unwrap())),
        ("big", Bson::Int64(-1)),
        ("double", Bson::Int64((1 << 53) + 1)),
        ("double", Bson::String("1".into())),
        ("flag", Bson::Int32(1)),
        ("at", Bson::DateTime(bson::DateTime::from_millis(i64::MAX))),
        ("at", Bson::Int64(0)),
        ("text", Bson::Symbol("s".into())),
        (
            "uuid",
            Bson::Binary(bson::Binary {
                subtype: bson::spec::BinarySubtype::UuidOld,
                bytes: vec![0; 16],
            }),
        ),
        (
            "uuid",
            Bson::Binary(bson::Binary {
                subtype: bson::spec::BinarySubtype::Uuid,
                bytes: vec![0; 15],
            }),
        ),
        (
            "bytes",
            Bson::Binary(bson::Binary {
                subtype: bson::spec::BinarySubtype::Encrypted,
                bytes: vec![],
            }),
        ),
        ("list", doc! { "0": "a" }.into()),
        ("sorted", Bson::Array(vec![])),
        ("nested", Bson::Null),
        ("nested", Bson::Array(vec![])),
        ("status", "GONE".into()),
        ("shape", "circle".into()),
        ("shape", doc! { "kind": "square" }.into()),
        ("shape", doc! { "radius": 1.0 }.into()),
        ("_id", "text".into()),
    ] {
        let mut document = expected(&sample());
        document.insert(key, value.clone());
        let result = decode(&document.to_vec().unwrap());
        assert!(
            result.is_err(),
            "{key}: {value:?} became {:?}",
            result.map(|model| encode(&model))
        );
    }
}

/// A double that no `f32` comes near is not infinity.
#[test]
fn a_double_beyond_f32_is_refused() {
    for value in [Bson::Double(1e300), Bson::Double(-f64::MAX)] {
        let mut document = expected(&sample());
        document.insert("single", value.clone());
        let single = decode(&document.to_vec().unwrap()).map(|model| model.single);
        assert!(single.is_err(), "{value:?} became {single:?}");
    }
}

/// An error names the path, with the index, and never the value.
#[test]
fn an_error_tells_the_path_and_no_value() {
    for (key, value, path) in [
        ("int", Bson::String("canary".into()), "int"),
        (
            "list",
            Bson::Array(vec!["a".into(), Bson::Int32(77_123)]),
            "list.1",
        ),
        (
            "many",
            Bson::Array(vec![doc! { "maxSize": "canary", "parts": [] }.into()]),
            "many.0.maxSize",
        ),
        (
            "by_name",
            doc! { "k": { "maxSize": 77_123.5, "parts": [] } }.into(),
            "by_name.k.maxSize",
        ),
        (
            "nested",
            doc! { "maxSize": 1, "parts": [{ "weight": 1.0, "at": "canary" }] }.into(),
            "nested.parts.0.at",
        ),
        ("status", "canary".into(), "status"),
        ("shape", doc! { "kind": "canary" }.into(), "shape.kind"),
        ("foreign", doc! { "name": 77_123 }.into(), "foreign"),
    ] {
        let mut document = expected(&sample());
        document.insert(key, value);
        let error = format!("{:?}", decode(&document.to_vec().unwrap()).unwrap_err());
        assert!(error.contains(&format!("path: \"{path}\"")), "{error}");
        assert!(!error.contains("canary") && !error.contains("77123"), "{error}");
    }
}

/// A required field that is missing is an error at its path; an optional one is none.
#[test]
fn missing_fields_are_errors_unless_optional() {
    let whole = expected(&sample());
    for key in whole.keys() {
        let mut document = whole.clone();
        document.remove(key);
        let result = decode(&document.to_vec().unwrap());
        let optional = ["note", "maybe", "other", "updated"].contains(&key.as_str());
        assert_eq!(result.is_ok(), optional, "{key}");
    }
}

/// A number above what BSON holds, a key that would break paths: refused with the path, nothing is half-written.
#[test]
fn what_cannot_be_stored_is_refused_with_the_path() {
    let broken = |change: fn(&mut Everything)| {
        let mut model = sample();
        change(&mut model);
        let mut out = Writer::new();
        model.encode(&mut out);
        let error = out.finish().unwrap_err();
        assert!(error.is_invalid());
        error
            .violations()
            .iter()
            .map(|v| format!("{} {}", v.path, v.rule))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        broken(|model| model.big = u64::try_from(i64::MAX).unwrap() + 1),
        "big range"
    );
    for key in ["", "$a", "a.b", "a\0b", "__proto__", &"k".repeat(257)] {
        let mut model = sample();
        model.sorted = [(key.to_owned(), 1)].into();
        let mut out = Writer::new();
        model.encode(&mut out);
        let error = out.finish().unwrap_err();
        assert_eq!(error.violations()[0].path, "sorted", "{key}");
    }
    let many = broken(|model| model.sorted = (0..1001).map(|n| (n.to_string(), n)).collect());
    assert_eq!(many, "sorted keys");
    let nul =
        broken(|model| model.any = Bson::Document([("a\0b".to_owned(), Bson::Null)].into_iter().collect()));
    assert_eq!(nul, "any key");
    assert_eq!(broken(|model| model.text = "x".repeat(17 << 20)), " size");
}
