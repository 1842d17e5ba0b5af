//! Re-sealing: a value under an older key goes under the primary one when its document is written anyway.

use bson::RawDocumentBuf;

use super::keys::StoreKeys;
use super::seal::{Primary, primary};
use super::sealed::sealed;
use crate::codec::{DecodeError, Elements, Writer};
use crate::engine::read::load;
use crate::engine::unit::WriteUnit;
use crate::error::{Error, Result};
use crate::store::UpdateOne;

/// The subtype of envelopes.
const SENSITIVE: u8 = 8;

/// Puts the values of `after` that lie under an older key under the primary one, in the document and in its update.
///
/// Nobody meant a change by it, so it comes after the differences were judged and audited. A value that does not open
/// is left as it is: its write is about something else, and the reader of the value will be told.
pub(in crate::engine) async fn refresh(
    unit: &dyn WriteUnit,
    after: &mut [u8],
    update: &mut UpdateOne,
) -> Result<()> {
    let (schema, caller) = (unit.schema(), unit.caller());
    let Some(Primary { keyring, key, .. }) = primary(caller, schema).await? else {
        return Ok(());
    };
    let mut fresh = Vec::new();
    let place = load::origin(schema, after)?;
    for found in sealed(schema, after)? {
        let (Some(Ok((id, envelope))), Some(place)) = (found.envelope(), place) else {
            continue;
        };
        if id == key.id() {
            continue;
        }
        let Ok(old) = Box::pin(keyring.load(&StoreKeys(&*caller.ports.store), id)).await else {
            continue;
        };
        if let Ok(new) = keyring.reseal(&old, &key, &found.origin(place), envelope) {
            fresh.push((found.path, envelope.to_vec(), new));
        }
    }
    if fresh.is_empty() {
        return Ok(());
    }
    let mut set = std::mem::take(&mut update.set).into_bytes();
    for (path, old, new) in &fresh {
        replace(after, old, new);
        if !replace(&mut set, old, new) {
            set = with_binary(&set, path, new)?;
        }
    }
    update.set = RawDocumentBuf::from_bytes(set).map_err(|_| Error::internal("a malformed update"))?;
    Ok(())
}

/// Overwrites an envelope by another of its length. Its nonce makes its bytes unique.
fn replace(document: &mut [u8], old: &[u8], new: &[u8]) -> bool {
    let found = document.windows(old.len()).position(|window| window == old);
    let slot = found.and_then(|start| document.get_mut(start..start + old.len()));
    match slot {
        Some(slot) if slot.len() == new.len() => {
            slot.copy_from_slice(new);
            true
        }
        _ => false,
    }
}

/// The document with one binary value more.
pub(super) fn with_binary(document: &[u8], path: &str, value: &[u8]) -> Result<Vec<u8>> {
    let mut out = Writer::with_capacity(document.len() + value.len() + path.len() + 16);
    let mut elements = Elements::new(document).map_err(DecodeError::into_error)?;
    while let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? {
        out.raw(key, value.tag, value.bytes);
    }
    out.binary(path, SENSITIVE, value);
    out.finish()
}
