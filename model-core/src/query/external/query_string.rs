//! The grammar of query strings: `?status=active&created_at[gte]=2026-01-01T00:00:00Z&tag[in]=a,b&sort=-created_at&limit=20`.

use std::borrow::Cow;

use serde_json::Value;

use super::{Asked, Budget, MAX_STRING, MAX_VALUES, Place, sort};
use crate::error::Error;
use crate::query::filter::Node;
use crate::query::sort::SortKey;
use crate::schema::{Comparison, FieldSchema, TypeSchema};

/// What a query string asks for.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) filter: Node,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<String>,
}

/// Reads pairs as a form sends them; a leading `?` is no part of them.
pub(super) fn parse(fields: &'static [FieldSchema], text: &str) -> Result<Parts, Error> {
    let mut parts = Parts {
        filter: Node::Everything,
        sort: Vec::new(),
        limit: None,
        after: None,
    };
    let mut budget = Budget::default();
    let mut seen: Vec<Cow<'_, str>> = Vec::new();
    for pair in text
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(key) = decoded(key) else {
            return Place::ROOT.refuse("encoding", "a key is not percent-encoded UTF-8");
        };
        let (path, comparison) = match key.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            Some((path, comparison)) => (path, Some(comparison)),
            None => (&*key, None),
        };
        let outer = Place::ROOT.at(path);
        let place = comparison.map_or(outer, |comparison| outer.at(comparison));
        budget.take(&place)?;
        if seen.contains(&key) {
            return place.refuse("repeated", "stands there twice");
        }
        let one = || {
            // Encoded, a byte takes three.
            if value.len() > 3 * MAX_STRING {
                return place.refuse("length", "is longer than 4 KiB");
            }
            match decoded(value) {
                Some(text) => Ok(text),
                None => place.refuse("encoding", "is not percent-encoded UTF-8"),
            }
        };
        match (path, comparison) {
            ("sort", None) => parts.sort = sort(fields, &one()?)?,
            ("after", None) => parts.after = Some(one()?.into_owned()),
            ("limit", None) => match one()?.parse() {
                // 0 means no limit to a server.
                Ok(limit) if limit > 0 => parts.limit = Some(limit),
                _ => return place.refuse("limit", "expected a whole number from 1 on"),
            },
            _ => {
                let asked = Asked::find(fields, path, &outer)?;
                let comparison = asked.comparison(comparison.unwrap_or("eq"), &place)?;
                let asks = match comparison {
                    Comparison::In | Comparison::NotIn => {
                        let values = list(&asked, value, &place)?;
                        asked.test_all(comparison, values.iter(), &place)?
                    }
                    Comparison::Exists => asked.test(comparison, &boolean(&one()?), &place)?,
                    comparison if comparison.is_of_text() => {
                        asked.test(comparison, &Value::String(one()?.into_owned()), &place)?
                    }
                    _ => asked.test(comparison, &typed(&asked.field.ty, one()?), &place)?,
                };
                parts.filter = parts.filter.and(asked.node(asks));
            }
        }
        seen.push(key);
    }
    Ok(parts)
}

/// `a,b`: an encoded comma (`%2C`) is part of a value.
fn list(asked: &Asked, value: &str, place: &Place<'_>) -> Result<Vec<Value>, Error> {
    if value.split(',').nth(MAX_VALUES).is_some() {
        return place.refuse("values", "has more than 1000 values");
    }
    value
        .split(',')
        .map(|part| match decoded(part) {
            Some(text) => Ok(typed(&asked.field.ty, text)),
            None => place.refuse("encoding", "is not percent-encoded UTF-8"),
        })
        .collect()
}

/// The text as JSON would have it: all is text in a query string, and the field's type tells numbers and booleans.
fn typed(ty: &TypeSchema, text: Cow<'_, str>) -> Value {
    match ty {
        TypeSchema::Optional(inner) | TypeSchema::Array(inner) => typed(inner, text),
        TypeSchema::Bool => boolean(&text),
        TypeSchema::Int16
        | TypeSchema::Uint16
        | TypeSchema::Int32
        | TypeSchema::Uint32
        | TypeSchema::Int64
        | TypeSchema::Uint64
        | TypeSchema::Single
        | TypeSchema::Double => serde_json::from_str(&text)
            .ok()
            .filter(Value::is_number)
            .unwrap_or_else(|| Value::String(text.into_owned())),
        _ => Value::String(text.into_owned()),
    }
}

fn boolean(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        other => Value::String(other.to_owned()),
    }
}

/// What a part of a query string stands for; none if it is not UTF-8, percent-encoded.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
