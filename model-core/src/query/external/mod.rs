//! Filters and sort orders from outside: an allow-list, typed, within limits.
//!
//! What a model's fields declare with `filterable` and `sortable` can be asked, and nothing else. A key is a key of that
//! list or it is refused; a value is read as the field's type, and is a value whatever it looks like.

mod json;
mod operand;
mod query_string;

use std::borrow::Cow;

use bson::Bson;

use super::filter::{Node, Part, Test};
use super::sort::SortKey;
use super::text;
use crate::error::{Error, Violation};
use crate::schema::{Comparison, Direction, External, FieldSchema};

pub use operand::{Filterable, read_operand};
pub(crate) use query_string::Parts;

/// How deep `and`, `or` and `not` may nest.
const MAX_DEPTH: usize = 6;
/// The most comparisons, `and`s, `or`s and `not`s.
const MAX_NODES: usize = 64;
/// The most values of one `in` or `not_in`.
const MAX_VALUES: usize = 1_000;
/// The most bytes of a string.
const MAX_STRING: usize = 4 * 1_024;
/// The most bytes of a filter as JSON text.
const MAX_JSON: usize = 256 * 1_024;
/// The most bytes of a query string; many a web server takes less.
const MAX_QUERY: usize = 64 * 1_024;
/// The most keys of a sort order.
const MAX_SORT_KEYS: usize = 8;
/// The most bytes of a key of the caller's that an error repeats.
const MAX_ECHO: usize = 64;

/// The filter of a JSON object.
///
/// # Errors
/// `Invalid`, with the JSON pointer of what is refused and the rule, never the value.
pub(crate) fn filter(fields: &'static [FieldSchema], value: &serde_json::Value) -> Result<Node, Error> {
    json::filter(fields, value).map(Node::asked_outside)
}

/// As [`filter`], from text.
pub(crate) fn filter_text(fields: &'static [FieldSchema], text: &str) -> Result<Node, Error> {
    if text.len() > MAX_JSON {
        return Err(Error::violation("", "length", "is longer than 256 KiB"));
    }
    let value = serde_json::from_str(text).map_err(|error| {
        let place = format!("not JSON at line {}, column {}", error.line(), error.column());
        Error::violation("", "json", place)
    })?;
    filter(fields, &value)
}

/// Filter, sort order and limit of a query string.
///
/// # Errors
/// As [`filter`].
pub(crate) fn query_string(fields: &'static [FieldSchema], text: &str) -> Result<Parts, Error> {
    if text.len() > MAX_QUERY {
        return Err(Error::violation("", "length", "is longer than 64 KiB"));
    }
    query_string::parse(fields, text).map(|parts| Parts {
        filter: parts.filter.asked_outside(),
        ..parts
    })
}

/// A sort order as text: `-created_at,name`.
///
/// # Errors
/// As [`filter`].
pub(crate) fn sort(fields: &'static [FieldSchema], text: &str) -> Result<Vec<SortKey>, Error> {
    let refuse = |rule, message: &'static str| Err(Error::violation("/sort", rule, message));
    if text.split(',').nth(MAX_SORT_KEYS).is_some() {
        return refuse("sort", "has more than 8 keys");
    }
    let mut keys: Vec<SortKey> = Vec::new();
    for part in text.split(',') {
        let (name, direction) = match part.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (part, Direction::Ascending),
        };
        let Some((path, _)) = find(fields, name).filter(|(_, field)| field.sortable) else {
            return refuse("unknown", "there is no such field to sort by");
        };
        if keys.iter().any(|key| key.path == path) {
            return refuse("sort", "names a field twice");
        }
        keys.push(SortKey {
            path: Cow::Owned(path),
            direction,
            outside: true,
        });
    }
    Ok(keys)
}

/// The stored path and the declaration of a field, by its dotted JSON path. What is hidden, or lies in what is hidden, is
/// not there.
fn find(fields: &'static [FieldSchema], path: &str) -> Option<(String, &'static FieldSchema)> {
    let mut stored = String::new();
    let mut fields = fields;
    let mut names = path.split('.');
    let mut name = names.next()?;
    loop {
        let field = fields.iter().find(|field| field.json == name && !field.hidden)?;
        stored.push_str(field.stored);
        match names.next() {
            None => return Some((stored, field)),
            Some(next) => {
                stored.push('.');
                name = next;
                fields = field.ty.inner_fields();
            }
        }
    }
}

/// Where in the input, as a JSON pointer (RFC 6901). It repeats keys, which are the caller's own: not more than begins
/// them.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    key: &'a str,
}

impl<'a> Place<'a> {
    const ROOT: Self = Self { outer: None, key: "" };

    fn at(&'a self, key: &'a str) -> Self {
        Self {
            outer: Some(self),
            key,
        }
    }

    fn pointer(&self) -> String {
        let Some(outer) = self.outer else {
            return String::new();
        };
        let end = self.key.floor_char_boundary(MAX_ECHO);
        let key = self.key.get(..end).unwrap_or_default();
        format!(
            "{}/{}",
            outer.pointer(),
            key.replace('~', "~0").replace('/', "~1")
        )
    }

    #[cold]
    fn refuse<T>(&self, rule: &'static str, message: impl Into<Cow<'static, str>>) -> Result<T, Error> {
        Err(Error::invalid(vec![Violation::new(
            self.pointer(),
            rule,
            message,
        )]))
    }
}

/// Counts what a filter is made of.
#[derive(Debug, Default)]
struct Budget {
    nodes: usize,
}

impl Budget {
    fn take(&mut self, place: &Place<'_>) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return place.refuse("nodes", "the filter has more than 64 parts");
        }
        Ok(())
    }
}

/// A field that may be asked about, found by its JSON path.
struct Asked {
    path: String,
    field: &'static FieldSchema,
    external: &'static External,
}

impl Asked {
    /// The field with this JSON path, if filters from outside may name it.
    fn find(fields: &'static [FieldSchema], name: &str, place: &Place<'_>) -> Result<Self, Error> {
        match find(fields, name) {
            Some((
                path,
                field @ FieldSchema {
                    external: Some(external),
                    ..
                },
            )) => Ok(Self {
                path,
                field,
                external,
            }),
            _ => place.refuse("unknown", "there is no such field to filter by"),
        }
    }

    /// The comparison that is called so, if the field allows it.
    fn comparison(&self, name: &str, place: &Place<'_>) -> Result<Comparison, Error> {
        match Comparison::named(name) {
            Some(comparison) if self.external.comparisons.contains(&comparison) => Ok(comparison),
            _ => place.refuse("comparison", "the field cannot be compared so"),
        }
    }

    fn node(self, test: Test) -> Node {
        Node::field(self.path, test)
    }

    /// One scalar, as the field's type.
    fn operand(&self, value: &serde_json::Value, place: &Place<'_>) -> Result<Bson, Error> {
        scalar(value, place)?;
        match (self.external.operand)(self.field, value.clone()) {
            Ok(operand) => Ok(operand),
            Err(expected) => place.refuse("type", expected),
        }
    }

    /// Compares with one scalar.
    fn test(
        &self,
        comparison: Comparison,
        value: &serde_json::Value,
        place: &Place<'_>,
    ) -> Result<Test, Error> {
        Ok(match comparison {
            Comparison::Eq => Test::Eq(self.operand(value, place)?),
            Comparison::Ne => Test::Ne(self.operand(value, place)?),
            Comparison::Gt => Test::Gt(self.operand(value, place)?),
            Comparison::Gte => Test::Gte(self.operand(value, place)?),
            Comparison::Lt => Test::Lt(self.operand(value, place)?),
            Comparison::Lte => Test::Lte(self.operand(value, place)?),
            Comparison::Exists => match value {
                serde_json::Value::Bool(true) => Test::Ne(Bson::Null),
                serde_json::Value::Bool(false) => Test::Eq(Bson::Null),
                _ => return place.refuse("type", "expected a boolean"),
            },
            Comparison::StartsWith
            | Comparison::EqIgnoreCase
            | Comparison::StartsWithIgnoreCase
            | Comparison::ContainsIgnoreCase => {
                scalar(value, place)?;
                let serde_json::Value::String(wanted) = value else {
                    return place.refuse("type", "expected a string");
                };
                let (normalise, wanted) = (self.field.normalise, wanted.clone());
                let asks = match comparison {
                    Comparison::EqIgnoreCase => text::whole(normalise, wanted),
                    Comparison::StartsWithIgnoreCase => text::ignoring_case(normalise, Part::Start, wanted),
                    Comparison::ContainsIgnoreCase => text::ignoring_case(normalise, Part::Any, wanted),
                    _ => text::starts_with(normalise, wanted),
                };
                match asks {
                    Some(asks) => asks,
                    None => return place.refuse("length", "is too long, or has a NUL character"),
                }
            }
            Comparison::In => Test::In(vec![self.operand(value, place)?]),
            Comparison::NotIn => Test::NotIn(vec![self.operand(value, place)?]),
        })
    }

    /// Compares with each of several scalars.
    fn test_all<'v>(
        &self,
        comparison: Comparison,
        values: impl ExactSizeIterator<Item = &'v serde_json::Value>,
        place: &Place<'_>,
    ) -> Result<Test, Error> {
        if values.len() > MAX_VALUES {
            return place.refuse("values", "has more than 1000 values");
        }
        let operands = values
            .enumerate()
            .map(|(index, value)| self.operand(value, &place.at(&index.to_string())))
            .collect::<Result<_, _>>()?;
        Ok(match comparison {
            Comparison::NotIn => Test::NotIn(operands),
            _ => Test::In(operands),
        })
    }
}

/// A single value, neither an array nor an object, nor too long.
fn scalar(value: &serde_json::Value, place: &Place<'_>) -> Result<(), Error> {
    use serde_json::Value;
    match value {
        Value::Array(_) | Value::Object(_) => place.refuse("scalar", "expected a single value"),
        Value::Null => place.refuse("scalar", "null is no value: ask `exists`"),
        Value::String(text) if text.len() > MAX_STRING => place.refuse("length", "is longer than 4 KiB"),
        _ => Ok(()),
    }
}
