//! The corners; the randomised comparison with a server is in the `tests` package.

use bson::{Bson, Decimal128, Document, RawDocumentBuf, doc};

use super::*;
use crate::query::SortKey;
use crate::schema::Direction;

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn holds(document: &Document, path: &'static str, test: Test) -> bool {
    matches(&Node::field(path, test), &raw(document))
}

fn eq(value: impl Into<Bson>) -> Test {
    Test::Eq(value.into())
}

#[test]
fn null_is_null_missing_and_undefined() {
    for document in [
        doc! { "a": null },
        doc! {},
        doc! { "a": Bson::Undefined },
        doc! { "a": [1, null] },
    ] {
        assert!(holds(&document, "a", eq(Bson::Null)), "{document}");
        assert!(holds(&document, "a", Test::In(vec![Bson::Null])), "{document}");
        assert!(holds(&document, "a", Test::Gte(Bson::Null)), "{document}");
        assert!(!holds(&document, "a", Test::Ne(Bson::Null)), "{document}");
        assert!(
            !holds(&document, "a", Test::NotIn(vec![Bson::Null])),
            "{document}"
        );
    }
    assert!(!holds(&doc! { "a": [] }, "a", eq(Bson::Null)));
    // Below a scalar a field is missing; below an array of scalars there is nothing at all.
    assert!(holds(&doc! { "a": 1 }, "a.b", eq(Bson::Null)));
    assert!(!holds(&doc! { "a": [1] }, "a.b", eq(Bson::Null)));
    assert!(holds(&doc! { "a": [{}] }, "a.b", eq(Bson::Null)));
    assert!(!holds(&doc! {}, "a", Test::Gt(Bson::Null)));
}

#[test]
fn negations_match_missing_fields() {
    assert!(holds(&doc! {}, "a", Test::Ne(1.into())));
    assert!(holds(&doc! {}, "a", Test::NotIn(vec![1.into()])));
    assert!(!holds(&doc! { "a": [1, 2] }, "a", Test::Ne(1.into())));
    let negated = Node::Not(Box::new(Node::field("a", Test::Gt(1.into()))));
    assert!(matches(&negated, &raw(&doc! { "a": "text" })));
    assert!(matches(&negated, &raw(&doc! {})));
}

#[test]
fn existence_is_not_about_the_value() {
    assert!(holds(&doc! { "a": null }, "a", Test::Exists(true)));
    assert!(holds(&doc! { "a": [] }, "a", Test::Exists(true)));
    assert!(holds(&doc! {}, "a", Test::Exists(false)));
    assert!(holds(&doc! { "a": [{ "b": 1 }, {}] }, "a.b", Test::Exists(true)));
    assert!(holds(&doc! { "a": [1] }, "a.b", Test::Exists(false)));
}

#[test]
fn an_array_is_each_of_its_elements_and_the_whole() {
    let document = doc! { "a": [1, [2, 3]], "b": [{ "c": [4, 5] }, { "c": 6 }] };
    assert!(holds(&document, "a", eq(1)));
    assert!(holds(&document, "a", eq(vec![Bson::from(2), 3.into()])));
    assert!(holds(&document, "a", eq(vec![Bson::from(1), vec![2, 3].into()])));
    assert!(!holds(&document, "a", eq(2)));
    assert!(holds(&document, "b.c", eq(5)));
    assert!(holds(&document, "b.c", eq(6)));
    assert!(holds(&document, "b.c", eq(vec![4, 5])));
    // Different elements may satisfy the two ends of a range; in one element they must not.
    let range = |low: i32, high: i32| {
        Node::field("c", Test::Gt(low.into())).and(Node::field("c", Test::Lt(high.into())))
    };
    let apart = doc! { "c": [1, 9], "d": [{ "c": 1 }, { "c": 9 }] };
    assert!(matches(&range(3, 5), &raw(&apart)));
    assert!(!holds(&apart, "d", Test::ElemMatch(Box::new(range(3, 5)))));
    assert!(holds(&apart, "d", Test::ElemMatch(Box::new(range(0, 5)))));
}

#[test]
fn a_number_in_a_path_is_a_position_and_a_name() {
    let document = doc! { "a": [{ "b": 1 }, { "b": 2 }, [7, 8]], "c": { "0": 5 }, "d": [{ "0": 6 }] };
    assert!(holds(&document, "a.1.b", eq(2)));
    assert!(!holds(&document, "a.0.b", eq(2)));
    assert!(holds(&document, "a.2.1", eq(8)));
    assert!(!holds(&document, "a.01.b", eq(2)));
    assert!(holds(&document, "c.0", eq(5)));
    assert!(holds(&document, "d.0", eq(6)));
    assert!(holds(&document, "d.0", eq(doc! { "0": 6 })));
    // The element at the position is not expanded.
    assert!(!holds(&document, "a.2", eq(7)));
}

#[test]
fn comparisons_stay_within_a_type() {
    let document = doc! { "n": 5, "s": "5", "nan": f64::NAN, "d": "1.50".parse::<Decimal128>().unwrap() };
    assert!(holds(&document, "n", Test::Gt(4.5.into())));
    assert!(!holds(&document, "s", Test::Gt(4.into())));
    assert!(holds(&document, "d", eq(1.5)));
    assert!(holds(&document, "n", Test::Gt(Bson::MinKey)));
    assert!(holds(&doc! {}, "n", Test::Lt(Bson::MaxKey)));
    assert!(holds(&document, "nan", eq(f64::NAN)));
    assert!(holds(&document, "nan", Test::Gte(f64::NAN.into())));
    assert!(!holds(&document, "nan", Test::Lt(0.into())));
    assert!(holds(&doc! { "n": -0.0 }, "n", eq(0_i64)));
}

#[test]
fn a_prefix_is_of_strings() {
    let document = doc! { "a": "a.b[c", "l": [1, "xyz"], "n": 5 };
    assert!(holds(&document, "a", Test::StartsWith("a.b[".into())));
    assert!(!holds(&document, "a", Test::StartsWith("a.b.".into())));
    assert!(holds(&document, "l", Test::StartsWith("xy".into())));
    assert!(!holds(&document, "n", Test::StartsWith(String::new())));
}

#[test]
fn array_operators() {
    let document = doc! { "a": [1, 2, 2], "e": [], "n": 1, "s": [[{ "0": 1 }]] };
    assert!(holds(&document, "a", Test::Size(3)) && holds(&document, "e", Test::Size(0)));
    assert!(!holds(&document, "n", Test::Size(1)));
    assert!(holds(&document, "a", Test::All(vec![2.into(), 1.into()])));
    assert!(holds(&document, "n", Test::All(vec![1.into()])));
    assert!(!holds(&document, "a", Test::All(vec![])));
    assert!(!holds(&document, "a", Test::In(vec![])));
    // An array in the array counts as a document of its positions.
    let inner = Node::field("0.0", eq(1));
    assert!(holds(&document, "s", Test::ElemMatch(Box::new(inner))));
    assert!(!holds(
        &document,
        "a",
        Test::ElemMatch(Box::new(Node::Everything))
    ));
}

#[test]
fn documents_compare_field_by_field_in_order() {
    let document = doc! { "a": { "x": 1, "y": 2 } };
    assert!(holds(&document, "a", eq(doc! { "x": 1.0, "y": 2 })));
    assert!(!holds(&document, "a", eq(doc! { "y": 2, "x": 1 })));
    assert!(holds(&document, "a", Test::Gt(doc! { "x": 1 }.into())));
    assert!(holds(&document, "a", Test::Lt(doc! { "y": 1 }.into())));
    assert!(holds(&document, "a", Test::Lt(doc! { "b": "" }.into())));
}

#[test]
fn malformed_bytes_do_not_panic() {
    let bytes = raw(&doc! { "a": "text", "b": [1, { "c": 2 }] }).into_bytes();
    for position in 4..bytes.len() - 1 {
        for byte in [0, 1, 5, 0x7F, 0xFF] {
            let mut bytes = bytes.clone();
            bytes[position] = byte;
            let Ok(document) = RawDocumentBuf::from_bytes(bytes) else {
                continue;
            };
            let _ = matches(&Node::field("b.c", Test::Gt(1.into())), &document);
            let _ = index_keys(document.as_bytes(), &["a", "b.c"], false);
        }
    }
}

#[test]
fn the_order_of_types() {
    let ordered = [
        Bson::MinKey,
        Bson::Undefined,
        Bson::Null,
        Bson::Double(f64::NAN),
        Bson::Int32(-1),
        Bson::Double(1.5),
        Bson::String("a".into()),
        Bson::String("b".into()),
        doc! {}.into(),
        Bson::Array(vec![]),
        bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: vec![9],
        }
        .into(),
        bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: vec![0, 0],
        }
        .into(),
        bson::oid::ObjectId::from_bytes([0; 12]).into(),
        false.into(),
        true.into(),
        bson::DateTime::from_millis(-1).into(),
        bson::Timestamp {
            time: 0,
            increment: 0,
        }
        .into(),
        Bson::MaxKey,
    ];
    let documents: Vec<_> = ordered
        .iter()
        .map(|value| raw(&doc! { "v": value.clone() }))
        .collect();
    let value = |index: usize| documents[index].get("v").unwrap();
    for a in 0..documents.len() {
        for b in 0..documents.len() {
            assert_eq!(
                compare(value(a), value(b)),
                a.cmp(&b),
                "{:?} {:?}",
                ordered[a],
                ordered[b]
            );
        }
    }
    assert_eq!(compare(None, value(2)), Ordering::Equal);
}

#[test]
fn arrays_sort_by_their_least_or_greatest_element() {
    let keys = |direction| {
        vec![SortKey {
            path: "a".into(),
            direction,
            outside: false,
        }]
    };
    let order = |direction, a: &Document, b: &Document| {
        let (a, b, keys) = (raw(a), raw(b), keys(direction));
        order_by(
            &keys,
            &sort_key(a.as_bytes(), &keys).unwrap(),
            &sort_key(b.as_bytes(), &keys).unwrap(),
        )
    };
    let (low_high, middle) = (doc! { "a": [9, 1] }, doc! { "a": 5 });
    assert_eq!(order(Direction::Ascending, &low_high, &middle), Ordering::Less);
    assert_eq!(order(Direction::Descending, &low_high, &middle), Ordering::Less);
    assert_eq!(
        order(Direction::Ascending, &doc! { "a": [] }, &doc! {}),
        Ordering::Less
    );
    assert_eq!(
        order(Direction::Ascending, &doc! { "a": null }, &doc! {}),
        Ordering::Equal
    );
}

#[test]
fn index_keys_follow_one_array() {
    let document = raw(&doc! { "a": [{ "b": 1, "c": 2 }, { "b": 3 }], "d": [1], "e": [] });
    let count = |paths: &[&str]| index_keys(document.as_bytes(), paths, false).map(|keys| keys.len());
    assert_eq!(count(&["a.b", "a.c"]), Ok(2));
    assert_eq!(count(&["a.b", "d"]), Err(KeyError::ParallelArrays));
    assert_eq!(count(&["e", "x"]), Ok(1));
    assert_eq!(
        index_keys(document.as_bytes(), &["x", "y.z"], true).map(|keys| keys.len()),
        Ok(0)
    );
    let ambiguous = raw(&doc! { "a": [{ "0": 1 }] });
    assert_eq!(
        index_keys(ambiguous.as_bytes(), &["a.0"], false).err(),
        Some(KeyError::Ambiguous)
    );
}
