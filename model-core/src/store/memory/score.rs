//! Documents that come with how well they fit the words of a search.

use std::sync::Arc;

use bson::RawDocumentBuf;

use super::collection::Stored;
use super::refused;
use crate::codec::{Elements, Writer};
use crate::query::{Node, relevance};
use crate::schema::reserved;
use crate::store::StoreResult;

/// The documents that a filter with words has found, each with its score.
pub(super) fn scored(found: Vec<(u64, Stored)>, filter: &Node) -> StoreResult<Vec<(u64, Stored)>> {
    let with_score = |(slot, stored): (u64, Stored)| {
        let score = relevance(filter, stored.as_bytes()).unwrap_or_default();
        with(&stored, score).map(|stored| (slot, stored))
    };
    found.into_iter().map(with_score).collect()
}

fn with(stored: &Stored, score: f64) -> StoreResult<Stored> {
    let malformed = || refused(22, "InvalidBSON");
    let mut out = Writer::with_capacity(stored.as_bytes().len() + 16);
    let mut elements = Elements::new(stored.as_bytes()).map_err(|_| malformed())?;
    while let Some((key, value)) = elements.next().map_err(|_| malformed())? {
        if key != reserved::SCORE {
            out.raw(key, value.tag, value.bytes);
        }
    }
    out.f64(reserved::SCORE, score);
    let bytes = out.finish().map_err(|_| malformed())?;
    let document = RawDocumentBuf::from_bytes(bytes).map_err(|_| malformed())?;
    Ok(Arc::new(document))
}
