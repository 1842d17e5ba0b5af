//! The handle of a field that no operator changes.

use std::fmt;
use std::ops::Deref;

use super::Operators;
use crate::codec::{FieldValue, Prefix};
use crate::query::Field;
use crate::schema::FieldSchema;

/// The handle of the id, the tenant, a timestamp, the revision, or a read-only field: it filters and sorts as any
/// [`Field`], and no operator changes it.
pub struct FixedField<M: 'static, T: FieldValue>(Field<M, T>);

/// What no handle of such a field is: the operators below are here only so that the compiler says why there are none.
#[diagnostic::on_unimplemented(
    message = "no update operator changes this field",
    label = "given by the model, or read-only",
    note = "the id, the tenant, timestamps and the revision are given by the pipeline; \
            a `#[model(readonly)]` field is set at create and stays"
)]
pub trait GivenByModel {}

macro_rules! refused {
    ($($name:ident),*; $($bare:ident),*) => {
        impl<M: 'static, T: FieldValue> FixedField<M, T> {
            $(
                #[doc(hidden)]
                pub fn $name<A>(&self, _: A) -> Operators<M>
                where
                    Self: GivenByModel,
                {
                    Operators::new(Vec::new())
                }
            )*
            $(
                #[doc(hidden)]
                pub fn $bare(&self) -> Operators<M>
                where
                    Self: GivenByModel,
                {
                    Operators::new(Vec::new())
                }
            )*
        }
    };
}

refused!(
    set, inc, mul, min, max, bit_and, bit_or, bit_xor, push, push_each, add_to_set, add_each_to_set, pull, pull_all,
    pull_where, each, key;
    unset, pop_first, pop_last
);

impl<M: 'static, T: FieldValue> FixedField<M, T> {
    #[doc(hidden)]
    pub const fn new(schema: &'static FieldSchema) -> Self {
        Self(Field::new(schema))
    }

    #[doc(hidden)]
    pub fn below(prefix: &Prefix, schema: &'static FieldSchema) -> Self {
        Self(Field::below(prefix, schema))
    }
}

impl<M: 'static, T: FieldValue> Deref for FixedField<M, T> {
    type Target = Field<M, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for FixedField<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
