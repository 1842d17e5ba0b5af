//! Raw BSON in, in one pass.

use std::borrow::Cow;

use super::field_value::FieldValue;
use super::origin::DecodeCx;
use super::tag;
use crate::error::{Error, ErrorKind};
use crate::schema::reserved;

/// Why a stored value does not decode, and where. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    path: String,
    reason: Cow<'static, str>,
}

impl DecodeError {
    /// A reason, at the value that is being decoded.
    #[cold]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: String::new(),
            reason: reason.into(),
        }
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
        if self.path.is_empty() {
            key.clone_into(&mut self.path);
        } else {
            self.path.insert(0, '.');
            self.path.insert_str(0, key);
        }
        self
    }

    pub(crate) fn into_error(self) -> Error {
        Error::new(ErrorKind::Decode, self.reason).at_path(self.path)
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

    #[inline]
    fn next_bytes(&mut self) -> Result<Option<(&'a [u8], RawValue<'a>)>, DecodeError> {
        let Some((&tag, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        let Some(end) = rest.iter().position(|byte| *byte == 0) else {
            return Err(DecodeError::malformed());
        };
        let (key, rest) = rest.split_at(end);
        self.value_after(tag, key, rest.get(1..).unwrap_or_default())
            .map(Some)
    }

    #[inline]
    fn value_after(
        &mut self,
        tag: u8,
        key: &'a [u8],
        rest: &'a [u8],
    ) -> Result<(&'a [u8], RawValue<'a>), DecodeError> {
        let length = value_length(tag, rest).ok_or_else(DecodeError::malformed)?;
        let Some((bytes, rest)) = rest.split_at_checked(length) else {
            return Err(DecodeError::malformed());
        };
        self.rest = rest;
        Ok((key, RawValue { tag, bytes }))
    }

    /// The next element's value if its key is `key`; otherwise nothing moves.
    #[inline]
    fn next_if(&mut self, key: &[u8]) -> Result<Option<RawValue<'a>>, DecodeError> {
        let Some((&tag, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        match rest.strip_prefix(key) {
            Some([0, rest @ ..]) => self.value_after(tag, &[], rest).map(|(_, value)| Some(value)),
            _ => Ok(None),
        }
    }
}

/// How many bytes a value of this type has, given what follows its key.
#[inline]
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

/// An element that was passed over because its key did not come in the order of the schema.
#[derive(Clone, Copy)]
struct Pending<'a> {
    key: &'a [u8],
    value: RawValue<'a>,
    taken: bool,
}

/// Takes the fields of one document by key.
///
/// Fields are asked for in the order in which this crate writes them, so the next element is nearly always the one;
/// only a document that another client wrote, or that lacks an optional field, is indexed.
pub struct DocReader<'a, 'c> {
    whole: Elements<'a>,
    next: Elements<'a>,
    pending: Option<Vec<Pending<'a>>>,
    cx: &'c DecodeCx<'c>,
}

impl std::fmt::Debug for DocReader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocReader").finish_non_exhaustive()
    }
}

impl<'a, 'c> DocReader<'a, 'c> {
    /// Reads the bytes of a whole document.
    #[inline]
    pub fn new(document: &'a [u8], cx: &'c DecodeCx<'c>) -> Result<Self, DecodeError> {
        let elements = Elements::new(document)?;
        Ok(Self {
            whole: elements,
            next: elements,
            pending: None,
            cx,
        })
    }

    /// Reads a document inside another.
    #[inline]
    pub fn nested(value: RawValue<'a>, cx: &'c DecodeCx<'c>) -> Result<Self, DecodeError> {
        let elements = value.document()?;
        Ok(Self {
            whole: elements,
            next: elements,
            pending: None,
            cx,
        })
    }

    /// The field stored under `key`.
    ///
    /// # Errors
    /// It is missing and not optional, or does not decode.
    #[inline]
    pub fn field<T: FieldValue>(&mut self, key: &'static str) -> Result<T, DecodeError> {
        match self.take(key)? {
            Some(value) => T::decode(value, &self.cx.child(key)).map_err(|error| error.at(key)),
            None => T::absent().ok_or_else(|| DecodeError::missing().at(key)),
        }
    }

    /// The raw value stored under `key`.
    #[inline]
    pub fn take(&mut self, key: &'static str) -> Result<Option<RawValue<'a>>, DecodeError> {
        if self.pending.is_none() {
            if let Some(value) = self.next.next_if(key.as_bytes())? {
                return Ok(Some(value));
            }
            if self.next.rest.is_empty() {
                return Ok(None);
            }
        }
        self.search(key.as_bytes())
    }

    #[cold]
    fn search(&mut self, key: &[u8]) -> Result<Option<RawValue<'a>>, DecodeError> {
        if self.pending.is_none() {
            let mut pending = Vec::with_capacity(16);
            while let Some((key, value)) = self.next.next_bytes()? {
                pending.push(Pending {
                    key,
                    value,
                    taken: false,
                });
            }
            self.pending = Some(pending);
        }
        let found = self
            .pending
            .iter_mut()
            .flatten()
            .find(|element| !element.taken && element.key == key);
        Ok(found.map(|element| {
            element.taken = true;
            element.value
        }))
    }

    /// Ends the reading: unknown elements are ignored, a key that stands twice is refused.
    ///
    /// # Errors
    /// A key that was taken stands in the document a second time: the server matches the first, many clients decode
    /// the last.
    #[inline]
    pub fn finish(mut self) -> Result<(), DecodeError> {
        if self.pending.is_none() {
            self.next.next_if(reserved::REVISION.as_bytes())?;
            self.next.next_if(reserved::SCHEMA_VERSION.as_bytes())?;
            if self.next.rest.is_empty() {
                return Ok(());
            }
        }
        self.refuse_duplicates()
    }

    #[cold]
    fn refuse_duplicates(mut self) -> Result<(), DecodeError> {
        let mut keys = Vec::with_capacity(32);
        while let Some((key, _)) = self.whole.next_bytes()? {
            keys.push(key);
        }
        keys.sort_unstable();
        match keys.iter().zip(keys.iter().skip(1)).find(|(a, b)| a == b) {
            None => Ok(()),
            Some((key, _)) => {
                let name = String::from_utf8_lossy(key);
                Err(DecodeError::new("the key stands twice in the document").at(&name))
            }
        }
    }
}
