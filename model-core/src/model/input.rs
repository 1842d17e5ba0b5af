//! Inputs from JSON.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::codec::InputCx;
use crate::error::{Error, Result};
use crate::policy::Model;

fn read<T>(value: Value, parse: impl FnOnce(Value, &mut InputCx) -> Option<T>) -> Result<T> {
    let mut cx = InputCx::default();
    let parsed = parse(value, &mut cx);
    cx.finish()?;
    parsed.ok_or_else(|| Error::internal("an input without a value and without a violation"))
}

/// The text of a JSON error repeats the value, its place does not.
fn value(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        Error::violation(
            "",
            "json",
            format!("not JSON at line {}, column {}", error.line(), error.column()),
        )
    })
}

/// A create input from JSON text.
pub fn new_from_json<M: Model>(text: &str) -> Result<M::New> {
    value(text)
        .and_then(|value| read(value, M::parse_new))
        .map_err(|error| error.at_model(M::NAME, "create"))
}

/// A patch from JSON text.
pub fn patch_from_json<M: Model>(text: &str) -> Result<M::Patch> {
    value(text)
        .and_then(|value| read(value, M::parse_patch))
        .map_err(|error| error.at_model(M::NAME, "update"))
}

/// A create input from any serde format.
pub fn deserialize_new<'de, M: Model, D: Deserializer<'de>>(deserializer: D) -> Result<M::New, D::Error> {
    read(Value::deserialize(deserializer)?, M::parse_new).map_err(serde::de::Error::custom)
}

/// A patch from any serde format.
pub fn deserialize_patch<'de, M: Model, D: Deserializer<'de>>(deserializer: D) -> Result<M::Patch, D::Error> {
    read(Value::deserialize(deserializer)?, M::parse_patch).map_err(serde::de::Error::custom)
}
