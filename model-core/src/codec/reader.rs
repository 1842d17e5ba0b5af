//! Raw BSON in, in one pass.

use std::borrow::Cow;

use super::tag;
use crate::error::{Error, ErrorKind, Violation};

/// Why a stored value does not decode, and where. It never holds the value.
///
/// It is as large as a pointer, since every result of decoding is as large as its larger side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Misfit>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Misfit {
    path: String,
    reason: Cow<'static, str>,
}

impl DecodeError {
    /// A reason, at the value that is being decoded.
    #[cold]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Misfit {
            path: String::new(),
            reason: reason.into(),
        }))
    }

    #[cold]
    pub(crate) fn wrong_type(expected: &'static str, found: u8) -> Self {
        Self::new(format!("expected {expected}, found {}", type_name(found)))
    }

    #[cold]
    pub(crate) fn missing() -> Self {
        Self::new("the field is missing")
    }

    #[cold]
    fn malformed() -> Self {
        Self::new("malformed BSON")
    }

    /// Puts `key` in front of the path.
    #[cold]
    pub fn at(mut self, key: &str) -> Self {
        let path = &mut self.0.path;
        if !path.is_empty() {
            path.insert(0, '.');
        }
        path.insert_str(0, key);
        self
    }

    /// As the fault of whoever asked for the value, not of what is stored.
    pub(crate) fn into_violation(self) -> Violation {
        // Violations name elements as inputs do: `members[0].role`.
        let mut path = String::with_capacity(self.0.path.len() + 1);
        for name in self.0.path.split('.') {
            let is_index = !path.is_empty() && name.parse::<usize>().is_ok();
            let (before, after) = match (is_index, path.is_empty()) {
                (true, _) => ("[", "]"),
                (false, true) => ("", ""),
                (false, false) => (".", ""),
            };
            path.push_str(before);
            path.push_str(name);
            path.push_str(after);
        }
        Violation::new(path, "type", self.0.reason)
    }

    pub(crate) fn into_error(self) -> Error {
        Error::new(ErrorKind::Decode, self.0.reason).at_path(self.0.path)
    }
}

/// The name of a BSON type, as the server's `$type` aliases have it.
pub(crate) fn type_name(tag: u8) -> &'static str {
    match tag {
        tag::DOUBLE => "double",
        tag::STRING => "string",
        tag::DOCUMENT => "object",
        tag::ARRAY => "array",
        tag::BINARY => "binData",
        tag::UNDEFINED => "undefined",
        tag::OBJECT_ID => "objectId",
        tag::BOOL => "bool",
        tag::DATE => "date",
        tag::NULL => "null",
        tag::REGEX => "regex",
        tag::DB_POINTER => "dbPointer",
        tag::JAVASCRIPT => "javascript",
        tag::SYMBOL => "symbol",
        tag::JAVASCRIPT_SCOPE => "javascriptWithScope",
        tag::INT32 => "int",
        tag::TIMESTAMP => "timestamp",
        tag::INT64 => "long",
        tag::DECIMAL128 => "decimal",
        tag::MAX_KEY => "maxKey",
        tag::MIN_KEY => "minKey",
        _ => "an unknown type",
    }
}

/// One stored value: its type byte and its bytes, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct RawValue<'a> {
    pub(crate) tag: u8,
    pub(crate) bytes: &'a [u8],
}

#[inline]
fn le_i32(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk::<4>().map(|chunk| i32::from_le_bytes(*chunk))
}

impl<'a> RawValue<'a> {
    #[inline]
    fn fixed<const N: usize>(self, expected_tag: u8, expected: &'static str) -> Result<[u8; N], DecodeError> {
        match <[u8; N]>::try_from(self.bytes) {
            Ok(bytes) if self.tag == expected_tag => Ok(bytes),
            _ => Err(DecodeError::wrong_type(expected, self.tag)),
        }
    }

    /// A whole document as a value.
    pub(crate) fn document_of(document: &'a [u8]) -> Self {
        Self {
            tag: tag::DOCUMENT,
            bytes: document,
        }
    }

    /// A boolean.
    #[inline]
    pub fn bool(self) -> Result<bool, DecodeError> {
        match self.fixed::<1>(tag::BOOL, "bool")? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(DecodeError::malformed()),
        }
    }

    /// A whole number: an int, a long, or a double without a fraction (other writers store those).
    #[inline]
    pub fn i64(self) -> Result<i64, DecodeError> {
        match self.tag {
            tag::INT32 => self
                .fixed(tag::INT32, "int")
                .map(|bytes| i64::from(i32::from_le_bytes(bytes))),
            tag::INT64 => self.fixed(tag::INT64, "long").map(i64::from_le_bytes),
            tag::DOUBLE => whole(f64::from_le_bytes(self.fixed(tag::DOUBLE, "double")?)),
            other => Err(DecodeError::wrong_type("a whole number", other)),
        }
    }

    /// An int.
    #[inline]
    pub(crate) fn int32(self) -> Result<i32, DecodeError> {
        self.fixed(tag::INT32, "int").map(i32::from_le_bytes)
    }

    /// A number: a double, an int or a long.
    #[inline]
    pub fn f64(self) -> Result<f64, DecodeError> {
        match self.tag {
            tag::DOUBLE => self.fixed(tag::DOUBLE, "double").map(f64::from_le_bytes),
            tag::INT32 => self
                .fixed(tag::INT32, "int")
                .map(|bytes| f64::from(i32::from_le_bytes(bytes))),
            tag::INT64 => exact(i64::from_le_bytes(self.fixed(tag::INT64, "long")?)),
            other => Err(DecodeError::wrong_type("a number", other)),
        }
    }

    /// A string.
    #[inline]
    pub fn str(self) -> Result<&'a str, DecodeError> {
        if self.tag != tag::STRING {
            return Err(DecodeError::wrong_type("string", self.tag));
        }
        let text = self.bytes.get(4..).and_then(|rest| rest.split_last());
        match text {
            Some((0, text)) => std::str::from_utf8(text).map_err(|_| DecodeError::new("not valid UTF-8")),
            _ => Err(DecodeError::malformed()),
        }
    }

    /// A date, in milliseconds since the Unix epoch.
    #[inline]
    pub fn date(self) -> Result<i64, DecodeError> {
        self.fixed(tag::DATE, "date").map(i64::from_le_bytes)
    }

    /// An `ObjectId`.
    #[inline]
    pub fn object_id(self) -> Result<[u8; 12], DecodeError> {
        self.fixed(tag::OBJECT_ID, "objectId")
    }

    /// A decimal128.
    #[inline]
    pub fn decimal128(self) -> Result<[u8; 16], DecodeError> {
        self.fixed(tag::DECIMAL128, "decimal")
    }

    /// A timestamp, as its 64 bits.
    #[inline]
    pub fn timestamp(self) -> Result<u64, DecodeError> {
        self.fixed(tag::TIMESTAMP, "timestamp").map(u64::from_le_bytes)
    }

    /// Binary: subtype and bytes.
    #[inline]
    pub fn binary(self) -> Result<(u8, &'a [u8]), DecodeError> {
        if self.tag != tag::BINARY {
            return Err(DecodeError::wrong_type("binData", self.tag));
        }
        match self.bytes.get(4..).and_then(|rest| rest.split_first()) {
            Some((&subtype, bytes)) => Ok((subtype, bytes)),
            None => Err(DecodeError::malformed()),
        }
    }

    /// The elements of a document.
    #[inline]
    pub(crate) fn document(self) -> Result<Elements<'a>, DecodeError> {
        if self.tag != tag::DOCUMENT {
            return Err(DecodeError::wrong_type("object", self.tag));
        }
        Elements::new(self.bytes)
    }

    /// The elements of an array.
    #[inline]
    pub(crate) fn array(self) -> Result<Elements<'a>, DecodeError> {
        if self.tag != tag::ARRAY {
            return Err(DecodeError::wrong_type("array", self.tag));
        }
        Elements::new(self.bytes)
    }

    /// Null, or the long-deprecated undefined.
    #[inline]
    pub(crate) fn is_null(self) -> bool {
        matches!(self.tag, tag::NULL | tag::UNDEFINED)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // checked by the way back
fn whole(number: f64) -> Result<i64, DecodeError> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number) {
        Ok(number as i64)
    } else {
        Err(DecodeError::new(
            "expected a whole number, found a double with a fraction or out of range",
        ))
    }
}

#[allow(clippy::cast_precision_loss)] // only numbers that a double holds exactly pass
fn exact(number: i64) -> Result<f64, DecodeError> {
    if number.unsigned_abs() <= 1 << 53 {
        Ok(number as f64)
    } else {
        Err(DecodeError::new("the long is too large for a double"))
    }
}

/// The elements of a document or array, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    #[inline]
    pub(crate) fn new(document: &'a [u8]) -> Result<Self, DecodeError> {
        let length = le_i32(document).and_then(|length| usize::try_from(length).ok());
        match document.get(4..) {
            Some([rest @ .., 0]) if length == Some(document.len()) => Ok(Self { rest }),
            _ => Err(DecodeError::malformed()),
        }
    }

    /// The elements of a document that is still being written: `bytes` begins behind its length.
    pub(super) fn unfinished(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(&'a str, RawValue<'a>)>, DecodeError> {
        match self.next_bytes()? {
            None => Ok(None),
            Some((key, value)) => match std::str::from_utf8(key) {
                Ok(key) => Ok(Some((key, value))),
                Err(_) => Err(DecodeError::new("a key is not valid UTF-8")),
            },
        }
    }

    /// The next value, whatever its key: in an array the order alone counts.
    #[inline]
    pub(crate) fn next_value(&mut self) -> Result<Option<RawValue<'a>>, DecodeError> {
        match self.next_bytes()? {
            Some((key, _)) if !key.is_ascii() && std::str::from_utf8(key).is_err() => {
                Err(DecodeError::new("a key is not valid UTF-8"))
            }
            element => Ok(element.map(|(_, value)| value)),
        }
    }

    /// The next element; its key is not known to be UTF-8.
    #[inline]
    pub(super) fn next_bytes(&mut self) -> Result<Option<(&'a [u8], RawValue<'a>)>, DecodeError> {
        let Some((&tag, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        match position_of_nul(rest).and_then(|end| rest.split_at_checked(end)) {
            Some((key, [_, rest @ ..])) => Ok(Some((key, self.value_after(tag, rest)?))),
            _ => Err(DecodeError::malformed()),
        }
    }

    /// The next element's value if its key is `key`; otherwise nothing moves.
    ///
    /// Where the key is a literal, comparing it in place takes a few instructions, and a call of `memcmp` many.
    #[allow(
        clippy::inline_always,
        reason = "as above: every field of every document passes here"
    )]
    #[inline(always)]
    pub(crate) fn next_if(&mut self, key: &[u8]) -> Result<Option<RawValue<'a>>, DecodeError> {
        let Some((&tag, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        match rest.split_at_checked(key.len()) {
            Some((name, [0, rest @ ..])) if name == key => self.value_after(tag, rest).map(Some),
            _ => Ok(None),
        }
    }

    /// The value of `key`, wherever it stands. Nothing else of the document is looked at closer.
    ///
    /// Every document that is read is asked for its version so: what is passed over is not taken apart.
    pub(crate) fn find(mut self, key: &str) -> Result<Option<RawValue<'a>>, DecodeError> {
        while let Some((&tag, rest)) = self.rest.split_first() {
            let end = position_of_nul(rest).ok_or_else(DecodeError::malformed)?;
            let (name, rest) = rest.split_at_checked(end).unwrap_or_default();
            let rest = rest.get(1..).unwrap_or_default();
            if name == key.as_bytes() {
                return self.value_after(tag, rest).map(Some);
            }
            let passed = value_length(tag, rest).and_then(|length| rest.get(length..));
            self.rest = passed.ok_or_else(DecodeError::malformed)?;
        }
        Ok(None)
    }

    /// Whether nothing is left.
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    fn value_after(&mut self, tag: u8, rest: &'a [u8]) -> Result<RawValue<'a>, DecodeError> {
        match value_length(tag, rest).and_then(|length| rest.split_at_checked(length)) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(RawValue { tag, bytes })
            }
            None => Err(DecodeError::malformed()),
        }
    }
}

/// Where a key ends. Keys are short, and every field that a reader passes over comes here: eight bytes are looked at together.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn position_of_nul(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, _) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest byte that is marked is the first that is zero.
        let zeros = word.wrapping_sub(ONES) & !word & HIGH;
        if zeros != 0 {
            return Some(8 * number + (zeros.trailing_zeros() / 8) as usize);
        }
    }
    let looked_at = 8 * words.len();
    let tail = bytes.get(looked_at..)?;
    tail.iter().position(|byte| *byte == 0).map(|end| looked_at + end)
}

/// How many bytes a value of this type has, given what follows its key.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn value_length(tag: u8, rest: &[u8]) -> Option<usize> {
    let prefixed = |extra: i32| {
        let length = le_i32(rest)?;
        if length < 0 {
            None
        } else {
            usize::try_from(length.checked_add(extra)?).ok()
        }
    };
    match tag {
        tag::STRING | tag::JAVASCRIPT | tag::SYMBOL => prefixed(4).filter(|length| *length > 4),
        tag::DOCUMENT | tag::ARRAY | tag::JAVASCRIPT_SCOPE => prefixed(0).filter(|length| *length >= 5),
        tag::BINARY => prefixed(5),
        tag::DOUBLE | tag::DATE | tag::TIMESTAMP | tag::INT64 => Some(8),
        tag::INT32 => Some(4),
        tag::BOOL => Some(1),
        tag::OBJECT_ID => Some(12),
        tag::DECIMAL128 => Some(16),
        tag::NULL | tag::UNDEFINED | tag::MIN_KEY | tag::MAX_KEY => Some(0),
        tag::DB_POINTER => prefixed(16),
        tag::REGEX => {
            let pattern = rest.iter().position(|byte| *byte == 0)? + 1;
            let options = rest.get(pattern..)?.iter().position(|byte| *byte == 0)? + 1;
            Some(pattern + options)
        }
        _ => None,
    }
}
