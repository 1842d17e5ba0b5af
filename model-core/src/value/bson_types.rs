//! The types that BSON has beside the everyday ones.

use bson::Timestamp;
use bson::oid::ObjectId;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::scalar::{own_input, parse_text};
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, HexId, InputCx, Never, NoFields, RawValue, ViewValue, Writer, tag,
};
use crate::schema::TypeSchema;

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
        parse_text(&value, "a regular expression such as /^a/i", cx, |text| {
            let (pattern, options) = text.strip_prefix('/')?.rsplit_once('/')?;
            Some(Self {
                pattern: pattern.try_into().ok()?,
                options: options.try_into().ok()?,
            })
        })
    }

    fn into_view(self) -> String {
        format!("/{}/{}", self.pattern.as_str(), self.options.as_str())
    }
}
