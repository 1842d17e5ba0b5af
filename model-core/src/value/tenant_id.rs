//! The tenant's id: never empty, never null.

use std::fmt;

use bson::oid::ObjectId;
use serde::{Serialize, Serializer};
use serde_json::Value;
use unicode_normalization::is_nfc;
use uuid::Uuid;

use super::id::Id;
use super::id_value::IdValue;
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer,
};
use crate::error::Error;
use crate::schema::TypeSchema;

/// The tenant that a document belongs to, or that a context acts for: a string, an `ObjectId` or a UUID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(IdValue);

impl TenantId {
    /// A tenant that is named by a string.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the string is empty, has more than 200 bytes, white space at an end, a
    /// control character, or is not in Unicode's normal form C: two spellings must not be two tenants.
    ///
    /// ```
    /// use model_core::TenantId;
    /// assert!(TenantId::new("acme").is_ok());
    /// assert!(TenantId::new("").unwrap_err().is_invalid());
    /// ```
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let problem = if !(1..=200).contains(&text.len()) {
            "a tenant id has 1 to 200 bytes"
        } else if text.trim() != text || text.chars().any(char::is_control) {
            "a tenant id has no white space at its ends and no control characters"
        } else if !is_nfc(&text) {
            "a tenant id is in Unicode's normal form C"
        } else {
            return Ok(Self(IdValue::Text(text.into())));
        };
        Err(Error::violation("tenant", "tenant", problem))
    }

    pub(crate) fn value(&self) -> &IdValue {
        &self.0
    }

    pub(crate) fn from_value(value: IdValue) -> Self {
        Self(value)
    }

    pub(crate) fn from_bson(value: &bson::Bson) -> Option<Self> {
        IdValue::from_bson(value).map(Self)
    }
}

impl From<ObjectId> for TenantId {
    fn from(id: ObjectId) -> Self {
        Self(IdValue::ObjectId(id))
    }
}

impl From<Uuid> for TenantId {
    fn from(id: Uuid) -> Self {
        Self(IdValue::Uuid(id))
    }
}

/// The id of the application's own tenant model.
impl<M> From<&Id<M>> for TenantId {
    fn from(id: &Id<M>) -> Self {
        Self(id.value().clone())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl ViewValue for TenantId {}

impl FieldValue for TenantId {
    const TYPE: TypeSchema = TypeSchema::TenantId;
    const INERT: bool = true;
    type Input = Self;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Self;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        self.0.encode(out, key);
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        IdValue::decode(value).map(Self)
    }

    fn from_input(input: Self) -> Self {
        input
    }

    /// A tenant is never read from an input.
    fn parse(_: Value, cx: &mut InputCx) -> Option<Self> {
        cx.reject("tenant", "a tenant cannot be given");
        None
    }

    fn into_view(self) -> Self {
        self
    }
}
