//! Documents that come with those of another collection, as the server's `$lookup` gives them.

use std::sync::Arc;

use bson::{Bson, RawDocumentBuf};

use super::collection::{Collection, Stored};
use super::read::{Scan, check, sorted};
use crate::codec::{Elements, Writer, read_bson, tag};
use crate::query::{Node, SortKey, Test, each_value};
use crate::schema::reserved;
use crate::store::{Join, Selection, StoreResult};

/// What each document of a cursor comes with.
pub(super) struct Joined {
    /// The other collection; none if there is no such collection.
    collection: Option<Arc<Collection>>,
    selection: Selection,
    local: String,
    foreign: String,
    sort: Vec<SortKey>,
    limit: usize,
}

impl Joined {
    pub(super) fn new(join: &Join, collection: Option<Arc<Collection>>) -> StoreResult<Self> {
        check(&join.find)?;
        Ok(Self {
            collection,
            selection: join.find.selection.clone(),
            local: join.local.clone().into_owned(),
            foreign: join.foreign.clone().into_owned(),
            sort: join.find.sort.clone(),
            limit: usize::try_from(join.find.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX),
        })
    }

    /// The document with what belongs to it.
    pub(super) fn with(&self, stored: &Stored) -> StoreResult<Stored> {
        let found = self.of(stored)?;
        let mut out = Writer::with_capacity(stored.as_bytes().len() + 64);
        if let Ok(mut elements) = Elements::new(stored.as_bytes()) {
            while let Ok(Some((key, value))) = elements.next() {
                if key != reserved::JOINED {
                    out.raw(key, value.tag, value.bytes);
                }
            }
        }
        out.array(reserved::JOINED, &found, |out, key, document| {
            out.raw(key, tag::DOCUMENT, document.as_bytes());
        });
        let bytes = out.finish().ok();
        let document = bytes.and_then(|bytes| RawDocumentBuf::from_bytes(bytes).ok());
        document
            .map(Arc::new)
            .ok_or_else(|| super::refused(22, "InvalidBSON"))
    }

    fn of(&self, stored: &Stored) -> StoreResult<Vec<Stored>> {
        let Some(collection) = &self.collection else {
            return Ok(Vec::new());
        };
        let mut values = Vec::new();
        each_value(stored.as_bytes(), &self.local, &mut |value| {
            // What belongs to nothing is not asked for.
            values.extend(read_bson(value).ok().filter(|value| *value != Bson::Null));
        });
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut selection = self.selection.clone();
        selection.rest = Node::field(self.foreign.clone(), Test::In(values)).and(selection.rest);
        let mut scan = Scan::new(collection.clone(), &selection);
        if self.sort.is_empty() {
            let found = scan.take(self.limit);
            return Ok(found.into_iter().map(|(_, stored)| stored).collect());
        }
        let mut found = sorted(&scan.take(usize::MAX), &self.sort)?;
        found.truncate(self.limit);
        Ok(found)
    }
}
