//! The id of a model's document: ids of different models do not mix.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use bson::Bson;
use bson::oid::ObjectId;
use serde::{Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::id_value::IdValue;
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer,
};
use crate::error::Error;
use crate::schema::{IdKind, ModelSchema, TypeSchema};

/// A model whose documents have an id. Implemented by `#[derive(Model)]` for every one but those that a composite key alone
/// names.
///
/// Code that is generic over models asks for it where it names documents by their ids.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no id",
    label = "its documents are named by their composite key",
    note = "go by the key: `get_by`, `update_by`, `delete_by` and their like; or give `{Self}` an id: `#[model(id)] id: Id<{Self}>`"
)]
pub trait Identified: Sized + 'static {
    /// How its ids look.
    const ID: IdKind;
    /// The model's metadata.
    #[doc(hidden)]
    const SCHEMA: fn() -> &'static ModelSchema;

    /// The document's id.
    fn id(&self) -> &Id<Self>;
}

/// The id of one document of the model `M`.
///
/// Its text form is what [`Display`](fmt::Display) prints and [`Id::parse`] reads: 24 hexadecimal digits, a
/// hyphenated UUID, or a string with the model's prefix.
pub struct Id<M> {
    value: IdValue,
    model: PhantomData<fn() -> M>,
}

impl<M: Identified> Id<M> {
    /// A fresh id, in the form that the model declares.
    pub fn generate() -> Self {
        Self::fresh(M::ID)
    }

    /// Reads an id from its text form.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the text does not have the model's form or prefix.
    pub fn parse(text: &str) -> Result<Self, Error> {
        IdValue::parse(M::ID, text)
            .map(Self::from_value)
            .map_err(|message| Error::violation("id", "id", message).at_model((M::SCHEMA)().name, "id"))
    }
}

impl<M> Id<M> {
    /// A fresh one, of a model that need not have ids of its own.
    pub(crate) fn fresh(kind: IdKind) -> Self {
        Self::from_value(IdValue::generate(kind))
    }

    pub(crate) fn from_value(value: IdValue) -> Self {
        Self {
            value,
            model: PhantomData,
        }
    }

    pub(crate) fn value(&self) -> &IdValue {
        &self.value
    }

    /// The id's BSON form.
    pub fn to_bson(&self) -> Bson {
        self.value.to_bson()
    }

    /// The `ObjectId`, if the id is one.
    pub fn as_object_id(&self) -> Option<ObjectId> {
        match self.value {
            IdValue::ObjectId(id) => Some(id),
            _ => None,
        }
    }

    /// The UUID, if the id is one.
    pub fn as_uuid(&self) -> Option<Uuid> {
        match self.value {
            IdValue::Uuid(id) => Some(id),
            _ => None,
        }
    }
}

impl<M> Clone for Id<M> {
    fn clone(&self) -> Self {
        Self::from_value(self.value.clone())
    }
}

impl<M> PartialEq for Id<M> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<M> Eq for Id<M> {}

impl<M> PartialOrd for Id<M> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<M> Ord for Id<M> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}

impl<M> Hash for Id<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl<M> fmt::Display for Id<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

impl<M> fmt::Debug for Id<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

impl<M: Identified> FromStr for Id<M> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl<M> Serialize for Id<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<M: 'static> ViewValue for Id<M> {}

impl<M: Identified> FieldValue for Id<M> {
    const TYPE: TypeSchema = TypeSchema::Id(M::ID);
    const INERT: bool = true;
    type Input = Self;
    type Patch = Never;
    type Fields<N: 'static> = NoFields;
    type View = Self;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        self.value.encode(out, key);
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let id = IdValue::decode(value)?;
        if id.kind_fits(M::ID) {
            Ok(Self::from_value(id))
        } else {
            Err(DecodeError::new(
                "the id is not of the form that the model declares",
            ))
        }
    }

    fn from_input(input: Self) -> Self {
        input
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        let Some(text) = value.as_str() else {
            return cx.wrong_type("an id", &value);
        };
        match IdValue::parse(M::ID, text) {
            Ok(id) => Some(Self::from_value(id)),
            Err(message) => {
                cx.reject("id", message);
                None
            }
        }
    }

    fn into_view(self) -> Self {
        self
    }
}
