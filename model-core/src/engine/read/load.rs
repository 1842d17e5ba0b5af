//! From stored bytes to a unit: version, migration, decoding.

use std::borrow::Cow;
use std::sync::Arc;

use bson::{Document, RawDocument, RawDocumentBuf};

use crate::codec::{DecodeError, Decoding, DocOrigin, Elements, RawValue, Today, tag};
use crate::engine::ports::Ports;
use crate::engine::secrets::document_seal;
use crate::engine::unit::Unit;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ModelSchema, reserved};
use crate::value::IdValue;

/// The raw value of a top-level field.
pub(in crate::engine) fn raw_field<'a>(document: &'a [u8], field: &str) -> Result<Option<RawValue<'a>>> {
    Elements::new(document)
        .and_then(|elements| elements.find(field))
        .map_err(DecodeError::into_error)
}

/// The raw value at a dotted path through documents.
pub(in crate::engine) fn raw_at<'a>(document: &'a [u8], path: &str) -> Result<Option<RawValue<'a>>> {
    let Some((first, rest)) = path.split_once('.') else {
        return raw_field(document, path);
    };
    match raw_field(document, first)? {
        Some(inner) if inner.tag == tag::DOCUMENT => raw_at(inner.bytes, rest),
        _ => Ok(None),
    }
}

/// The version of a stored document.
pub(in crate::engine) fn stored_version(document: &[u8]) -> Result<u32> {
    let version = raw_field(document, reserved::SCHEMA_VERSION)?;
    let version = version.map_or(Ok(1), |value| {
        value.i64().map_err(|error| error.at(reserved::SCHEMA_VERSION))
    });
    u32::try_from(version.map_err(DecodeError::into_error)?).map_err(|_| {
        Error::new(ErrorKind::Decode, "the schema version is out of range").at_path(reserved::SCHEMA_VERSION)
    })
}

/// The document in the shape of the present version, once its seal was found to hold: the way of everything that is read.
pub(in crate::engine) fn migrated<'a>(unit: &(impl Unit + ?Sized), raw: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    document_seal::check(&unit.caller().ports, unit.schema(), raw)?;
    reshaped(unit, raw)
}

/// The document in the shape of the present version: as stored, or migrated.
pub(in crate::engine) fn reshaped<'a>(unit: &(impl Unit + ?Sized), raw: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    let schema = unit.schema();
    let stored = stored_version(raw)?;
    if stored > schema.version {
        return Err(Error::new(
            ErrorKind::Decode,
            format!(
                "the document was written by version {stored} of the model, this program knows version {}",
                schema.version
            ),
        ));
    }
    if stored == schema.version {
        return Ok(Cow::Borrowed(raw));
    }
    let mut document = Document::from_reader(raw)
        .map_err(|_| Error::new(ErrorKind::Decode, "the stored document is malformed"))?;
    // A lookup's and a search's own; nothing that was stored.
    document.remove(reserved::JOINED);
    document.remove(reserved::SCORE);
    let migrated = unit.migrate(document, stored)?;
    let bytes = migrated
        .to_vec()
        .map_err(|_| Error::new(ErrorKind::Decode, "what `migrate` returned cannot be stored"))?;
    keep_identity(schema, raw, &bytes)?;
    Ok(Cow::Owned(bytes))
}

/// A migration changes what a document says, not which one it is, nor whose.
fn keep_identity(schema: &'static ModelSchema, raw: &[u8], migrated: &[u8]) -> Result<()> {
    for field in [reserved::ID, schema.id_field]
        .into_iter()
        .chain(schema.tenant_field())
    {
        let (Some(was), is) = (raw_field(raw, field)?, raw_field(migrated, field)?) else {
            continue;
        };
        if is.is_none_or(|is| (is.tag, is.bytes) != (was.tag, was.bytes)) {
            let message = "`migrate` changed whose document it is, or its id";
            return Err(Error::new(ErrorKind::Decode, message).at_path(field));
        }
    }
    Ok(())
}

fn has_secrets(schema: &ModelSchema) -> bool {
    schema.has_encrypted() || schema.token_scopes().any()
}

/// The identity of a document, needed only where values are sealed to it.
pub(in crate::engine) fn origin<'a>(
    schema: &'static ModelSchema,
    raw: &'a [u8],
) -> Result<Option<DocOrigin<'a>>> {
    if !has_secrets(schema) {
        return Ok(None);
    }
    DocOrigin::of(schema, raw).map_err(DecodeError::into_error)
}

/// A document in the present version, for what it has sealed: where it was just read and there is a clock, what had an end is
/// read no more after it.
pub(crate) fn decoding<'a>(
    schema: &'static ModelSchema,
    document: &'a [u8],
    clock: Option<&'a Ports>,
) -> Option<Decoding<'a>> {
    has_secrets(schema).then(|| Decoding::new(schema, document, clock.map(|ports| ports as &dyn Today)))
}

/// Bytes as a document.
pub(in crate::engine) fn view(raw: &[u8]) -> Result<&RawDocument> {
    RawDocument::from_bytes(raw)
        .map_err(|_| Error::new(ErrorKind::Decode, "the stored document is malformed"))
}

/// Bytes as a document that can be changed.
pub(in crate::engine) fn document(raw: &[u8]) -> Result<Document> {
    Document::from_reader(raw).map_err(|_| Error::new(ErrorKind::Decode, "the stored document is malformed"))
}

/// What tells the time to a unit that decodes secrets.
pub(in crate::engine) fn clock(unit: &(impl Unit + ?Sized)) -> Option<Arc<Ports>> {
    unit.schema()
        .has_encrypted()
        .then(|| Arc::clone(&unit.caller().ports))
}

/// A document of a batch as one of its own.
pub(in crate::engine) fn owned(raw: &[u8]) -> Result<RawDocumentBuf> {
    RawDocumentBuf::from_bytes(raw.to_vec())
        .map_err(|_| Error::new(ErrorKind::Decode, "the stored document is malformed"))
}

/// The id of a raw document.
pub(in crate::engine) fn id(schema: &ModelSchema, raw: &[u8]) -> Result<IdValue> {
    let field = schema.id_field;
    let missing = || Error::new(ErrorKind::Decode, "the document has no id").at_path(field);
    let value = raw_field(raw, field)?.ok_or_else(missing)?;
    IdValue::decode(value).map_err(|error| error.at(field).into_error())
}

/// The id of a raw document, for messages.
pub(in crate::engine) fn id_text(schema: &ModelSchema, raw: &[u8]) -> String {
    id(schema, raw).map_or_else(|_| "unknown".to_owned(), |id| id.to_string())
}
