//! The sealed values of a stored document, found by its schema.

use crate::codec::{DecodeError, Elements, RawValue, tag};
use crate::crypto::{CryptoError, KeyId, shape};
use crate::error::Result;
use crate::schema::{FieldSchema, ModelSchema, TypeSchema};

/// A value that is sealed, or should be.
pub(super) struct Found<'a> {
    /// The stored path, dotted.
    pub(super) path: String,
    pub(super) ty: &'static TypeSchema,
    pub(super) value: RawValue<'a>,
}

impl<'a> Found<'a> {
    /// The envelope and the id of its key; none if the value is in the clear.
    ///
    /// # Errors
    /// The shape of the envelope is wrong.
    pub(super) fn envelope(&self) -> Option<Result<(KeyId, &'a [u8]), CryptoError>> {
        if self.value.tag != tag::BINARY {
            return None;
        }
        let (_, envelope) = self.value.binary().ok()?;
        Some(shape(envelope).map(|id| (id, envelope)))
    }
}

/// The values of a document that are sealed, or should be.
pub(super) fn sealed<'a>(schema: &'static ModelSchema, document: &'a [u8]) -> Result<Vec<Found<'a>>> {
    let mut found = Vec::new();
    if schema.has_encrypted() {
        walk(schema.fields, document, "", &mut found).map_err(DecodeError::into_error)?;
    }
    Ok(found)
}

fn walk<'a>(
    fields: &'static [FieldSchema],
    document: &'a [u8],
    parent: &str,
    found: &mut Vec<Found<'a>>,
) -> Result<(), DecodeError> {
    let mut elements = Elements::new(document)?;
    while let Some((key, value)) = elements.next()? {
        let Some(field) = fields.iter().find(|field| field.stored == key) else {
            continue;
        };
        if value.is_null() {
            continue;
        }
        let path = || match parent {
            "" => key.to_owned(),
            parent => format!("{parent}.{key}"),
        };
        match field.ty.required() {
            ty @ (TypeSchema::Encrypted(_) | TypeSchema::PasswordHash) => found.push(Found {
                path: path(),
                ty,
                value,
            }),
            TypeSchema::Embedded(schema) if value.tag == tag::DOCUMENT => {
                walk(schema().fields, value.bytes, &path(), found)?;
            }
            _ => {}
        }
    }
    Ok(())
}
