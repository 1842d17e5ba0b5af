//! Whether two descriptions are of the same index.
//!
//! Whole descriptions are compared, key by key in both directions. Nothing is ignored but what is listed here, so an
//! option that this crate has never heard of is a difference.

use bson::{Bson, Document, doc};

/// What says nothing about an index: its format, where it lives, how it was built, what it is called.
const IGNORED: [&str; 6] = [
    "v",
    "ns",
    "background",
    "name",
    "textIndexVersion",
    "2dsphereIndexVersion",
];

/// Options that are off where they are absent.
const FLAGS: [&str; 3] = ["unique", "sparse", "hidden"];

/// Options that are documents in which order says nothing.
const UNORDERED: [&str; 4] = [
    "partialFilterExpression",
    "weights",
    "collation",
    "wildcardProjection",
];

/// The options in which two descriptions differ; `key` is one of them.
pub(super) fn differences(a: &Document, b: &Document) -> Vec<String> {
    let (a, b) = (normal(a), normal(b));
    let mut differs: Vec<String> = a
        .iter()
        .filter(|(option, value)| !same_option(option, Some(value), b.get(*option)))
        .map(name)
        .collect();
    differs.extend(b.iter().filter(|(option, _)| !a.contains_key(*option)).map(name));
    differs
}

/// Whether the two have the same keys, in the same order and directions.
pub(super) fn same_key(a: &Document, b: &Document) -> bool {
    same(normal(a).get("key"), normal(b).get("key"))
}

/// Whether the index holds the words of texts.
pub(super) fn is_text(index: &Document) -> bool {
    index
        .get_document("key")
        .is_ok_and(|key| key.iter().any(|(_, value)| value.as_str() == Some("text")))
}

/// Whether one option is the same in both.
pub(super) fn same_in(a: &Document, b: &Document, option: &str) -> bool {
    same_option(option, normal(a).get(option), normal(b).get(option))
}

/// A whole number of whatever numeric type.
pub(super) fn whole(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        other => match number(other)? {
            Number::Whole(number) => i64::try_from(number).ok(),
            Number::Fraction(_) => None,
        },
    }
}

fn name((option, _): (&String, &Bson)) -> String {
    option.clone()
}

fn same_option(option: &str, a: Option<&Bson>, b: Option<&Bson>) -> bool {
    match (a, b) {
        (Some(Bson::Document(a)), Some(Bson::Document(b))) if UNORDERED.contains(&option) => {
            a.len() == b.len() && a.iter().all(|(key, value)| same(Some(value), b.get(key)))
        }
        (a, b) => same(a, b),
    }
}

fn same(a: Option<&Bson>, b: Option<&Bson>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => same_value(a, b),
        _ => false,
    }
}

/// Whether two values mean the same, whatever types their numbers have.
pub(super) fn same_value(a: &Bson, b: &Bson) -> bool {
    match (a, b) {
        (Bson::Document(a), Bson::Document(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((ka, a), (kb, b))| ka == kb && same_value(a, b))
        }
        (Bson::Array(a), Bson::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b))
        }
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// A number by its value: shells write doubles where drivers write integers.
#[derive(PartialEq)]
enum Number {
    Whole(i128),
    Fraction(f64),
}

fn number(value: &Bson) -> Option<Number> {
    match value {
        Bson::Int32(number) => Some(Number::Whole(i128::from(*number))),
        Bson::Int64(number) => Some(Number::Whole(i128::from(*number))),
        Bson::Double(number) => Some(double(*number)),
        Bson::Decimal128(number) => number.to_string().parse().ok().map(double),
        _ => None,
    }
}

fn double(number: f64) -> Number {
    // Printing a whole double gives its exact digits.
    let whole = if number.fract() == 0.0 {
        format!("{number:.0}").parse().ok()
    } else {
        None
    };
    whole.map_or(Number::Fraction(number), Number::Whole)
}

/// The description without what says nothing, and with what the server fills in by itself made equal.
fn normal(index: &Document) -> Document {
    let mut normal = Document::new();
    for (option, value) in index {
        if IGNORED.contains(&option.as_str()) {
            continue;
        }
        if FLAGS.contains(&option.as_str()) {
            if is_on(value) {
                normal.insert(option.clone(), true);
            }
            continue;
        }
        match (option.as_str(), value) {
            ("collation", Bson::Document(collation)) => {
                if let Some(collation) = normal_collation(collation) {
                    normal.insert("collation", collation);
                }
            }
            _ => {
                normal.insert(option.clone(), value.clone());
            }
        }
    }
    normal_text(&mut normal);
    normal
}

fn is_on(value: &Bson) -> bool {
    match value {
        Bson::Boolean(on) => *on,
        Bson::Null | Bson::Undefined => false,
        other => number(other).is_none_or(|number| number != Number::Whole(0)),
    }
}

/// A collation without the parts that the server fills in; none if it is the plain comparison of bytes.
fn normal_collation(collation: &Document) -> Option<Document> {
    let locale = collation.get_str("locale").unwrap_or_default();
    if locale == "simple" {
        return None;
    }
    let filled_in = filled_in(locale);
    let parts = collation.iter().filter(|(part, value)| {
        part.as_str() != "version"
            && !filled_in
                .get(part.as_str())
                .is_some_and(|filled| same_value(filled, value))
    });
    Some(parts.map(|(part, value)| (part.clone(), value.clone())).collect())
}

/// Locales whose strings are normalised unless something else is said.
const NORMALISED: [&str; 24] = [
    "as", "bn", "my", "el", "gu", "he", "hi", "ig", "kn", "km", "kok", "mr", "or", "ps", "fa", "fa_AF", "pa",
    "si", "ta", "te", "th", "vi", "yi", "yo",
];

/// What the server says of a collation about which only the locale was said.
fn filled_in(locale: &str) -> Document {
    doc! {
        "caseLevel": false,
        "caseFirst": if matches!(locale, "da" | "mt") { "upper" } else { "off" },
        "strength": 3,
        "numericOrdering": false,
        "alternate": if locale == "th" { "shifted" } else { "non-ignorable" },
        "maxVariable": "punct",
        "normalization": NORMALISED.contains(&locale),
        "backwards": locale == "fr_CA",
    }
}

/// A text index in the server's own form: the text keys as `_fts` and `_ftsx`, the fields and weights apart.
fn normal_text(index: &mut Document) {
    let Ok(key) = index.get_document("key") else {
        return;
    };
    let is_text = |value: &Bson| value.as_str() == Some("text");
    if !self::is_text(index) {
        return;
    }
    if !key.contains_key("_fts") {
        let mut weights = index.get_document("weights").cloned().unwrap_or_default();
        let mut server = Document::new();
        for (path, value) in key {
            if is_text(value) {
                weights.entry(path.clone()).or_insert(Bson::Int32(1));
                server.insert("_fts", "text");
                server.insert("_ftsx", 1);
            } else {
                server.insert(path.clone(), value.clone());
            }
        }
        index.insert("key", server);
        index.insert("weights", weights);
    }
    index
        .entry("default_language".to_owned())
        .or_insert(Bson::from("english"));
    index
        .entry("language_override".to_owned())
        .or_insert(Bson::from("language"));
}
