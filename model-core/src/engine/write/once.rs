//! Time series and capped collections: what is written there is written once, by no transaction.

use crate::codec::{DecodeError, Elements, RawValue, Writer};
use crate::engine::caller::Caller;
use crate::engine::ports::AuditTarget;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ModelSchema, TimeSeriesSpec, reserved};

/// Refuses what the server cannot do with documents of `schema`.
///
/// # Errors
/// `Unsupported`: the write `changes` a document, is to be `told` to the audit log, or lies in a transaction.
pub(super) fn admit(caller: &Caller, schema: &'static ModelSchema, changes: bool, told: bool) -> Result<()> {
    let Some(form) = schema.form else { return Ok(()) };
    let refuse = |why: &str| {
        let message = format!("the documents lie in {}: {why}", form.noun());
        Err(Error::new(ErrorKind::Unsupported, message))
    };
    if changes {
        return refuse("they are never changed or deleted one by one");
    }
    if caller.transaction.is_some() {
        return refuse("no transaction writes there, so create them before it or after it");
    }
    if told && matches!(caller.ports.audit, AuditTarget::Collection) {
        return refuse(
            "a write that bypasses permissions is audited in one transaction with its document, and no transaction writes there",
        );
    }
    Ok(())
}

/// The document, and the fields that tell whose it is once more, put together: the server packs measurements by one field,
/// and the tenant's are found, and deleted, by it. Within a pack they take no room.
pub(super) fn with_source(series: &TimeSeriesSpec, document: Vec<u8>) -> Result<Vec<u8>> {
    let names = series.composed();
    if names.is_empty() {
        return Ok(document);
    }
    let mut out = Writer::with_capacity(document.len() + 128);
    let mut source: Vec<(&str, Option<RawValue<'_>>)> = names.iter().map(|name| (*name, None)).collect();
    let mut elements = Elements::new(&document).map_err(DecodeError::into_error)?;
    while let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? {
        out.raw(key, value.tag, value.bytes);
        if let Some((_, slot)) = source.iter_mut().find(|(name, _)| *name == key) {
            *slot = Some(value);
        }
    }
    out.document(reserved::META, |out| {
        for (name, value) in source {
            if let Some(value) = value {
                out.raw(name, value.tag, value.bytes);
            }
        }
    });
    out.finish()
}
