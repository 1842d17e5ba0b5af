//! Handles of encrypted fields with a blind index.

use std::fmt;
use std::ops::Deref;

use bson::Decimal128;
use bson::oid::ObjectId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::blind::{BLIND_LEN, Blind};
use super::field::Field;
use super::filter::{Filter, Lookup, Node, Test};
use crate::codec::{FieldValue, Mode, Prefix, Visitor, blind_value, plaintext};
use crate::crypto::Plaintext;
use crate::schema::{BlindSpec, FieldSchema, reserved};
use crate::value::{Bytes, Encrypted, Id, Identified, Secret, TenantId};

/// A field type that can have a blind index.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot have a blind index",
    label = "not an encrypted value",
    note = "a blind index is for `Encrypted<T>` and `Option<Encrypted<T>>`; any other field has an `index`"
)]
pub trait Blindable: FieldValue {
    /// The value that is encrypted.
    type Plain: FieldValue;
}

impl<T: FieldValue + Clone> Blindable for Encrypted<T> {
    type Plain = T;
}

impl<T: FieldValue + Clone> Blindable for Option<Encrypted<T>> {
    type Plain = T;
}

/// A type with so many values that equal tokens tell little.
#[diagnostic::on_unimplemented(
    message = "a blind index over `{Self}` would show which documents have the same value",
    label = "this type has few values",
    note = "say `blind_index(allow_low_entropy)` if that may be known, and how often each value occurs"
)]
pub trait Distinct {}

macro_rules! distinct {
    ($($type:ty),*) => {$( impl Distinct for $type {} )*};
}

distinct!(
    String,
    Bytes,
    i64,
    u64,
    f64,
    Decimal128,
    DateTime<Utc>,
    ObjectId,
    Uuid,
    TenantId
);

impl<M: Identified> Distinct for Id<M> {}

/// The handle of an encrypted field with a blind index: it is found by equality, and by nothing else.
///
/// The value in a filter stays inside the process: a store sees only its tokens.
pub struct BlindField<M: 'static, T: FieldValue>(Field<M, T>, &'static FieldSchema);

impl<M: 'static, T: Blindable> BlindField<M, T> {
    /// Equal, after the index's normalizer.
    pub fn eq(&self, value: impl Into<Secret<T::Plain>>) -> Filter<M> {
        self.in_([value])
    }

    /// Equal to one of the values; none of them: nothing matches.
    pub fn in_<I>(&self, values: I) -> Filter<M>
    where
        I: IntoIterator,
        I::Item: Into<Secret<T::Plain>>,
    {
        let spec = self.1.blind.unwrap_or_default();
        let values: Vec<_> = values
            .into_iter()
            .filter_map(|value| self.form(spec, value.into()))
            .collect();
        if values.is_empty() {
            return Filter::nothing();
        }
        let test = Test::Blind(Blind {
            index: spec.index(self.0.path()),
            global: spec.global,
            length: BLIND_LEN,
            bits: spec.bits,
            values,
        });
        let path = format!("{}.{}", reserved::BLIND_INDEX, self.0.path());
        Filter::from_node(Node::field(path, test))
    }

    /// The value as the field would store it, in the form that tokens are made of.
    fn form(&self, spec: BlindSpec, mut value: Secret<T::Plain>) -> Option<Plaintext> {
        Visitor::new(Mode::Normalise).field(self.1, value.expose_mut());
        let plain = plaintext(|plain, v| value.expose().encode_item(plain, v));
        blind_value(spec.normalise, &plain.ok()?)
    }
}

impl<M: 'static, T: FieldValue> BlindField<M, T> {
    #[doc(hidden)]
    pub const fn new(schema: &'static FieldSchema) -> Self {
        Self(Field::new(schema), schema)
    }

    #[doc(hidden)]
    pub fn below(prefix: &Prefix, schema: &'static FieldSchema) -> Self {
        Self(Field::below(prefix, schema), schema)
    }
}

impl<M: 'static, T: FieldValue> Deref for BlindField<M, T> {
    type Target = Field<M, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for BlindField<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The handle of an encrypted field whose blind index is unique over all tenants: it can also find a document before the
/// tenant is known.
pub struct UniqueBlindField<M: 'static, T: FieldValue>(BlindField<M, T>);

impl<M: 'static, T: Blindable> UniqueBlindField<M, T> {
    /// The key of the one document, of whatever tenant, in which the field has this value.
    pub fn lookup(&self, value: impl Into<Secret<T::Plain>>) -> Lookup<M> {
        Lookup::new(self.0.eq(value))
    }
}

impl<M: 'static, T: FieldValue> UniqueBlindField<M, T> {
    #[doc(hidden)]
    pub const fn new(schema: &'static FieldSchema) -> Self {
        Self(BlindField::new(schema))
    }

    #[doc(hidden)]
    pub fn below(prefix: &Prefix, schema: &'static FieldSchema) -> Self {
        Self(BlindField::below(prefix, schema))
    }
}

impl<M: 'static, T: FieldValue> Deref for UniqueBlindField<M, T> {
    type Target = BlindField<M, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for UniqueBlindField<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
