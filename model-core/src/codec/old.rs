//! The values of other systems: their text, as what this crate would have stored.

use bson::Bson;
use serde_json::Value;

use super::dynamic::write_bson;
use super::sealing::plaintext;
use crate::crypto::Plaintext;
use crate::schema::TypeSchema;

/// The value as the document `{v: value}`: a string is the text itself, anything else is its JSON.
///
/// None if it has to be JSON and is not.
pub(crate) fn old_value(ty: &TypeSchema, text: &str) -> Option<Plaintext> {
    match ty.required() {
        TypeSchema::String => plaintext(|out, v| out.string(v, text)).ok(),
        _ => {
            let value = bson(serde_json::from_str(text).ok()?);
            plaintext(|out, v| write_bson(out, v, &value)).ok()
        }
    }
}

fn bson(value: Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32),
            None => Bson::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Bson::String(text),
        Value::Array(items) => Bson::Array(items.into_iter().map(bson).collect()),
        Value::Object(entries) => Bson::Document(
            entries
                .into_iter()
                .map(|(key, value)| (key, bson(value)))
                .collect(),
        ),
    }
}
