//! What a batch writes: documents in their place, elsewhere, no longer.

use std::collections::BTreeMap;

use bson::{Bson, Document, RawDocumentBuf};

use super::{Carry, Failure, Parts, by_id, ids};
use crate::error::{Error, Result};
use crate::schema::reserved;
use crate::store::{Operations, Selection, StoreError, UpdateOne, into_error};

/// The writes of a batch, by their kinds.
#[derive(Default)]
pub(super) struct Writes {
    /// By collection: documents, and the id of the one that each comes from.
    inserts: BTreeMap<&'static str, Vec<(Vec<u8>, Bson)>>,
    updates: Vec<UpdateOne>,
    deletes: Vec<Selection>,
}

impl Writes {
    /// Takes in what becomes of one document; whether anything does.
    pub(super) fn add(
        &mut self,
        document: &Document,
        id: &Bson,
        parts: Parts,
        note: Option<Document>,
    ) -> Result<bool> {
        let mut inserts = Vec::with_capacity(parts.put.len() + 1);
        for (collection, part) in parts.put {
            inserts.push((collection, bytes(&part)?));
        }
        if let Some(note) = note {
            inserts.push((ids::COLLECTION, bytes(&note)?));
        }
        let mut changed = !inserts.is_empty();
        match parts.keep {
            None => {
                self.deletes.push(by_id(id.clone()));
                changed = true;
            }
            Some(kept) => {
                if let Some((set, unset)) = difference(document, &kept)? {
                    let selection = by_id(id.clone());
                    self.updates.push(UpdateOne {
                        selection,
                        set,
                        unset,
                    });
                    changed = true;
                }
            }
        }
        for (collection, bytes) in inserts {
            self.inserts
                .entry(collection)
                .or_default()
                .push((bytes, id.clone()));
        }
        Ok(changed)
    }

    pub(super) async fn carry_out(self, store: &dyn Operations, from: &'static str) -> Result<(), Failure> {
        for (collection, documents) in &self.inserts {
            let bytes: Vec<&[u8]> = documents.iter().map(|(bytes, _)| bytes.as_slice()).collect();
            if let Err(error) = store.insert(collection, &bytes).await {
                let position = match &error {
                    StoreError::Statement { position, error } if is_duplicate(error) => *position,
                    error if is_duplicate(error) => 0,
                    _ => return Err(error.into()),
                };
                return Err(match documents.get(position) {
                    Some((_, id)) => {
                        Failure::Document(id.clone(), into_error(error).at_id(|| ids::text(Some(id))))
                    }
                    None => error.into(),
                });
            }
        }
        if !self.updates.is_empty() {
            let updates: Vec<&UpdateOne> = self.updates.iter().collect();
            store.update(from, &updates).await?;
        }
        if !self.deletes.is_empty() {
            let deletes: Vec<&Selection> = self.deletes.iter().collect();
            store.delete(from, &deletes).await?;
        }
        Ok(())
    }
}

fn is_duplicate(error: &StoreError) -> bool {
    matches!(error, StoreError::Duplicate { .. })
}

/// The parts of a document, which are storable.
pub(super) fn carried(carry: &Carry, document: &Document) -> Result<Parts> {
    let id = document.get("_id");
    let parts = carry(document.clone())?;
    if parts.keep.as_ref().is_some_and(|kept| kept.get("_id") != id) {
        return Err(Error::refused(
            "an `_id` cannot change in its place: move the document",
        ));
    }
    for (_, part) in &parts.put {
        if part.get("_id").is_none() {
            return Err(Error::refused("what is stored elsewhere needs an `_id`"));
        }
        if part.values().any(is_sealed) {
            return Err(Error::refused(
                "a sealed value is bound to its collection and document, and would not open elsewhere",
            ));
        }
    }
    Ok(parts)
}

/// Whether an envelope of this crate lies in the value.
fn is_sealed(value: &Bson) -> bool {
    match value {
        Bson::Binary(binary) => {
            binary.subtype == bson::spec::BinarySubtype::Sensitive
                && matches!(binary.bytes.first(), Some(0xE1 | 0xE2))
        }
        Bson::Array(values) => values.iter().any(is_sealed),
        Bson::Document(document) => document.values().any(is_sealed),
        _ => false,
    }
}

/// What to set and to unset; nothing if the documents are the same.
pub(super) fn difference(
    before: &Document,
    after: &Document,
) -> Result<Option<(RawDocumentBuf, Vec<String>)>> {
    let changed = after.iter().filter(|(key, value)| before.get(key) != Some(value));
    let mut set: Document = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
    let unset: Vec<String> = before
        .keys()
        .filter(|key| !after.contains_key(key))
        .cloned()
        .collect();
    if set.is_empty() && unset.is_empty() {
        return Ok(None);
    }
    if before.contains_key(reserved::SEAL) {
        return Err(Error::refused(
            "the document is under a seal, which a change past its model would break: change it by the model's `migrate`",
        ));
    }
    if set
        .keys()
        .chain(&unset)
        .any(|key| key.contains('.') || key.starts_with('$'))
    {
        return Err(Error::refused(
            "a field whose name has a dot cannot be changed in its place",
        ));
    }
    // Who has read the document before must not write on what it was.
    if let Ok(revision) = before.get_i64(reserved::REVISION) {
        set.insert(reserved::REVISION, revision.wrapping_add(1));
    }
    let set = RawDocumentBuf::try_from(&set).map_err(|_| Error::internal("a malformed document"))?;
    Ok(Some((set, unset)))
}

fn bytes(document: &Document) -> Result<Vec<u8>> {
    document
        .to_vec()
        .map_err(|_| Error::refused("what the step made of the document cannot be stored"))
}
