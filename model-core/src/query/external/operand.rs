//! A value from outside as what a field is compared with.

use std::borrow::Cow;

use bson::Bson;
use serde_json::Value;

use crate::codec::{FieldValue, InputCx};
use crate::query::Queryable;
use crate::query::update::stored;
use crate::schema::FieldSchema;

/// Reads `value` as the type that a field of type `T` is compared with.
///
/// # Errors
/// What was expected instead.
pub fn read_operand<T>(field: &'static FieldSchema, value: Value) -> Result<Bson, Cow<'static, str>>
where
    T: Queryable,
    T::Item: FieldValue,
{
    let mut cx = InputCx::default();
    let input = T::Item::parse(value, &mut cx);
    let told = |violations: &[crate::Violation]| {
        violations
            .first()
            .map_or(Cow::Borrowed("does not fit the field"), |violation| {
                violation.message.clone()
            })
    };
    match (input, cx.finish()) {
        (Some(input), Ok(())) => stored::<T::Item>(field, input).map_err(|violations| told(&violations)),
        (_, Err(error)) => Err(told(error.violations())),
        (None, Ok(())) => Err(told(&[])),
    }
}
