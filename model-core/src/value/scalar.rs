//! Booleans, strings and dates.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Visitor,
    Writer,
};
use crate::crypto::wipe;
use crate::schema::TypeSchema;

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

pub(super) use {own_input, own_view};

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

impl FieldValue for String {
    const TYPE: TypeSchema = TypeSchema::String;
    const INERT: bool = true;
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
        wipe(&mut std::mem::take(self).into_bytes());
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
        if !self.timestamp_subsec_nanos().is_multiple_of(1_000_000) {
            out.inexact();
        }
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
pub(super) fn parse_text<T>(
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
