//! A field of any BSON type (Mongoose's `Mixed`).

use bson::Bson;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::collections::bad_map_key;
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer, read_bson,
    write_bson,
};
use crate::schema::TypeSchema;

impl FieldValue for Bson {
    const TYPE: TypeSchema = TypeSchema::Dynamic;
    const INERT: bool = true;
    type Input = Self;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = DynamicView;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.inexact();
        write_bson(out, key, self);
    }

    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        read_bson(value)
    }

    fn from_input(input: Self) -> Self {
        input
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        from_json(value, cx)
    }

    fn into_view(self) -> DynamicView {
        DynamicView(self)
    }
}

/// Plain JSON as BSON: an operator document cannot enter, since no key may begin with `$`.
fn from_json(value: Value, cx: &mut InputCx) -> Option<Bson> {
    match value {
        Value::Null => Some(Bson::Null),
        Value::Bool(flag) => Some(Bson::Boolean(flag)),
        Value::String(text) => Some(Bson::String(text)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Some(Bson::Int64(number)),
            (None, Some(number)) if !number.is_nan() => Some(Bson::Double(number)),
            _ => {
                cx.reject("range", "the number has no BSON form");
                None
            }
        },
        Value::Array(items) => {
            let items: Vec<_> = items
                .into_iter()
                .enumerate()
                .map(|(index, item)| cx.at_index(index, |cx| from_json(item, cx)))
                .collect();
            items.into_iter().collect::<Option<Vec<_>>>().map(Bson::Array)
        }
        Value::Object(entries) => {
            let mut document = bson::Document::new();
            for (key, value) in entries {
                if let Some(problem) = bad_map_key(&key) {
                    cx.reject("key", problem);
                    return None;
                }
                let value = cx.at_key(&key, |cx| from_json(value, cx))?;
                document.insert(key, value);
            }
            Some(Bson::Document(document))
        }
    }
}

/// A BSON value as plain JSON: ids and dates as strings, not as extended JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct DynamicView(Bson);

impl ViewValue for DynamicView {}

impl Serialize for DynamicView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

/// Borrows a nested value for the serializer.
struct Borrowed<'a>(&'a Bson);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

fn serialize<S: Serializer>(value: &Bson, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Bson::Null | Bson::Undefined => serializer.serialize_unit(),
        Bson::Boolean(flag) => serializer.serialize_bool(*flag),
        Bson::Int32(number) => serializer.serialize_i32(*number),
        Bson::Int64(number) => serializer.serialize_i64(*number),
        Bson::Double(number) => serializer.serialize_f64(*number),
        Bson::String(text) => serializer.serialize_str(text),
        Bson::ObjectId(id) => crate::codec::HexId(*id).serialize(serializer),
        Bson::DateTime(date) => date.to_chrono().serialize(serializer),
        Bson::Array(items) => {
            let mut out = serializer.serialize_seq(Some(items.len()))?;
            for item in items {
                out.serialize_element(&Borrowed(item))?;
            }
            out.end()
        }
        Bson::Document(document) => {
            let mut out = serializer.serialize_map(Some(document.len()))?;
            for (key, value) in document {
                out.serialize_entry(key, &Borrowed(value))?;
            }
            out.end()
        }
        // Binary may be a secret: a view tells that there is one, not what it is.
        Bson::Binary(binary) => serializer.collect_str(&format_args!("[{} bytes]", binary.bytes.len())),
        other => serializer.collect_str(other),
    }
}
