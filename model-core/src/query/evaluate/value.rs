//! Stored values and operands under one roof, and the server's order of them.

use std::cmp::Ordering;

use bson::spec::BinarySubtype;
use bson::{Bson, RawBsonRef};

use super::number::{Decimal, Number};
use crate::codec::{Elements, RawValue, tag};

/// A BSON value, borrowed: from a stored document or from a filter's operand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    MinKey,
    Undefined,
    Null,
    Number(Number),
    /// A string or a symbol.
    Text(&'a [u8]),
    Document(Fields<'a>),
    Array(Fields<'a>),
    /// `length` is the stored one, which in the obsolete subtype 2 counts an inner length too.
    Binary {
        length: usize,
        subtype: u8,
        bytes: &'a [u8],
    },
    ObjectId([u8; 12]),
    Bool(bool),
    Date(i64),
    /// Seconds, and the counter within them.
    Timestamp(u32, u32),
    Regex {
        pattern: &'a [u8],
        options: &'a [u8],
    },
    Pointer(&'a [u8]),
    Code(&'a [u8]),
    ScopedCode(&'a [u8], Fields<'a>),
    MaxKey,
}

const OLD_BINARY: u8 = 2;

impl<'a> Value<'a> {
    /// The place of the value's type in the order of types, as the server numbers them.
    fn rank(self) -> i8 {
        match self {
            Self::MinKey => -1,
            Self::Undefined => 0,
            Self::Null => 5,
            Self::Number(_) => 10,
            Self::Text(_) => 15,
            Self::Document(_) => 20,
            Self::Array(_) => 25,
            Self::Binary { .. } => 30,
            Self::ObjectId(_) => 35,
            Self::Bool(_) => 40,
            Self::Date(_) => 45,
            Self::Timestamp(..) => 47,
            Self::Regex { .. } => 50,
            Self::Pointer(_) => 55,
            Self::Code(_) => 60,
            Self::ScopedCode(..) => 65,
            Self::MaxKey => 127,
        }
    }

    /// Whether two values are of types that compare by value.
    pub(super) fn is_akin(self, other: Self) -> bool {
        self.rank() == other.rank()
    }

    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }

    pub(super) fn is_nan(self) -> bool {
        matches!(self, Self::Number(number) if number.is_nan())
    }

    /// The server's order of all values.
    pub(super) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.order(b),
            (Self::Text(a), Self::Text(b)) | (Self::Code(a), Self::Code(b)) => a.cmp(b),
            (Self::Pointer(a), Self::Pointer(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Self::ObjectId(a), Self::ObjectId(b)) => a.cmp(&b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(&b),
            (Self::Date(a), Self::Date(b)) => a.cmp(&b),
            (Self::Timestamp(a, i), Self::Timestamp(b, j)) => (a, i).cmp(&(b, j)),
            (Self::Document(a), Self::Document(b)) => a.order(b, Names::Count),
            (Self::Array(a), Self::Array(b)) => a.order(b, Names::Ignored),
            (
                Self::Binary {
                    length,
                    subtype,
                    bytes,
                },
                Self::Binary {
                    length: other_length,
                    subtype: other_subtype,
                    bytes: other_bytes,
                },
            ) => (length, subtype, bytes).cmp(&(other_length, other_subtype, other_bytes)),
            (
                Self::Regex { pattern, options },
                Self::Regex {
                    pattern: other_pattern,
                    options: other_options,
                },
            ) => (pattern, options).cmp(&(other_pattern, other_options)),
            (Self::ScopedCode(a, scope), Self::ScopedCode(b, other_scope)) => {
                a.cmp(b).then_with(|| scope.order(other_scope, Names::Count))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn binary(subtype: u8, stored: &'a [u8]) -> Self {
        let bytes = if subtype == OLD_BINARY {
            stored.get(4..).unwrap_or_default()
        } else {
            stored
        };
        Self::Binary {
            length: stored.len(),
            subtype,
            bytes,
        }
    }

    fn binary_content(subtype: BinarySubtype, bytes: &'a [u8]) -> Self {
        let inner_length = if subtype == BinarySubtype::BinaryOld { 4 } else { 0 };
        Self::Binary {
            length: bytes.len() + inner_length,
            subtype: subtype.into(),
            bytes,
        }
    }

    /// The value that `raw` holds; none if its bytes are malformed.
    fn parse(raw: RawValue<'a>) -> Option<Self> {
        let bytes = raw.bytes;
        Some(match raw.tag {
            tag::DOUBLE => Self::Number(Number::Double(f64::from_le_bytes(bytes.try_into().ok()?))),
            tag::INT32 => Self::Number(Number::Int(i32::from_le_bytes(bytes.try_into().ok()?).into())),
            tag::INT64 => Self::Number(Number::Int(i64::from_le_bytes(bytes.try_into().ok()?))),
            tag::DECIMAL128 => Self::Number(Number::Decimal(Decimal::from_bytes(bytes.try_into().ok()?))),
            tag::STRING | tag::SYMBOL => Self::Text(text(bytes)?),
            tag::DOCUMENT => Self::Document(Fields::raw(bytes)),
            tag::ARRAY => Self::Array(Fields::raw(bytes)),
            tag::BINARY => {
                let (&subtype, stored) = bytes.get(4..)?.split_first()?;
                Self::binary(subtype, stored)
            }
            tag::OBJECT_ID => Self::ObjectId(bytes.try_into().ok()?),
            tag::BOOL => Self::Bool(bytes != [0]),
            tag::DATE => Self::Date(i64::from_le_bytes(bytes.try_into().ok()?)),
            tag::TIMESTAMP => {
                let (increment, time) = bytes.split_first_chunk::<4>()?;
                Self::Timestamp(
                    u32::from_le_bytes(time.try_into().ok()?),
                    u32::from_le_bytes(*increment),
                )
            }
            tag::UNDEFINED => Self::Undefined,
            tag::NULL => Self::Null,
            tag::REGEX => {
                let mut parts = bytes.split(|byte| *byte == 0);
                Self::Regex {
                    pattern: parts.next()?,
                    options: parts.next()?,
                }
            }
            tag::DB_POINTER => Self::Pointer(bytes),
            tag::JAVASCRIPT => Self::Code(text(bytes)?),
            tag::JAVASCRIPT_SCOPE => {
                let rest = bytes.get(4..)?;
                let length = usize::try_from(i32::from_le_bytes(*rest.first_chunk()?)).ok()?;
                let (code, scope) = rest.split_at_checked(length.checked_add(4)?)?;
                Self::ScopedCode(text(code)?, Fields::raw(scope))
            }
            tag::MIN_KEY => Self::MinKey,
            tag::MAX_KEY => Self::MaxKey,
            _ => return None,
        })
    }
}

/// The bytes of a string after its length and before its NUL.
fn text(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(4..)?.split_last().map(|(_, text)| text)
}

impl<'a> From<RawValue<'a>> for Value<'a> {
    fn from(raw: RawValue<'a>) -> Self {
        Self::parse(raw).unwrap_or(Self::Undefined)
    }
}

impl<'a> From<RawBsonRef<'a>> for Value<'a> {
    fn from(value: RawBsonRef<'a>) -> Self {
        match value {
            RawBsonRef::Double(number) => Self::Number(Number::Double(number)),
            RawBsonRef::Int32(number) => Self::Number(Number::Int(number.into())),
            RawBsonRef::Int64(number) => Self::Number(Number::Int(number)),
            RawBsonRef::Decimal128(number) => {
                Self::Number(Number::Decimal(Decimal::from_bytes(number.bytes())))
            }
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Self::Text(text.as_bytes()),
            RawBsonRef::Document(document) => Self::Document(Fields::raw(document.as_bytes())),
            RawBsonRef::Array(array) => Self::Array(Fields::raw(array.as_bytes())),
            RawBsonRef::Binary(binary) => Self::binary_content(binary.subtype, binary.bytes),
            RawBsonRef::ObjectId(id) => Self::ObjectId(id.bytes()),
            RawBsonRef::Boolean(flag) => Self::Bool(flag),
            RawBsonRef::DateTime(date) => Self::Date(date.timestamp_millis()),
            RawBsonRef::Timestamp(timestamp) => Self::Timestamp(timestamp.time, timestamp.increment),
            RawBsonRef::Null => Self::Null,
            RawBsonRef::Undefined => Self::Undefined,
            RawBsonRef::RegularExpression(regex) => Self::Regex {
                pattern: regex.pattern.as_str().as_bytes(),
                options: regex.options.as_str().as_bytes(),
            },
            RawBsonRef::JavaScriptCode(code) => Self::Code(code.as_bytes()),
            RawBsonRef::JavaScriptCodeWithScope(code) => {
                Self::ScopedCode(code.code.as_bytes(), Fields::raw(code.scope.as_bytes()))
            }
            // The `bson` crate shows nothing of what is inside.
            RawBsonRef::DbPointer(_) => Self::Pointer(&[]),
            RawBsonRef::MinKey => Self::MinKey,
            RawBsonRef::MaxKey => Self::MaxKey,
        }
    }
}

impl<'a> From<&'a Bson> for Value<'a> {
    fn from(value: &'a Bson) -> Self {
        match value {
            Bson::Double(number) => Self::Number(Number::Double(*number)),
            Bson::Int32(number) => Self::Number(Number::Int((*number).into())),
            Bson::Int64(number) => Self::Number(Number::Int(*number)),
            Bson::Decimal128(number) => Self::Number(Number::Decimal(Decimal::from_bytes(number.bytes()))),
            Bson::String(text) | Bson::Symbol(text) => Self::Text(text.as_bytes()),
            Bson::Document(document) => Self::Document(Fields::Document(document)),
            Bson::Array(items) => Self::Array(Fields::Items(items)),
            Bson::Binary(binary) => Self::binary_content(binary.subtype, &binary.bytes),
            Bson::ObjectId(id) => Self::ObjectId(id.bytes()),
            Bson::Boolean(flag) => Self::Bool(*flag),
            Bson::DateTime(date) => Self::Date(date.timestamp_millis()),
            Bson::Timestamp(timestamp) => Self::Timestamp(timestamp.time, timestamp.increment),
            Bson::Null => Self::Null,
            Bson::Undefined => Self::Undefined,
            Bson::RegularExpression(regex) => Self::Regex {
                pattern: regex.pattern.as_str().as_bytes(),
                options: regex.options.as_str().as_bytes(),
            },
            Bson::JavaScriptCode(code) => Self::Code(code.as_bytes()),
            Bson::JavaScriptCodeWithScope(code) => {
                Self::ScopedCode(code.code.as_bytes(), Fields::Document(&code.scope))
            }
            Bson::DbPointer(_) => Self::Pointer(&[]),
            Bson::MinKey => Self::MinKey,
            Bson::MaxKey => Self::MaxKey,
        }
    }
}

/// Whether the names of fields take part in a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Count,
    Ignored,
}

/// The elements of a document or of an array.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fields<'a> {
    Raw(Elements<'a>),
    Document(&'a bson::Document),
    Items(&'a [Bson]),
}

impl<'a> Fields<'a> {
    /// Malformed bytes have no fields.
    pub(super) fn raw(bytes: &'a [u8]) -> Self {
        Elements::new(bytes).map_or(Self::Items(&[]), Self::Raw)
    }

    /// The first field with that name.
    pub(super) fn get(self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Document(document) => document.get(name).map(Value::from),
            Self::Items(items) => items.get(name.parse::<usize>().ok()?).map(Value::from),
            Self::Raw(mut elements) => {
                while let Ok(Some((key, value))) = elements.next() {
                    if key == name {
                        return Some(value.into());
                    }
                }
                None
            }
        }
    }

    /// Names and values; the name is empty in an operand's array, where it does not count.
    pub(super) fn iter(self) -> FieldsIter<'a> {
        match self {
            Self::Raw(elements) => FieldsIter::Raw(elements),
            Self::Document(document) => FieldsIter::Document(document.iter()),
            Self::Items(items) => FieldsIter::Items(items.iter()),
        }
    }

    fn order(self, other: Self, names: Names) -> Ordering {
        let (mut left, mut right) = (self.iter(), other.iter());
        loop {
            let ((key, a), (other_key, b)) = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) => (a, b),
            };
            // The type counts before the name, and the name before the value.
            let mut order = a.rank().cmp(&b.rank());
            if names == Names::Count {
                order = order.then_with(|| key.cmp(other_key));
            }
            order = order.then_with(|| a.order(b));
            if order.is_ne() {
                return order;
            }
        }
    }
}

/// Walks over the elements of a document or of an array.
pub(super) enum FieldsIter<'a> {
    Raw(Elements<'a>),
    Document(bson::document::Iter<'a>),
    Items(std::slice::Iter<'a, Bson>),
}

impl<'a> Iterator for FieldsIter<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Raw(elements) => elements
                .next()
                .ok()
                .flatten()
                .map(|(key, value)| (key, value.into())),
            Self::Document(fields) => fields.next().map(|(key, value)| (key.as_str(), value.into())),
            Self::Items(items) => items.next().map(|value| ("", value.into())),
        }
    }
}
