//! What a field can be compared with.

use bson::oid::ObjectId;
use bson::{Bson, Decimal128};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::codec::{Elements, FieldValue, Writer, read_bson};
use crate::value::{Bytes, Id, Identified, Ref, Revision, TenantId};

/// A field type that filters and sort orders reach.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be filtered or sorted on",
    label = "not a type that the server can compare",
    note = "an encrypted field, a password and a foreign type cannot be filtered or sorted on; \
            of an embedded struct, name the field inside it: `w.limits.max`",
    note = "an encrypted field with a `blind_index` is found by `eq` and `in_`, the digest of a token by `is`"
)]
pub trait Queryable: FieldValue {
    /// What one comparison is with: the element of an array, the value of an option, else the type itself.
    type Item;
}

/// A value that a field whose items are `I` can be compared with.
#[diagnostic::on_unimplemented(
    message = "a field of `{I}` cannot be compared with `{Self}`",
    label = "expected `{I}` or a reference to one"
)]
pub trait Operand<I> {
    /// The value's BSON form.
    fn into_operand(self) -> Bson;
}

/// The BSON form of a field value, by its own codec; null if it has none.
pub fn operand_of<T: FieldValue>(value: &T) -> Bson {
    let mut out = Writer::new();
    value.encode_item(&mut out, "v");
    let bytes = out.finish().unwrap_or_default();
    let element = Elements::new(&bytes).and_then(|mut elements| elements.next());
    element
        .ok()
        .flatten()
        .and_then(|(_, value)| read_bson(value).ok())
        .unwrap_or(Bson::Null)
}

macro_rules! operands {
    ($($type:ty),*) => {$(
        impl Queryable for $type {
            type Item = Self;
        }

        impl Operand<$type> for $type {
            fn into_operand(self) -> Bson {
                operand_of(&self)
            }
        }

        impl Operand<$type> for &$type {
            fn into_operand(self) -> Bson {
                operand_of(self)
            }
        }
    )*};
}

operands!(
    bool,
    i16,
    u16,
    i32,
    u32,
    i64,
    f32,
    f64,
    DateTime<Utc>,
    ObjectId,
    Uuid,
    Decimal128,
    Bytes,
    TenantId,
    Revision
);

/// A whole number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no whole number: nothing is left over when it is divided"
)]
pub trait Whole {}

macro_rules! whole {
    ($($type:ty),*) => {$(impl Whole for $type {})*};
}

whole!(i16, u16, i32, u32, i64, u64);

impl Queryable for u64 {
    type Item = Self;
}

/// Above BSON's largest integer it is compared as a decimal, exactly, and by every other number type.
impl Operand<u64> for u64 {
    fn into_operand(self) -> Bson {
        match (i64::try_from(self), self.to_string().parse::<Decimal128>()) {
            (Ok(number), _) => Bson::Int64(number),
            (Err(_), Ok(number)) => Bson::Decimal128(number),
            (Err(_), Err(_)) => Bson::MaxKey,
        }
    }
}

impl Operand<u64> for &u64 {
    fn into_operand(self) -> Bson {
        (*self).into_operand()
    }
}

impl Queryable for Bson {
    type Item = Self;
}

impl Operand<Bson> for Bson {
    fn into_operand(self) -> Bson {
        self
    }
}

impl Operand<Bson> for &Bson {
    fn into_operand(self) -> Bson {
        self.clone()
    }
}

impl Queryable for String {
    type Item = Self;
}

impl Operand<String> for String {
    fn into_operand(self) -> Bson {
        Bson::String(self)
    }
}

impl Operand<String> for &String {
    fn into_operand(self) -> Bson {
        Bson::String(self.clone())
    }
}

impl Operand<String> for &str {
    fn into_operand(self) -> Bson {
        Bson::String(self.to_owned())
    }
}

impl<M: Identified> Queryable for Id<M> {
    type Item = Self;
}

impl<M: Identified> Operand<Self> for Id<M> {
    fn into_operand(self) -> Bson {
        self.to_bson()
    }
}

impl<M: Identified> Operand<Id<M>> for &Id<M> {
    fn into_operand(self) -> Bson {
        self.to_bson()
    }
}

impl<M: Identified> Queryable for Ref<M> {
    type Item = Self;
}

impl<M: Identified> Operand<Self> for Ref<M> {
    fn into_operand(self) -> Bson {
        self.id().to_bson()
    }
}

impl<M: Identified> Operand<Ref<M>> for &Ref<M> {
    fn into_operand(self) -> Bson {
        self.id().to_bson()
    }
}

impl<M: Identified> Operand<Ref<M>> for Id<M> {
    fn into_operand(self) -> Bson {
        self.to_bson()
    }
}

impl<M: Identified> Operand<Ref<M>> for &Id<M> {
    fn into_operand(self) -> Bson {
        self.to_bson()
    }
}

impl<T: Queryable> Queryable for Option<T> {
    type Item = T::Item;
}

impl<T: Queryable> Queryable for Vec<T> {
    type Item = T::Item;
}
