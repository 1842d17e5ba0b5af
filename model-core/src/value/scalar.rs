//! Booleans, numbers, strings, dates and the other scalars.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Decimal128, Timestamp};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroize;

use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, HexId, InputCx, Never, NoFields, RawValue, ViewValue,
    Visitor, Writer, tag,
};
use crate::schema::{Number, TypeSchema};

/// The parts that are alike in every scalar: it is its own input, and has no parts.
macro_rules! own_input {
    () => {
        type Input = Self;
        type Patch = Never;
        type Fields<M: 'static> = NoFields;

        fn from_input(input: Self) -> Self {
            input
        }
    };
}

macro_rules! own_view {
    () => {
        type View = Self;

        fn into_view(self) -> Self {
            self
        }
    };
}

impl FieldValue for bool {
    const TYPE: TypeSchema = TypeSchema::Bool;
    const INERT: bool = true;
    own_input!();
    own_view!();

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.bool(key, *self);
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        value.bool()
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(flag),
            other => cx.wrong_type("a boolean", &other),
        }
    }
}

impl ViewValue for bool {}

macro_rules! integer {
    ($type:ty, $schema:ident, $write:ident, $as:ty) => {
        impl FieldValue for $type {
            const TYPE: TypeSchema = TypeSchema::$schema;
            // A rule still looks at it: `Visitor::field` skips only an inert field without rules.
            const INERT: bool = true;
            own_input!();
            own_view!();

            #[inline]
            fn encode(&self, out: &mut Writer<'_>, key: &str) {
                #[allow(clippy::useless_conversion, irrefutable_let_patterns)] // not for every type
                match <$as>::try_from(*self) {
                    Ok(number) => out.$write(key, number),
                    Err(_) => out.reject(key, "range", "does not fit BSON's 64-bit integer"),
                }
            }

            #[inline]
            fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
                #[allow(clippy::useless_conversion)] // not for every type
                Self::try_from(value.i64()?)
                    .map_err(|_| DecodeError::new(concat!("out of range of ", stringify!($type))))
            }

            fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
                #[allow(clippy::useless_conversion)] // not for every type
                visitor.number(
                    constraints,
                    Number::Int(i64::try_from(*self).unwrap_or(i64::MAX)),
                );
            }

            fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
                let Value::Number(number) = &value else {
                    return cx.wrong_type("a whole number", &value);
                };
                #[allow(clippy::useless_conversion)] // not for every type
                let fits = number
                    .as_i64()
                    .and_then(|number| Self::try_from(number).ok())
                    .or_else(|| {
                        number
                            .as_u64()
                            .and_then(|number| Self::try_from(number).ok())
                    });
                if fits.is_none() {
                    cx.reject(
                        "type",
                        concat!(
                            "expected a whole number in the range of ",
                            stringify!($type)
                        ),
                    );
                }
                fits
            }
        }

        impl ViewValue for $type {}
    };
}

integer!(i16, Int32, i32, i32);
integer!(u16, Int32, i32, i32);
integer!(i32, Int32, i32, i32);
integer!(u32, Int64, i64, i64);
integer!(i64, Int64, i64, i64);
integer!(u64, Int64, i64, i64);

macro_rules! float {
    ($type:ty) => {
        impl FieldValue for $type {
            const TYPE: TypeSchema = TypeSchema::Double;
            const INERT: bool = true;
            own_input!();
            own_view!();

            #[inline]
            fn encode(&self, out: &mut Writer<'_>, key: &str) {
                out.f64(key, f64::from(*self));
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation)] // an f32 field stores what an f32 holds
            fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
                value.f64().map(|number| number as Self)
            }

            fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
                visitor.number(constraints, Number::Float(f64::from(*self)));
            }

            #[allow(clippy::cast_possible_truncation)] // as above
            fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
                match value.as_f64() {
                    Some(number) => Some(number as Self),
                    None => cx.wrong_type("a number", &value),
                }
            }
        }

        impl ViewValue for $type {}
    };
}

float!(f32);
float!(f64);

impl FieldValue for String {
    const TYPE: TypeSchema = TypeSchema::String;
    own_input!();
    own_view!();

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.string(key, self);
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        value.str().map(str::to_owned)
    }

    fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
        visitor.string(constraints, self);
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            other => cx.wrong_type("a string", &other),
        }
    }

    fn wipe(&mut self) {
        self.zeroize();
    }
}

impl ViewValue for String {}

impl FieldValue for DateTime<Utc> {
    const TYPE: TypeSchema = TypeSchema::Date;
    const INERT: bool = true;
    own_input!();
    own_view!();

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.date(key, self.timestamp_millis());
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        Self::from_timestamp_millis(value.date()?)
            .ok_or_else(|| DecodeError::new("the date is out of chrono's range"))
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        let parsed = value.as_str().map(DateTime::parse_from_rfc3339);
        match parsed {
            Some(Ok(date)) => Some(date.to_utc()),
            Some(Err(_)) => {
                cx.reject(
                    "type",
                    "expected a date and time of RFC 3339, such as 2026-01-31T12:00:00Z",
                );
                None
            }
            None => cx.wrong_type("a date and time of RFC 3339", &value),
        }
    }
}

impl ViewValue for DateTime<Utc> {}

/// Reads a scalar from its text form in JSON.
fn parse_text<T>(
    value: &Value,
    expected: &'static str,
    cx: &mut InputCx,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let Some(text) = value.as_str() else {
        return cx.wrong_type(expected, value);
    };
    let read = read(text);
    if read.is_none() {
        cx.reject("type", format!("expected {expected}"));
    }
    read
}

impl FieldValue for ObjectId {
    const TYPE: TypeSchema = TypeSchema::ObjectId;
    const INERT: bool = true;
    own_input!();
    type View = HexId;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.object_id(key, self.bytes());
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        value.object_id().map(Self::from_bytes)
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        parse_text(&value, "an ObjectId of 24 hexadecimal digits", cx, |text| {
            Self::parse_str(text).ok()
        })
    }

    fn into_view(self) -> HexId {
        HexId(self)
    }
}

impl FieldValue for Uuid {
    const TYPE: TypeSchema = TypeSchema::Uuid;
    const INERT: bool = true;
    own_input!();
    type View = UuidView;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.binary(key, 4, self.as_bytes());
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        match value.binary()? {
            (4, bytes) => Self::from_slice(bytes).map_err(|_| DecodeError::new("a UUID has 16 bytes")),
            _ => Err(DecodeError::new(
                "expected a UUID (binary subtype 4), found another subtype",
            )),
        }
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        parse_text(&value, "a UUID", cx, |text| Self::parse_str(text).ok())
    }

    fn into_view(self) -> UuidView {
        UuidView(self)
    }
}

/// A UUID in its hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UuidView(Uuid);

impl Serialize for UuidView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl ViewValue for UuidView {}

impl FieldValue for Decimal128 {
    const TYPE: TypeSchema = TypeSchema::Decimal128;
    const INERT: bool = true;
    own_input!();
    type View = String;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.raw(key, tag::DECIMAL128, &self.bytes());
    }

    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        value.decimal128().map(Self::from_bytes)
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        parse_text(&value, "a decimal number as a string", cx, |text| {
            text.parse().ok()
        })
    }

    fn into_view(self) -> String {
        self.to_string()
    }
}

impl FieldValue for Timestamp {
    const TYPE: TypeSchema = TypeSchema::Timestamp;
    const INERT: bool = true;
    own_input!();
    type View = TimestampView;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        let bits = (u64::from(self.time) << 32) | u64::from(self.increment);
        out.raw(key, tag::TIMESTAMP, &bits.to_le_bytes());
    }

    #[allow(clippy::cast_possible_truncation)] // the two halves
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let bits = value.timestamp()?;
        Ok(Self {
            time: (bits >> 32) as u32,
            increment: bits as u32,
        })
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        let part = |name| {
            value
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|part| u32::try_from(part).ok())
        };
        match (part("time"), part("increment")) {
            (Some(time), Some(increment)) => Some(Self { time, increment }),
            _ => cx.wrong_type("an object with `time` and `increment`", &value),
        }
    }

    fn into_view(self) -> TimestampView {
        TimestampView {
            time: self.time,
            increment: self.increment,
        }
    }
}

/// A timestamp as its two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TimestampView {
    time: u32,
    increment: u32,
}

impl ViewValue for TimestampView {}

/// Binary data (BSON binary, subtype 0), base64 in JSON.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl FieldValue for Bytes {
    const TYPE: TypeSchema = TypeSchema::Binary;
    const INERT: bool = true;
    own_input!();
    type View = BytesView;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.binary(key, 0, &self.0);
    }

    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        match value.binary()? {
            (0, bytes) => Ok(Self(bytes.to_vec())),
            _ => Err(DecodeError::new(
                "expected binary of subtype 0, found another subtype",
            )),
        }
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        parse_text(&value, "base64", cx, |text| {
            let binary = Binary::from_base64(text, BinarySubtype::Generic).ok()?;
            Some(Self(binary.bytes))
        })
    }

    fn wipe(&mut self) {
        self.0.zeroize();
    }

    fn into_view(self) -> BytesView {
        BytesView(self.0)
    }
}

/// Binary data in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesView(Vec<u8>);

impl Serialize for BytesView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            &self.0,
        ))
    }
}

impl ViewValue for BytesView {}

impl FieldValue for bson::Regex {
    const TYPE: TypeSchema = TypeSchema::Regex;
    const INERT: bool = true;
    own_input!();
    type View = String;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        crate::codec::write_bson(out, key, &bson::Bson::RegularExpression(self.clone()));
    }

    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        match crate::codec::read_bson(value)? {
            bson::Bson::RegularExpression(regex) => Ok(regex),
            _ => Err(DecodeError::wrong_type("regex", value.tag)),
        }
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        parse_text(&value, "a regular expression as a string", cx, |text| {
            Some(Self {
                pattern: text.try_into().ok()?,
                options: "".try_into().ok()?,
            })
        })
    }

    fn into_view(self) -> String {
        format!("/{}/{}", self.pattern.as_str(), self.options.as_str())
    }
}
