//! What must hold for any bytes and any text: asked by the tests and by the targets of `fuzz/`.

use bson::Document;
use bson::raw::RawDocument;
use model_core::__private::{DecodeCx, DecodeError, DocReader, Writer};
use model_core::{Error, Id, Model, Stamp, TenantId};

use crate::judge;
use crate::model::{Everything, EverythingPatch, NewEverything};

/// What our writer writes.
pub(crate) fn encode(model: &Everything) -> Result<Vec<u8>, Error> {
    let mut out = Writer::new();
    model.encode(&mut out);
    out.finish()
}

/// What our reader reads.
pub(crate) fn decode(bytes: &[u8]) -> Result<Everything, DecodeError> {
    let cx = DecodeCx::root(None);
    let mut keys = DocReader::new(bytes, &cx)?;
    let model = Everything::decode(&mut keys)?;
    keys.finish()?;
    Ok(model)
}

/// Decoding answers with an error or a value, and each field of that value is what the `bson` crate reads there; true
/// if there was a value.
pub(crate) fn document(bytes: &[u8]) -> Result<bool, String> {
    let Ok(model) = decode(bytes) else {
        return Ok(false);
    };
    let ours = match encode(&model) {
        Ok(bytes) => {
            Document::from_reader(&*bytes).map_err(|error| format!("what we write again: {error}"))?
        }
        // Other clients may give a map any key; we read it and do not write it.
        Err(error) if error.violations().iter().all(|v| v.rule == "key") => return Ok(true),
        Err(error) => return Err(error.to_string()),
    };
    let theirs = RawDocument::from_bytes(bytes).map_err(|error| error.to_string())?;
    judge::agrees(&ours, theirs)?;
    Ok(true)
}

/// Reads a text as a create input and as a patch; true if it is a create input. A create input becomes a document that
/// our reader takes, or is refused with a path; nothing panics, and no message repeats the canary.
pub(crate) fn json(text: &str) -> Result<bool, String> {
    let patch = EverythingPatch::from_json(text);
    let new = NewEverything::from_json(text);
    for error in [patch.as_ref().err(), new.as_ref().err()].into_iter().flatten() {
        if error.violations().iter().any(|v| v.message.contains("canary")) {
            return Err(format!("a value is repeated: {error}"));
        }
    }
    let Ok(new) = new else { return Ok(false) };
    let stamp = Stamp {
        id: Id::parse("0123456789abcdef01234567").map_err(|error| error.to_string())?,
        tenant: TenantId::new("acme").map_err(|error| error.to_string())?,
        now: model_core::prelude::DateTime::UNIX_EPOCH,
    };
    match encode(&Everything::build(new, &stamp)) {
        Ok(bytes) => decode(&bytes)
            .map(|_| true)
            .map_err(|error| format!("does not decode: {error:?}")),
        Err(error) if error.is_invalid() && error.violations().iter().all(|v| !v.path.is_empty()) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
}
