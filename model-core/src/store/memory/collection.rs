//! Collections as values: a copy is a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use super::capped::{self, Cap};
use super::index::Index;
use super::log::Log;
use super::refused;
use super::tree::Tree;
use crate::codec::{Elements, RawValue, Writer, tag};
use crate::schema::IdKind;
use crate::store::{StoreError, StoreResult};
use crate::value::IdValue;

/// A stored document, shared by the snapshots that hold it.
pub(super) type Stored = Arc<RawDocumentBuf>;

/// All collections. A copy costs one pointer for each.
#[derive(Clone, Default)]
pub(super) struct Collections(BTreeMap<String, Arc<Collection>>);

impl Collections {
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Collection>> {
        self.0.get(name)
    }

    /// The collection to write to, made if there is none.
    pub(super) fn get_mut(&mut self, name: &str) -> &mut Collection {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Arc::default());
        }
        Arc::make_mut(self.0.entry(name.to_owned()).or_default())
    }

    /// Gives a collection another name; false if there is none.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> StoreResult<bool> {
        if !self.0.contains_key(from) {
            return Ok(false);
        }
        if self.0.contains_key(to) {
            return Err(refused(48, "NamespaceExists"));
        }
        if let Some(collection) = self.0.remove(from) {
            self.0.insert(to.to_owned(), collection);
        }
        Ok(true)
    }

    /// The collection to write to, if there is one.
    pub(super) fn existing_mut(&mut self, name: &str) -> StoreResult<&mut Collection> {
        self.0
            .get_mut(name)
            .map(Arc::make_mut)
            .ok_or_else(|| refused(26, "NamespaceNotFound"))
    }
}

/// A unique key that another document has.
pub(super) struct Clash {
    pub(super) index: String,
    pub(super) holder: u64,
}

/// The documents of one collection by slot, which is the order of their insertion, and its indexes, that of `_id`
/// first.
#[derive(Clone)]
pub(super) struct Collection {
    documents: Tree<u64, Stored>,
    next_slot: u64,
    indexes: Vec<Index>,
    /// What has happened to the documents, if that is kept.
    log: Option<Log>,
    /// Those that it was made with, if it is a time series or capped.
    options: Arc<Document>,
    cap: Option<Cap>,
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            documents: Tree::default(),
            next_slot: 0,
            indexes: vec![Index::of_ids()],
            log: None,
            options: Arc::default(),
            cap: None,
        }
    }
}

impl Collection {
    pub(super) fn get(&self, slot: u64) -> Option<&Stored> {
        self.documents.get(&slot)
    }

    /// The slot that the next new document gets.
    pub(super) fn next_slot(&self) -> u64 {
        self.next_slot
    }

    /// The documents after a slot, in the order of their insertion.
    pub(super) fn after(&self, slot: Option<u64>) -> impl Iterator<Item = (u64, &Stored)> {
        self.documents
            .after(slot.as_ref())
            .map(|(slot, stored)| (*slot, stored))
    }

    /// The unique index over these paths that every document is in.
    pub(super) fn unique(&self, paths: &[&str]) -> Option<&Index> {
        self.indexes.iter().find(|index| index.is_unique_over(paths))
    }

    /// Whether `document` could stand in `slot`: the first unique key that another document has.
    pub(super) fn clash(&self, slot: u64, document: &RawDocument) -> StoreResult<Option<Clash>> {
        for index in &self.indexes {
            for key in index.keys(document)? {
                if let Some(holder) = index.holder(&key).filter(|holder| *holder != slot) {
                    return Ok(Some(Clash {
                        index: index.name().to_owned(),
                        holder,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Puts `stored` into `slot`, in place of what is there.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`]; nothing has changed then.
    pub(super) fn put(&mut self, slot: u64, stored: Stored) -> StoreResult<()> {
        let before = self.place(slot, stored.clone())?;
        self.note(before, Some(stored));
        self.make_room();
        Ok(())
    }

    /// Removes the oldest documents of a capped collection, as long as there are too many; nobody is told of that.
    fn make_room(&mut self) {
        while self.cap.is_some_and(|cap| cap.is_over()) {
            let Some((oldest, _)) = self.after(None).next() else {
                return;
            };
            self.lift(oldest);
        }
    }

    /// The options that it was made with, in the server's words.
    pub(super) fn options(&self) -> &Document {
        &self.options
    }

    /// Makes it a time series or capped, or changes options of it, as the server's `create` and `collMod` do.
    pub(super) fn set_options(&mut self, changes: &Document) {
        let options = Arc::make_mut(&mut self.options);
        capped::change(options, changes);
        self.cap = Cap::of(options);
        if let Some(mut cap) = self.cap {
            self.after(None)
                .for_each(|(_, stored)| cap.add(stored.as_bytes().len()));
            self.cap = Some(cap);
        }
        self.make_room();
    }

    /// As [`put`](Self::put), unnoted; what was there before.
    pub(super) fn place(&mut self, slot: u64, stored: Stored) -> StoreResult<Option<Stored>> {
        if let Some(clash) = self.clash(slot, &stored)? {
            return Err(StoreError::Duplicate { index: clash.index });
        }
        let before = self.lift(slot);
        for index in &mut self.indexes {
            let keys = index.keys(&stored)?;
            index.add(keys, slot);
        }
        self.next_slot = self.next_slot.max(slot + 1);
        if let Some(cap) = &mut self.cap {
            cap.add(stored.as_bytes().len());
        }
        self.documents.insert(slot, stored);
        Ok(before)
    }

    /// Removes what is in `slot`.
    pub(super) fn take(&mut self, slot: u64) -> Option<Stored> {
        let stored = self.lift(slot)?;
        self.note(Some(stored.clone()), None);
        Some(stored)
    }

    /// As [`take`](Self::take), unnoted.
    pub(super) fn lift(&mut self, slot: u64) -> Option<Stored> {
        let stored = self.documents.remove(&slot)?;
        if let Some(cap) = &mut self.cap {
            cap.remove(stored.as_bytes().len());
        }
        for index in &mut self.indexes {
            // What is stored has passed here before, so that its keys can be made.
            index.remove(&index.keys(&stored).unwrap_or_default());
        }
        Some(stored)
    }

    /// Notes what a document was, and what it became.
    pub(super) fn note(&mut self, before: Option<Stored>, after: Option<Stored>) {
        if let Some(log) = &mut self.log {
            log.note(before, after);
        }
    }

    /// What has happened to the documents, if that is kept.
    pub(super) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// Keeps from now on what happens to the documents, or no more.
    pub(super) fn keep_log(&mut self, keep: bool) {
        if keep {
            self.log.get_or_insert_with(Log::new);
        } else {
            self.log = None;
        }
    }

    pub(super) fn list_indexes(&self) -> Vec<Document> {
        self.indexes.iter().map(Index::description).collect()
    }

    /// Adds an index over the documents that are there; nothing, if the same is there already.
    pub(super) fn create_index(&mut self, mut new: Index) -> StoreResult<()> {
        if new.is_over_ids() {
            return Ok(());
        }
        for index in &self.indexes {
            if index.is_same(&new)? {
                return Ok(());
            }
        }
        for (slot, stored) in self.after(None) {
            let keys = new.keys(stored)?;
            if keys
                .iter()
                .any(|key| new.holder(key).is_some_and(|holder| holder != slot))
            {
                return Err(StoreError::Duplicate {
                    index: new.name().to_owned(),
                });
            }
            new.add(keys, slot);
        }
        self.indexes.push(new);
        Ok(())
    }

    pub(super) fn set_index_ttl(&mut self, name: &str, seconds: i64) -> StoreResult<()> {
        let index = self.indexes.iter_mut().find(|index| index.name() == name);
        index
            .ok_or_else(|| refused(27, "IndexNotFound"))?
            .expire_after(seconds)
    }

    pub(super) fn set_index_hidden(&mut self, name: &str, hidden: bool) -> StoreResult<()> {
        let index = self.indexes.iter_mut().find(|index| index.name() == name);
        index
            .ok_or_else(|| refused(27, "IndexNotFound"))?
            .set_hidden(hidden)
    }

    /// Two ids of each group of documents that have one key in `index`, of `limit` groups.
    pub(super) fn duplicates(&self, mut index: Index, limit: u32) -> StoreResult<Vec<[Bson; 2]>> {
        let mut found = Vec::new();
        for (slot, stored) in self.after(None) {
            let keys = index.keys(stored)?;
            let clash = keys.iter().find_map(|key| index.holder(key));
            let holder = clash.filter(|holder| *holder != slot);
            match holder.and_then(|holder| self.get(holder)) {
                Some(holder) => found.push([id_of(holder), id_of(stored)]),
                None => index.add(keys, slot),
            }
            if found.len() >= limit as usize {
                break;
            }
        }
        Ok(found)
    }

    pub(super) fn drop_index(&mut self, name: &str) -> StoreResult<()> {
        match self.indexes.iter().position(|index| index.name() == name) {
            None => Err(refused(27, "IndexNotFound")),
            Some(0) => Err(refused(72, "InvalidOptions")),
            Some(position) => {
                self.indexes.remove(position);
                Ok(())
            }
        }
    }
}

fn id_of(stored: &Stored) -> Bson {
    let id = stored.get("_id").ok().flatten();
    id.and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null)
}

/// A document as it is stored: `_id` first, made if it is missing.
pub(super) fn to_store(bytes: &[u8]) -> StoreResult<Stored> {
    let malformed = || refused(22, "InvalidBSON");
    let raw = RawDocument::from_bytes(bytes).map_err(|_| malformed())?;
    if bytes.len() > MAX_DOCUMENT {
        return Err(refused(10334, "BSONObjectTooLarge"));
    }
    let mut elements = Elements::new(bytes).map_err(|_| malformed())?;
    let (mut position, mut id) = (0, None);
    while let Some((key, value)) = elements.next().map_err(|_| malformed())? {
        if key == "_id" {
            id = Some(value);
            break;
        }
        position += 1;
    }
    match id {
        Some(id) if matches!(id.tag, tag::ARRAY | tag::REGEX | tag::UNDEFINED) => {
            Err(refused(53, "InvalidIdField"))
        }
        Some(_) if position == 0 => Ok(Arc::new(raw.to_owned())),
        id => with_id_first(bytes, id),
    }
}

/// The most bytes that the server stores as one document.
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

fn with_id_first(bytes: &[u8], id: Option<RawValue<'_>>) -> StoreResult<Stored> {
    let malformed = || refused(22, "InvalidBSON");
    let mut out = Writer::with_capacity(bytes.len() + 24);
    match id {
        Some(id) => out.raw("_id", id.tag, id.bytes),
        #[allow(clippy::disallowed_methods)] // what the server does for a document of another writer
        None => IdValue::generate(IdKind::ObjectId).encode(&mut out, "_id"),
    }
    let mut elements = Elements::new(bytes).map_err(|_| malformed())?;
    let mut first_id = id.is_some();
    while let Some((key, value)) = elements.next().map_err(|_| malformed())? {
        if key == "_id" && std::mem::take(&mut first_id) {
            continue;
        }
        out.raw(key, value.tag, value.bytes);
    }
    let bytes = out.finish().map_err(|_| refused(10334, "BSONObjectTooLarge"))?;
    RawDocumentBuf::from_bytes(bytes)
        .map(Arc::new)
        .map_err(|_| malformed())
}
