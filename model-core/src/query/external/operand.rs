//! A value from outside as what a field is compared with.

use std::borrow::Cow;

use bson::Bson;
use serde_json::Value;

use crate::codec::{FieldValue, InputCx};
use crate::query::Queryable;
use crate::query::update::stored;
use crate::schema::FieldSchema;

/// A field type that filters from outside can compare.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be `filterable`",
    label = "not a type that the server can compare",
    note = "an encrypted field, a password and a foreign type cannot be filtered on; \
            of an embedded struct, make the fields inside it `filterable`"
)]
pub trait Filterable: FieldValue {
    /// What one comparison is with.
    type Operand: FieldValue;
}

impl<T> Filterable for T
where
    T: Queryable,
    T::Item: FieldValue,
{
    type Operand = T::Item;
}

/// Reads `value` as the type that a field of type `T` is compared with.
///
/// # Errors
/// What was expected instead.
pub fn read_operand<T: Filterable>(
    field: &'static FieldSchema,
    value: Value,
) -> Result<Bson, Cow<'static, str>> {
    let mut cx = InputCx::default();
    let input = T::Operand::parse(value, &mut cx);
    let told = |violations: &[crate::Violation]| {
        violations
            .first()
            .map_or(Cow::Borrowed("does not fit the field"), |violation| {
                violation.message.clone()
            })
    };
    match (input, cx.finish()) {
        (Some(input), Ok(())) => stored::<T::Operand>(field, input).map_err(|violations| told(&violations)),
        (_, Err(error)) => Err(told(error.violations())),
        (None, Ok(())) => Err(told(&[])),
    }
}
