//! What the derives name. It is no part of the API: nothing here is stable.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};

pub use crate::codec::{
    Constraints, DecodeCx, DecodeError, DocReader, Echo, Edit, FieldGroup, FieldValue, HiddenFields, InputCx,
    Never, NoFields, ObjectInput, Prefix, RawValue, ViewValue, Visitor, Writer, shown_field, view_field,
};
pub use crate::error::Error;
pub use crate::model::{deserialize_new, deserialize_patch, new_from_json, patch_from_json};
pub use crate::policy::{
    BaseModel, GlobalScope, Model, Mutable, Projection, Searchable, Singleton, Stamp, TenantScope, Watchable,
};
pub use crate::query::{
    BlindField, Blindable, Distinct, Editable, Field, FixedField, Operand, Queryable, UniqueBlindField,
    UniqueField, Variant, operand_of, read_operand,
};
pub use crate::schema::{
    AuditSpec, BlindNormaliser, BlindSpec, CappedSpec, Collation, CollectionForm, Comparison, Condition,
    DeleteRule, Direction, EmbeddedSchema, EnumSchema, FieldRole, FieldSchema, Granularity, IdKind, IndexKey,
    IndexSpec, KeyForm, Literal, ModelSchema, Normaliser, Number, Pattern, Relation, Rule, SealSpec,
    Similarity, Tenancy, Term, TimeSeriesSpec, TypeSchema, ValidatorAction, ValidatorLevel, ValidatorSpec,
    VariantSchema,
};
pub use crate::value::{Id, Identified, Ref, Revision, TenantId, Vector};
pub use bson::Bson;
pub use chrono::{DateTime, Utc};
pub use serde;
pub use serde_json::Value;

// The standard library's own names, whatever the user's module calls so.
pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::convert::Into;
pub use std::default::Default;
pub use std::fmt::{Debug, Formatter};
pub use std::option::Option;
pub use std::result::Result;
pub use std::string::String;
pub use std::sync::OnceLock;
pub use std::vec::Vec;

/// What formatting gives.
pub type Formatted = std::fmt::Result;

/// A field that can hold an instant of creation or change.
#[diagnostic::on_unimplemented(
    message = "a timestamp field cannot be of type `{Self}`",
    note = "`created_at` and `updated_at` are of type `DateTime<Utc>` or `Option<DateTime<Utc>>`"
)]
pub trait Timestamp {
    /// The field's value for an instant.
    fn at(instant: DateTime<Utc>) -> Self;
}

impl Timestamp for DateTime<Utc> {
    fn at(instant: DateTime<Utc>) -> Self {
        instant
    }
}

impl Timestamp for Option<DateTime<Utc>> {
    fn at(instant: DateTime<Utc>) -> Self {
        Some(instant)
    }
}

/// The keys of those that are given.
pub fn given(fields: &[(&'static str, bool)]) -> Vec<&'static str> {
    let given = fields.iter().filter(|(_, given)| *given);
    given.map(|(key, _)| *key).collect()
}

/// The value of a timestamp field.
pub fn timestamp<T: Timestamp>(instant: DateTime<Utc>) -> T {
    T::at(instant)
}

/// A field that the server can expire documents by.
#[diagnostic::on_unimplemented(
    message = "a TTL index needs a date, not `{Self}`",
    note = "the field of a TTL index is of type `DateTime<Utc>` or `Option<DateTime<Utc>>`"
)]
pub trait TtlDate {}

impl TtlDate for DateTime<Utc> {}
impl TtlDate for Option<DateTime<Utc>> {}

/// Compiles only for a field that the server can expire documents by.
pub fn assert_ttl<M, T: FieldValue + TtlDate>(_: &Field<M, T>) {}

/// The instant of a measurement.
#[diagnostic::on_unimplemented(
    message = "the time of a time series is a date, not `{Self}`",
    note = "it is of type `DateTime<Utc>`"
)]
pub trait Instant {}

impl Instant for DateTime<Utc> {}

/// Compiles only for the instant of a measurement.
pub fn assert_instant<T: Instant>() {}

/// Compiles only for a type that the server can compare.
pub fn assert_comparable<T: Queryable>() {}

/// What a text index takes words from.
#[diagnostic::on_unimplemented(
    message = "a text index needs a string, not `{Self}`",
    note = "the field of a text index is of type `String`, `Option<String>` or `Vec<String>`"
)]
pub trait Words {}

impl Words for String {}

/// Compiles only for a field that a text index can take words from.
pub fn assert_text<M, T: Queryable<Item: Words>>(_: &Field<M, T>) {}

/// Compiles only for a model with a policy.
pub fn assert_policy<T: BaseModel>() {}

/// The schema of an ordinary field of type `T`.
pub const fn field<T: FieldValue>(name: &'static str, stored: &'static str) -> FieldSchema {
    FieldSchema::new(name, stored, T::TYPE)
}

/// The schema of the model's field with this Rust name; what the compiler checked is there.
pub fn picked<M: Model>(name: &str) -> &'static FieldSchema {
    static NONE: FieldSchema = FieldSchema::new("", "", TypeSchema::Dynamic);
    let mut fields = M::schema().fields.iter();
    fields.find(|field| field.name == name).unwrap_or(&NONE)
}

/// What the view of a projection shows of a field.
pub fn shown<T: FieldValue>(field: &FieldSchema, value: T) -> Option<T::View> {
    let visible = !field.hidden && !field.ty.is_secret();
    visible
        .then(|| value.into_view())
        .filter(|view| !view.is_absent())
}

/// A value without its type.
pub fn boxed<T: Any>(value: T) -> Box<dyn Any> {
    Box::new(value)
}

/// What `Debug` prints of a field.
pub fn printed<'a>(field: &FieldSchema, value: &'a dyn Debug) -> &'a dyn Debug {
    if field.hidden { &"[HIDDEN]" } else { value }
}

/// Compiles only for a type that is not `Serialize`: for one that is, both impls fit, and the compiler cannot choose. A
/// model that serialises leaks with the first `Json(model)`.
pub trait ModelIsNotSerializable<Marker> {
    /// Does nothing.
    fn assert() {}
}

impl<T: ?Sized> ModelIsNotSerializable<()> for T {}
impl<T: ?Sized + serde::Serialize> ModelIsNotSerializable<u8> for T {}

/// A field that refers to other documents.
#[diagnostic::on_unimplemented(
    message = "a delete rule needs a reference, not `{Self}`",
    note = "the field is of type `Ref<M>`, `Option<Ref<M>>`, `Vec<Ref<M>>` or a map of `Ref<M>`"
)]
pub trait Referring {}

/// A field that refers to one document.
#[diagnostic::on_unimplemented(
    message = "`cascade` and `subject` are for one reference, not for `{Self}`",
    note = "the field is of type `Ref<M>` or `Option<Ref<M>>`; of an array, `on_delete = pull` takes the reference out"
)]
pub trait ReferringToOne {}

/// A reference that may be absent.
#[diagnostic::on_unimplemented(
    message = "`on_delete = nullify` needs an optional reference, not `{Self}`",
    note = "the field is of type `Option<Ref<M>>`"
)]
pub trait Nullable {}

/// An array or map of references.
#[diagnostic::on_unimplemented(
    message = "`on_delete = pull` needs an array of references, not `{Self}`",
    note = "the field is of type `Vec<Ref<M>>` or a map of `Ref<M>`; inside of the elements of an array, it is a `Ref<M>`"
)]
pub trait Pullable {}

impl<M> Referring for Ref<M> {}
impl<M> Referring for Option<Ref<M>> {}
impl<M> Referring for Vec<Ref<M>> {}
impl<M> Referring for BTreeMap<String, Ref<M>> {}
impl<M, S> Referring for HashMap<String, Ref<M>, S> {}
impl<M> ReferringToOne for Ref<M> {}
impl<M> ReferringToOne for Option<Ref<M>> {}
impl<M> Nullable for Option<Ref<M>> {}
impl<M> Pullable for Vec<Ref<M>> {}
impl<M> Pullable for BTreeMap<String, Ref<M>> {}
impl<M, S> Pullable for HashMap<String, Ref<M>, S> {}

/// Compiles only for a field that may go down with what it refers to.
pub fn assert_cascade<T: ReferringToOne>() {}

/// Compiles only for a field that can say whose data a document is.
pub fn assert_subject<T: ReferringToOne>() {}

/// Compiles only for a field that refers to other documents.
pub fn assert_restrict<T: Referring>() {}

/// Compiles only for a reference that may be absent.
pub fn assert_nullify<T: Nullable>() {}

/// Compiles only for an array of references.
pub fn assert_pull<T: Pullable>() {}

/// A type that holds vectors.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no vectors",
    note = "`vector(..)` says how vectors are compared: the field is a `Vector<N>`, or an `Option` or `Vec` of it"
)]
pub trait Vectors {}

impl<const N: usize> Vectors for Vector<N> {}
impl<const N: usize> Vectors for Option<Vector<N>> {}
impl<const N: usize> Vectors for Vec<Vector<N>> {}

/// Compiles only for a field that holds vectors.
pub fn assert_vectors<T: Vectors>() {}

/// Compiles only for a field that can have a blind index.
pub fn assert_blindable<T: Blindable>() {}

/// Compiles only for a field that can have a blind index and has many values.
pub fn assert_distinct<T: Blindable>()
where
    T::Plain: Distinct,
{
}
