//! Random values of [`Everything`], and random documents.

use std::collections::{BTreeMap, HashMap};

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp};
use model_core::prelude::*;
use proptest::collection::{btree_map, hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use crate::model::{Email, Everything, Nested, Outer, Part, Shape, Status};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        Just(String::new()),
        Just("a\0b".to_owned()),
        "[a-z]{1,200}"
    ]
}

/// A key that a map takes.
fn key() -> impl Strategy<Value = String> {
    "[a-z0-9_ é-]{1,8}"
}

/// A date that chrono holds, in whole milliseconds.
fn date() -> impl Strategy<Value = DateTime<Utc>> {
    let (least, most) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    prop_oneof![
        least.timestamp_millis() + 1..most.timestamp_millis(),
        -1_000_i64..1_000,
        1_700_000_000_000_i64..1_800_000_000_000,
    ]
    .prop_map(|millis| DateTime::from_timestamp_millis(millis).unwrap())
}

fn decimal() -> impl Strategy<Value = Decimal128> {
    any::<[u8; 16]>().prop_map(Decimal128::from_bytes)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<u32>(), any::<u32>()).prop_map(|(time, increment)| Timestamp { time, increment })
}

fn regex() -> impl Strategy<Value = Regex> {
    ("[a-z^$.*\\[\\]é]{0,8}", "i?l?m?s?u?x?").prop_map(|(pattern, options)| Regex {
        pattern: pattern.try_into().unwrap(),
        options: options.try_into().unwrap(),
    })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
}

fn binary() -> impl Strategy<Value = Binary> {
    let subtype = prop_oneof![
        Just(BinarySubtype::Generic),
        Just(BinarySubtype::BinaryOld),
        Just(BinarySubtype::Uuid),
        Just(BinarySubtype::Sensitive),
        Just(BinarySubtype::UserDefined(0x80)),
    ];
    (subtype, bytes()).prop_map(|(subtype, bytes)| Binary { subtype, bytes })
}

/// Any BSON value but the deprecated `DbPointer`, which nobody can make.
pub(crate) fn dynamic() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![
        any::<f64>().prop_map(Bson::Double),
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-0.0)].prop_map(Bson::Double),
        text().prop_map(Bson::String),
        any::<bool>().prop_map(Bson::Boolean),
        Just(Bson::Null),
        Just(Bson::Undefined),
        any::<i32>().prop_map(Bson::Int32),
        any::<i64>().prop_map(Bson::Int64),
        any::<[u8; 12]>().prop_map(|bytes| ObjectId::from_bytes(bytes).into()),
        any::<i64>().prop_map(|millis| bson::DateTime::from_millis(millis).into()),
        decimal().prop_map(Bson::Decimal128),
        timestamp().prop_map(Bson::Timestamp),
        regex().prop_map(Bson::RegularExpression),
        binary().prop_map(Bson::Binary),
        text().prop_map(Bson::Symbol),
        text().prop_map(Bson::JavaScriptCode),
        text().prop_map(|code| JavaScriptCodeWithScope {
            code,
            scope: bson::doc! { "a": 1 }
        }
        .into()),
        Just(Bson::MinKey),
        Just(Bson::MaxKey),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Bson::Array),
            btree_map("[a-z.$_]{0,6}", inner, 0..4)
                .prop_map(|entries| Bson::Document(entries.into_iter().collect())),
        ]
    })
}

fn part() -> impl Strategy<Value = Part> {
    (any::<f64>(), option::of(date())).prop_map(|(weight, at)| Part { weight, at })
}

fn nested() -> impl Strategy<Value = Nested> {
    (any::<u32>(), option::of(text()), vec(option::of(part()), 0..3)).prop_map(
        |(max_size, label_text, parts)| Nested {
            max_size,
            label_text,
            parts,
        },
    )
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Nothing),
        (any::<f64>(), option::of(text())).prop_map(|(radius, note)| Shape::Circle { radius, note }),
        vec(text(), 0..3).prop_map(Shape::Tagged),
    ]
}

fn outer() -> impl Strategy<Value = Outer> {
    let more = btree_map(key(), vec(any::<i64>(), 0..3), 0..3);
    (text(), any::<i32>(), any::<f64>(), more).prop_map(|(name, a, b, more)| Outer {
        name,
        pair: (a, b),
        more,
    })
}

type Numbers = (i16, u16, i32, u32, i64, u64, f32, f64);
type Collections = (
    Vec<String>,
    Vec<Option<i32>>,
    Vec<Vec<u32>>,
    BTreeMap<String, i64>,
    HashMap<String, Option<f64>>,
);

fn numbers() -> impl Strategy<Value = Numbers> {
    (
        any::<i16>(),
        any::<u16>(),
        any::<i32>(),
        any::<u32>(),
        any::<i64>(),
        0..=u64::try_from(i64::MAX).unwrap(),
        any::<f32>(),
        any::<f64>(),
    )
}

fn collections() -> impl Strategy<Value = Collections> {
    (
        vec(text(), 0..13),
        vec(option::of(any::<i32>()), 0..4),
        vec(vec(any::<u32>(), 0..3), 0..3),
        btree_map(key(), any::<i64>(), 0..4),
        hash_map(key(), option::of(any::<f64>()), 0..4),
    )
}

/// Any value of the model.
pub(crate) fn everything() -> impl Strategy<Value = Everything> {
    let tenant = prop_oneof!["[a-z]{1,9}".prop_map(|name| TenantId::new(name).unwrap()),];
    let identity = (
        any::<[u8; 12]>(),
        tenant,
        any::<bool>(),
        any::<[u8; 12]>(),
        any::<[u8; 16]>(),
    );
    let scalars = (
        text(),
        date(),
        decimal(),
        timestamp(),
        bytes(),
        regex(),
        dynamic(),
    );
    let options = (
        option::of(text()),
        option::of(any::<i64>()),
        option::of(nested()),
        option::of(date()),
    );
    let embedded = (nested(), vec(nested(), 0..4), btree_map(key(), nested(), 0..3));
    let status = prop_oneof![
        Just(Status::Active),
        Just(Status::InReview),
        Just(Status::Deleted)
    ];
    let enums = (status, shape(), vec(shape(), 0..4), text(), outer(), date());
    (
        identity,
        numbers(),
        scalars,
        collections(),
        options,
        embedded,
        enums,
    )
        .prop_map(
            |(identity, numbers, scalars, collections, options, embedded, enums)| {
                let (id, tenant, flag, oid, uuid) = identity;
                let (small, port, int, count, long, big, single, double) = numbers;
                let (text, at, decimal, stamp, bytes, regex, any) = scalars;
                let (list, holes, rows, sorted, hashed) = collections;
                let (note, maybe, other, updated) = options;
                let (nested, many, by_name) = embedded;
                let (status, shape, shapes, email, foreign, created) = enums;
                Everything {
                    id: Id::parse(&ObjectId::from_bytes(id).to_hex()).unwrap(),
                    tenant,
                    flag,
                    small,
                    port,
                    int,
                    count,
                    long,
                    big,
                    single,
                    double,
                    text,
                    at,
                    oid: ObjectId::from_bytes(oid),
                    uuid: Uuid::from_bytes(uuid),
                    decimal,
                    stamp,
                    bytes: Bytes(bytes),
                    regex,
                    any,
                    note,
                    maybe,
                    list,
                    holes,
                    rows,
                    sorted,
                    hashed,
                    nested,
                    other,
                    many,
                    by_name,
                    status,
                    shape,
                    shapes,
                    email: Email(email),
                    foreign: Foreign(foreign),
                    created,
                    updated,
                    revision: Revision::default(),
                }
            },
        )
}

/// The document as another client may have stored it: the same meaning in other bytes.
///
/// `choices` decide, value by value: whole numbers as int, long or double where they fit; null for an absent option;
/// keys in another order; keys that no model knows.
pub(crate) fn disguise(document: &Document, choices: &mut impl FnMut(usize) -> usize) -> Document {
    /// Where the model declares what is inside; elsewhere the value itself is the meaning.
    const OPAQUE: [&str; 2] = ["any", "foreign"];
    let mut entries: Vec<(String, Bson)> = document
        .iter()
        .map(|(key, value)| {
            let value = if OPAQUE.contains(&key.as_str()) {
                value.clone()
            } else {
                disguised(value, key, choices)
            };
            (key.clone(), value)
        })
        .collect();
    for absent in ["note", "maybe", "other", "updated"] {
        if !document.contains_key(absent) && choices(2) == 0 {
            entries.push((
                absent.to_owned(),
                if choices(2) == 0 {
                    Bson::Null
                } else {
                    Bson::Undefined
                },
            ));
        }
    }
    shuffled(entries, choices)
}

fn shuffled(mut entries: Vec<(String, Bson)>, choices: &mut impl FnMut(usize) -> usize) -> Document {
    if choices(2) == 0 {
        for index in (1..entries.len()).rev() {
            entries.swap(index, choices(index + 1));
        }
    }
    for unknown in ["__v", "zz", "_rev"] {
        if choices(3) == 0 {
            let at = choices(entries.len() + 1);
            entries.insert(at, (unknown.to_owned(), Bson::Int64(7)));
        }
    }
    entries.into_iter().collect()
}

fn disguised(value: &Bson, key: &str, choices: &mut impl FnMut(usize) -> usize) -> Bson {
    match value {
        Bson::Int32(number) => whole(i64::from(*number), choices),
        Bson::Int64(number) => whole(*number, choices),
        Bson::Double(number) => fraction(*number, choices),
        Bson::Array(items) => {
            let items = items.iter().map(|item| disguised(item, key, choices));
            Bson::Array(items.collect())
        }
        // A map knows all its keys: their order is all that may differ.
        Bson::Document(inner) if ["sorted", "hashed", "by_name"].contains(&key) => {
            let entries = inner
                .iter()
                .map(|(key, value)| (key.clone(), disguised(value, "", choices)));
            let mut entries: Vec<_> = entries.collect();
            if choices(2) == 0 {
                entries.reverse();
            }
            Bson::Document(entries.into_iter().collect())
        }
        Bson::Document(inner) => {
            let entries = inner
                .iter()
                .map(|(key, value)| (key.clone(), disguised(value, key, choices)));
            let entries = entries.collect();
            Bson::Document(shuffled(entries, choices))
        }
        other => other.clone(),
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "checked by the way back"
)]
fn whole(number: i64, choices: &mut impl FnMut(usize) -> usize) -> Bson {
    let double = number as f64;
    match (choices(3), i32::try_from(number)) {
        (0, Ok(number)) => Bson::Int32(number),
        (1, _) if double < 9.2e18 && double as i64 == number => Bson::Double(double),
        _ => Bson::Int64(number),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "checked by the way back")]
fn fraction(number: f64, choices: &mut impl FnMut(usize) -> usize) -> Bson {
    let exact =
        number.fract() == 0.0 && number.abs() < 9.0e15 && !(number == 0.0 && number.is_sign_negative());
    match choices(3) {
        0 if exact => Bson::Int64(number as i64),
        1 if exact && i32::try_from(number as i64).is_ok() => Bson::Int32(number as i32),
        _ => Bson::Double(number),
    }
}
