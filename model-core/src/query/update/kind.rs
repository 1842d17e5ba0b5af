//! Which operators a field's type allows. What is missing here is a compile error at the call.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use bson::oid::ObjectId;
use bson::{Bson, Decimal128};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::codec::FieldValue;
use crate::value::{Bytes, Foreign, Id, Identified, Ref, Vector};

/// A field type that operators may set.
///
/// Not so a secret, which is sealed when a whole value is written, and a tenant's id or a revision, which are the
/// pipeline's to give.
#[diagnostic::on_unimplemented(
    message = "no update operator changes a field of type `{Self}`",
    label = "not a type that an operator can set",
    note = "an encrypted field or a password is changed by a patch: `Widget::update(..)` or `Widget::modify(..)`; \
            a tenant's id and a revision are given by the pipeline; a type of your own needs `#[derive(Embedded)]`"
)]
pub trait Editable: FieldValue {}

/// A field type with an order: `min` and `max`.
#[diagnostic::on_unimplemented(
    message = "`min` and `max` need a field with an order, not one of type `{Self}`",
    label = "not a type that the server orders by a single value",
    note = "`min` and `max` are for numbers, strings, dates and ids, and options of them"
)]
pub trait Ordered: Editable {
    /// The type inside options.
    type Scalar: FieldValue;
}

/// A number: `inc` and `mul`.
#[diagnostic::on_unimplemented(
    message = "`inc` and `mul` need a number, not a field of type `{Self}`",
    label = "not a number that operators compute with",
    note = "numbers are: i16, u16, i32, u32, i64, u64, f32, f64, and options of them; decimals can be set, not computed with"
)]
pub trait Countable: Editable {
    /// What is added or multiplied with: as wide as the stored number, and signed.
    type Step: Copy + Into<Bson>;
}

/// A whole number: `bit_and`, `bit_or`, `bit_xor`.
#[diagnostic::on_unimplemented(
    message = "an operation on bits needs a whole number, not a field of type `{Self}`",
    label = "not a whole number",
    note = "whole numbers are: i16, u16, i32, u32, i64, u64, and options of them"
)]
pub trait Bits: Countable {}

/// A field that may be absent: `unset`.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be removed: it is required",
    label = "not optional",
    note = "`unset` is for fields of type `Option<T>`; the key of a map is removed by `w.labels.key(\"x\").unset()`"
)]
pub trait Removable: Editable {}

/// An array, or an optional one: `push`, `pull`, `add_to_set`, `each` and the like.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is no array",
    label = "not `Vec<T>` or `Option<Vec<T>>`",
    note = "`push`, `push_each`, `add_to_set`, `pull`, `pop_first`, `pop_last` and `each` are for arrays whose elements \
            operators can set"
)]
pub trait Array: Editable {
    /// The type of an element.
    type Element: Editable;
}

/// A map, or an optional one: `key`.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is no map",
    label = "not a `BTreeMap<String, T>` or `HashMap<String, T>`",
    note = "`key` is for maps with string keys; the field of an embedded struct is reached by its name: `w.limits.max`"
)]
pub trait MapOf: Editable {
    /// The type of a value.
    type Value: Editable;
}

macro_rules! ordered {
    ($($type:ty),*) => {$(
        impl Editable for $type {}

        impl Ordered for $type {
            type Scalar = Self;
        }
    )*};
}

macro_rules! countable {
    ($($type:ty, $step:ty;)*) => {$(
        ordered!($type);

        impl Countable for $type {
            type Step = $step;
        }
    )*};
}

macro_rules! bits {
    ($($type:ty),*) => {$(impl Bits for $type {})*};
}

countable!(i16, i32; u16, i32; i32, i32; u32, i64; i64, i64; u64, i64; f32, f32; f64, f64;);
bits!(i16, u16, i32, u32, i64, u64);
ordered!(bool, String, DateTime<Utc>, ObjectId, Uuid, Decimal128, Bytes);

impl Editable for Bson {}

impl<const N: usize> Editable for Vector<N> {}

impl<T> Editable for Foreign<T> where Self: FieldValue {}

impl<M: Identified> Editable for Id<M> where Self: FieldValue {}

impl<M: Identified> Editable for Ref<M> where Self: FieldValue {}

impl<M: Identified> Ordered for Ref<M>
where
    Self: FieldValue,
{
    type Scalar = Self;
}

impl<M: Identified> Ordered for Id<M>
where
    Self: FieldValue,
{
    type Scalar = Self;
}

impl<T: Editable> Editable for Option<T> {}

impl<T: Editable> Removable for Option<T> {}

impl<T: Ordered> Ordered for Option<T> {
    type Scalar = T::Scalar;
}

impl<T: Countable> Countable for Option<T> {
    type Step = T::Step;
}

impl<T: Bits> Bits for Option<T> {}

impl<T: Editable> Editable for Vec<T> {}

impl<T: Editable> Array for Vec<T> {
    type Element = T;
}

impl<T: Array> Array for Option<T> {
    type Element = T::Element;
}

impl<T: Editable> Editable for BTreeMap<String, T> {}

impl<T: Editable> MapOf for BTreeMap<String, T> {
    type Value = T;
}

impl<T: Editable, S: BuildHasher + Default + Clone + Send + Sync + 'static> Editable
    for HashMap<String, T, S>
{
}

impl<T: Editable, S: BuildHasher + Default + Clone + Send + Sync + 'static> MapOf for HashMap<String, T, S> {
    type Value = T;
}

impl<T: MapOf> MapOf for Option<T> {
    type Value = T::Value;
}
