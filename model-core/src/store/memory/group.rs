//! Rows and branches that documents are put together into.

use std::sync::Arc;

use bson::RawDocumentBuf;

use super::collection::{Collection, Stored};
use super::read::{documents, ready};
use super::refused;
use crate::codec::{Writer, tag};
use crate::query::{Branch, Facets, Grouping, Groups};
use crate::store::{Cursor, Find, StoreError, StoreResult};

/// A cursor over the rows that the documents of a read are put together into.
pub(super) fn group(
    collection: Option<&Arc<Collection>>,
    find: &Find,
    grouping: &Grouping,
) -> StoreResult<Box<dyn Cursor>> {
    if !grouping.raw.is_empty() {
        return Err(StoreError::Unsupported {
            what: "the embedded store knows no raw stages",
        });
    }
    let mut documents = documents(collection, find)?;
    let mut groups = Groups::new(grouping);
    while documents.next_batch() > 0 {
        for stored in &documents.batch {
            for share in groups.shares(stored.as_bytes()) {
                groups.add(share);
            }
        }
    }
    let rows = groups.rows().map_err(|_| sorted_by_arrays())?;
    let rows = rows
        .into_iter()
        .rev()
        .filter_map(|row| RawDocumentBuf::from_bytes(row).ok());
    Ok(ready(rows.map(Arc::new).collect()))
}

/// The one document of the branches over the documents of a read.
pub(super) fn facet(
    collection: Option<&Arc<Collection>>,
    find: &Find,
    branches: &[Branch],
) -> StoreResult<Box<dyn Cursor>> {
    let mut documents = documents(collection, find)?;
    let mut facets = Facets::new(branches);
    while documents.next_batch() > 0 {
        for stored in &documents.batch {
            let shares = facets.shares(stored.as_bytes());
            facets.add(shares).map_err(|_| sorted_by_arrays())?;
        }
    }
    let results = facets.results().map_err(|_| sorted_by_arrays())?;
    let mut out = Writer::with_capacity(1_024);
    for (place, documents) in results.iter().enumerate() {
        out.array(&place.to_string(), documents, |out, key, document| {
            out.raw(key, tag::DOCUMENT, document);
        });
    }
    let bytes = out.finish().ok();
    let document: Option<Stored> = bytes
        .and_then(|bytes| RawDocumentBuf::from_bytes(bytes).ok())
        .map(Arc::new);
    Ok(ready(document.into_iter().collect()))
}

fn sorted_by_arrays() -> StoreError {
    refused(16746, "Location16746")
}
