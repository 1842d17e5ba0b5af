//! JSON inputs: what is read can be stored, and what is refused says where.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::config;
use crate::model::NewEverything;
use crate::verdict::json as json_verdict;

/// An input with every key.
pub(crate) fn whole() -> Value {
    json!({
        "flag": true, "small": -5, "port": 8080, "int": -70000, "count": 4_000_000_000_u32, "long": -9_007_199_254_740_993_i64,
        "big": 9_007_199_254_740_993_u64, "single": 0.5, "double": 1e300, "text": "é", "at": "2026-03-01T09:00:00.123Z",
        "oid": "0123456789abcdef01234567", "uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "decimal": "12.50",
        "stamp": { "time": 1, "increment": 2 }, "bytes": "AAEC", "regex": "/^a/i", "any": { "a": [1, null, "x"] },
        "note": "n", "maybe": 3, "list": ["a"], "holes": [1, null], "rows": [[1], []], "sorted": { "k": 1 },
        "hashed": { "k": null }, "nested": { "maxSize": 1 }, "other": { "maxSize": 2, "labelText": "l", "parts": [] },
        "many": [{ "maxSize": 1, "parts": [null, { "weight": 1.5 }] }], "by_name": { "k": { "maxSize": 1 } },
        "status": "in_review", "shape": { "kind": "circle", "radius": 2.0 }, "shapes": ["nothing"], "email": "a@b.c",
        "foreign": { "name": "n", "pair": [1, 2.0], "more": {} }
    })
}

#[test]
fn an_input_with_every_key_is_read() {
    assert_eq!(json_verdict(&whole().to_string()), Ok(true));
    let new = NewEverything::from_json(&whole().to_string()).unwrap();
    assert_eq!(
        (new.big, new.long),
        (9_007_199_254_740_993, -9_007_199_254_740_993)
    );
}

/// A value of any other JSON type under any key is refused at that key, or is a value of that key's type.
#[test]
fn wrong_types_are_refused_at_their_key() {
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!("canary"),
        json!([["canary"]]),
        json!({ "another": "canary" }),
        json!({ "$where": "canary" }),
    ];
    for key in whole().as_object().unwrap().keys() {
        for value in &values {
            let mut input = whole();
            input[key] = value.clone();
            json_verdict(&input.to_string()).unwrap_or_else(|error| panic!("{key} = {value}: {error}"));
            if let Err(error) = NewEverything::from_json(&input.to_string()) {
                assert!(error.is_invalid() && !error.violations().is_empty());
                for violation in error.violations() {
                    assert!(
                        violation.path.starts_with(key.as_str()),
                        "{key} = {value}: {violation}"
                    );
                    assert!(!violation.message.contains("canary"), "{violation}");
                }
            }
        }
    }
}

#[test]
fn all_missing_keys_are_reported_at_once() {
    let error = NewEverything::from_json("{}").unwrap_err();
    let missing: BTreeSet<_> = error
        .violations()
        .iter()
        .map(|violation| violation.path.as_str())
        .collect();
    let whole = whole();
    let optional = ["note", "maybe", "other"];
    let required: BTreeSet<_> = whole
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|key| !optional.contains(key))
        .collect();
    assert_eq!(missing, required);
}

/// A number that the field cannot hold is refused where it is read, not stored as another one.
#[test]
fn numbers_out_of_range_are_refused() {
    for (key, number) in [
        ("small", "32768"),
        ("small", "1.0"),
        ("port", "-1"),
        ("int", "2147483648"),
        ("count", "4294967296"),
        ("long", "9223372036854775808"),
        ("big", "18446744073709551616"),
    ] {
        let error = NewEverything::from_json(&with_number(key, number))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.violations()[0].path, key, "{key} = {number}: {error}");
    }
}

/// The whole input with a number under `key` that is written as it is.
fn with_number(key: &str, number: &str) -> String {
    let mut input = whole();
    input[key] = "NUMBER".into();
    input.to_string().replace("\"NUMBER\"", number)
}

/// A number that no `f32` comes near is not infinity.
#[test]
fn a_number_beyond_f32_is_refused() {
    let single = NewEverything::from_json(&with_number("single", "1e300")).map(|new| new.single);
    assert!(single.is_err(), "became {single:?}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(config(100))]

    /// Some keys replaced by anything.
    #[test]
    fn any_json_is_read_or_refused(changes in proptest::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4)) {
        let mut input = whole();
        let keys: Vec<String> = input.as_object().unwrap().keys().cloned().collect();
        for (index, value) in changes {
            input[index.get(&keys)] = value;
        }
        json_verdict(&input.to_string()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        json_verdict(&text).map_err(TestCaseError::fail)?;
    }
}
