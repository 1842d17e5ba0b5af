//! The stored form of a value that an operator is given.

use bson::Bson;

use super::{ALONE, Action};
use crate::codec::{Elements, FieldValue, Mode, Visitor, Writer, read_bson};
use crate::error::{Error, Violation};
use crate::schema::FieldSchema;

/// Why a value cannot be stored, with paths below [`ALONE`].
pub(in crate::query) type Refusal = Vec<Violation>;

/// The stored form of `value`, normalised as the field is: so that comparisons with what is stored find what they should.
pub(in crate::query) fn stored<T: FieldValue>(
    schema: &'static FieldSchema,
    value: T::Input,
) -> Result<Bson, Refusal> {
    let mut value = T::from_input(value);
    Visitor::new(Mode::Normalise).field(schema, &mut value);
    let mut out = Writer::new();
    value.encode_item(&mut out, ALONE);
    let bytes = out.finish().map_err(|error| refusal(&error))?;
    let element = Elements::new(&bytes).and_then(|mut elements| elements.next());
    match element.map(|element| element.map(|(_, value)| read_bson(value))) {
        Ok(Some(Ok(value))) => Ok(value),
        _ => Err(vec![Violation::new(ALONE, "bson", "the value has no BSON form")]),
    }
}

/// The action with the stored form of a value.
pub(super) fn with<T: FieldValue>(
    schema: &'static FieldSchema,
    value: impl Into<T::Input>,
    action: impl FnOnce(Bson) -> Action,
) -> Action {
    stored::<T>(schema, value.into()).map_or_else(Action::Refused, action)
}

/// The action with the stored forms of several values.
pub(super) fn with_all<T: FieldValue>(
    schema: &'static FieldSchema,
    values: impl IntoIterator<Item: Into<T::Input>>,
    action: impl FnOnce(Vec<Bson>) -> Action,
) -> Action {
    let values: Result<_, _> = values
        .into_iter()
        .map(|value| stored::<T>(schema, value.into()))
        .collect();
    values.map_or_else(Action::Refused, action)
}

fn refusal(error: &Error) -> Refusal {
    if error.is_invalid() {
        return error.violations().to_vec();
    }
    // There are no keys here to seal with.
    vec![Violation::new(
        ALONE,
        "secret",
        "holds an encrypted part, which a patch changes, not an operator",
    )]
}
