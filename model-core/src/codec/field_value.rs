//! What a type must know to be a field.

use std::fmt::Debug;

use serde_json::Value;

use super::group::FieldGroup;
use super::input::InputCx;
use super::origin::DecodeCx;
use super::reader::{DecodeError, RawValue};
use super::view::ViewValue;
use super::visit::{Constraints, Visitor};
use super::writer::Writer;
use crate::schema::TypeSchema;

/// The patch of a type that has no parts: no value of it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Never {}

/// A type that can be a model's field: it has a stored form, an input form and a view.
///
/// Implemented for the scalars, for `Option`, `Vec` and string-keyed maps of field types, and by
/// `#[derive(Embedded)]`. A foreign serde type is wrapped in [`Foreign`](crate::value::Foreign).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a model field",
    label = "not a field type",
    note = "field types are: bool, i16 to u64, f32, f64, String, DateTime<Utc>, ObjectId, Uuid, Decimal128, Bytes, Vector<N>, Id<M>, Ref<M>, \
            Encrypted<T>, PasswordHash, Bson, Option<T>, Vec<T>, BTreeMap<String, T>, HashMap<String, T>",
    note = "put `#[derive(Embedded)]` on a struct or enum of your own; wrap a foreign serde type in `Foreign<T>`"
)]
pub trait FieldValue: Sized + Send + Sync + Debug + 'static {
    /// How it is stored.
    const TYPE: TypeSchema;

    /// Whether a walk over it can be left out where its field declares nothing: no part of it has a declaration of its own,
    /// and none is a password.
    const INERT: bool = false;

    /// What a caller gives for it.
    type Input: Send + Sync + Clone + 'static;

    /// Changes to parts of it; [`Never`] unless it is an embedded struct or an enum with data.
    type Patch: Send + Sync + Clone + 'static;

    /// What a view shows of it.
    type View: ViewValue;

    /// The handles of the fields inside it; [`NoFields`](super::NoFields) unless it is or holds an embedded struct.
    type Fields<M: 'static>: FieldGroup;

    /// Writes it under `key`; an absent value writes nothing. Where reading may give another value than this one, it says so by
    /// [`Writer::inexact`]: a write returns what was stored, and reads it back only then.
    fn encode(&self, out: &mut Writer<'_>, key: &str);

    /// Writes it as an element of an array, where absence is null.
    fn encode_item(&self, out: &mut Writer<'_>, key: &str) {
        self.encode(out, key);
    }

    /// Reads it.
    ///
    /// # Errors
    /// The stored value is of another type or out of range.
    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError>;

    /// What a missing field means: nothing, unless the type is optional.
    fn absent() -> Option<Self> {
        None
    }

    /// Walks over it to normalise, validate, or find passwords.
    fn visit(&mut self, _constraints: Constraints, _visitor: &mut Visitor<'_>) {}

    /// The value that an input stands for.
    fn from_input(input: Self::Input) -> Self;

    /// Reads an input from JSON; what is wrong goes to `cx`.
    fn parse(value: Value, cx: &mut InputCx) -> Option<Self::Input>;

    /// Reads a patch from JSON; none if the type has no parts (the value is then read whole).
    fn parse_patch(value: Value, _cx: &mut InputCx) -> Result<Option<Self::Patch>, Value> {
        Err(value)
    }

    /// Carries a patch out.
    fn apply(_field: &mut Self, _patch: Self::Patch, _cx: &mut InputCx) {}

    /// Makes a new value from a patch alone.
    fn from_patch(_patch: Self::Patch, _cx: &mut InputCx) -> Option<Self> {
        None
    }

    /// Overwrites what it holds in memory, for types that may hold a secret.
    fn wipe(&mut self) {}

    /// What a view shows.
    fn into_view(self) -> Self::View;
}
