//! What a dotted path reaches in a document: the server's rules for arrays on the way and at the end.

use super::value::{Fields, Value};
use crate::codec::{Elements, RawValue, tag};

/// What an array at the end of a path stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Each of its elements, and the whole.
    EachAndWhole,
    /// The whole only.
    Whole,
}

/// Hands what `path` reaches to `test` until it says yes; `None` stands for a missing field.
pub(super) fn any<'a>(
    fields: Fields<'a>,
    path: &str,
    leaf: Leaf,
    test: &mut dyn FnMut(Option<Value<'a>>) -> bool,
) -> bool {
    let (name, rest) = split(path);
    match (fields.get(name), rest) {
        (Some(Value::Document(inner)), Some(rest)) => any(inner, rest, leaf, test),
        (Some(Value::Array(items)), Some(rest)) => any_in_array(items, rest, leaf, test),
        (Some(whole @ Value::Array(items)), None) if leaf == Leaf::EachAndWhole => {
            items.iter().any(|(_, item)| test(Some(item))) || test(Some(whole))
        }
        (found, None) => test(found),
        // A scalar in the middle of the path: the field is missing.
        (_, Some(_)) => test(None),
    }
}

/// The part of a path that lies beyond an array: inside each document of it, and, if the next name is a number, at
/// that position too. An array without anything for the path reaches nothing, not even a missing field.
fn any_in_array<'a>(
    items: Fields<'a>,
    path: &str,
    leaf: Leaf,
    test: &mut dyn FnMut(Option<Value<'a>>) -> bool,
) -> bool {
    let (name, rest) = split(path);
    let position = position(name);
    items.iter().enumerate().any(|(index, (_, item))| {
        let here = position == Some(index);
        match (item, rest) {
            (Value::Document(inner), _) if any(inner, path, leaf, test) => true,
            (_, None) => here && test(Some(item)),
            (Value::Document(inner), Some(rest)) => here && any(inner, rest, leaf, test),
            (Value::Array(inner), Some(rest)) => here && any_in_array(inner, rest, leaf, test),
            _ => false,
        }
    })
}

/// The position that a name stands for in an array; `01` is a name only.
fn position(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (name == "0" || !name.starts_with('0'));
    if canonical { name.parse().ok() } else { None }
}

/// Hands every value that `path` reaches in a stored document to `each`: of an array, every element.
pub(crate) fn each_value<'a>(document: &'a [u8], path: &str, each: &mut dyn FnMut(RawValue<'a>)) {
    let (name, rest) = split(path);
    let Ok(mut elements) = Elements::new(document) else {
        return;
    };
    while let Ok(Some((key, value))) = elements.next() {
        if key == name {
            return below(value, rest, each);
        }
    }
}

fn below<'a>(value: RawValue<'a>, rest: Option<&str>, each: &mut dyn FnMut(RawValue<'a>)) {
    match (value.tag, rest) {
        (tag::ARRAY, rest) => {
            let Ok(mut items) = Elements::new(value.bytes) else {
                return;
            };
            while let Ok(Some(item)) = items.next_value() {
                below(item, rest, each);
            }
        }
        (tag::DOCUMENT, Some(rest)) => each_value(value.bytes, rest, each),
        (_, None) => each(value),
        (_, Some(_)) => {}
    }
}

/// The first name of a path, and the rest.
pub(super) fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    }
}
