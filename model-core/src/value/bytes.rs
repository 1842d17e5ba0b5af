//! Binary data.

use bson::Binary;
use bson::spec::BinarySubtype;
use serde::Serialize;
use serde_json::Value;

use super::scalar::{own_input, parse_text};
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer,
};
use crate::crypto::wipe;
use crate::schema::TypeSchema;

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
        wipe(&mut self.0);
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
