//! The fields at the top level of two documents, side by side.

use super::equal;
use crate::codec::{DecodeError, Elements, RawValue};
use crate::error::Result;
use crate::schema::{FieldSchema, reserved};

/// The value of each field of a schema, in its order.
pub(super) type Values<'a> = Vec<Option<RawValue<'a>>>;

/// A field whose value is not the same on both sides.
pub(super) struct Unlike<'a> {
    pub(super) index: usize,
    pub(super) before: Option<RawValue<'a>>,
    pub(super) after: Option<RawValue<'a>>,
}

/// The fields whose values are not the same in two documents.
pub(super) fn unlike<'a>(
    fields: &[FieldSchema],
    before: &'a [u8],
    after: &'a [u8],
) -> Result<Vec<Unlike<'a>>> {
    match unlike_in_order(fields, before, after)? {
        Some(unlike) => Ok(unlike),
        None => unlike_in_any_order(fields, before, after),
    }
}

/// What is unlike in two documents that have no fields but these, in this order, as this crate writes them; none if one
/// of them is another's work.
fn unlike_in_order<'a>(
    fields: &[FieldSchema],
    before: &'a [u8],
    after: &'a [u8],
) -> Result<Option<Vec<Unlike<'a>>>> {
    let read = || {
        let (mut old, mut new) = (Elements::new(before)?, Elements::new(after)?);
        let mut unlike = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let (before, after) = (
                old.next_if(field.stored.as_bytes())?,
                new.next_if(field.stored.as_bytes())?,
            );
            if !equal(before, after) {
                unlike.push(Unlike { index, before, after });
            }
        }
        let complete = has_no_fields(old)? && has_no_fields(new)?;
        Ok(complete.then_some(unlike))
    };
    read().map_err(DecodeError::into_error)
}

/// Whether nothing is left but what the crate itself keeps of a document.
fn has_no_fields(mut rest: Elements<'_>) -> Result<bool, DecodeError> {
    while let Some((key, _)) = rest.next()? {
        if !reserved::ALL.contains(&key) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn unlike_in_any_order<'a>(
    fields: &[FieldSchema],
    before: &'a [u8],
    after: &'a [u8],
) -> Result<Vec<Unlike<'a>>> {
    let sides = by_field(fields, before)?
        .into_iter()
        .zip(by_field(fields, after)?);
    Ok(sides
        .enumerate()
        .filter(|(_, (before, after))| !equal(*before, *after))
        .map(|(index, (before, after))| Unlike { index, before, after })
        .collect())
}

/// The value of each field in a document. Documents are written in the order of the fields, so that each is looked for
/// where the one before it was found.
pub(super) fn by_field<'a>(fields: &[FieldSchema], document: &'a [u8]) -> Result<Values<'a>> {
    let mut values = vec![None; fields.len()];
    let mut elements = Elements::new(document).map_err(DecodeError::into_error)?;
    let mut next = 0;
    while !elements.is_at_end() {
        let expected = match fields.get(next) {
            Some(field) => elements.next_if(field.stored.as_bytes()),
            None => Ok(None),
        };
        let (place, value) = match expected.map_err(DecodeError::into_error)? {
            Some(value) => (next, value),
            None => {
                let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? else {
                    break;
                };
                let named = |place: &usize| fields.get(*place).is_some_and(|field| field.stored == key);
                match (next..fields.len()).chain(0..next).find(named) {
                    Some(place) => (place, value),
                    None => continue,
                }
            }
        };
        next = place + 1;
        if let Some(slot) = values.get_mut(place)
            && slot.is_none()
        {
            *slot = Some(value);
        }
    }
    Ok(values)
}

/// The value of the field at `index`.
pub(super) fn value<'a>(values: &Values<'a>, index: usize) -> Option<RawValue<'a>> {
    values.get(index).copied().flatten()
}
