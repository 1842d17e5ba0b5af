//! A serde type of another crate as a field.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer, read_bson,
    write_bson,
};
use crate::schema::TypeSchema;

/// Stores a foreign type in its serde form. Rules, indexes and redaction do not see inside it: prefer a type of your
/// own with `#[derive(Embedded)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Foreign<T>(pub T);

/// What a foreign type must know.
pub trait ForeignValue: Serialize + DeserializeOwned + Debug + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Debug + Clone + Send + Sync + 'static> ForeignValue for T {}

impl<T: ForeignValue> FieldValue for Foreign<T> {
    const TYPE: TypeSchema = TypeSchema::Foreign;
    const INERT: bool = true;
    type Input = Self;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Self;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.inexact();
        match bson::serialize_to_bson(&self.0) {
            Ok(value) => write_bson(out, key, &value),
            Err(_) => out.reject(key, "foreign", "the value has no BSON form"),
        }
    }

    // The cause is dropped: serde's messages repeat the value.
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        bson::deserialize_from_bson(read_bson(value)?)
            .map(Self)
            .map_err(|_| DecodeError::new("the stored value does not fit the foreign type"))
    }

    fn from_input(input: Self) -> Self {
        input
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        let parsed = serde_json::from_value(value).ok().map(Self);
        if parsed.is_none() {
            cx.reject("type", "does not fit the field's type");
        }
        parsed
    }

    fn into_view(self) -> Self {
        self
    }
}

impl<T: Serialize> Serialize for Foreign<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: ForeignValue> ViewValue for Foreign<T> {}
