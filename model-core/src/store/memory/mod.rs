//! The embedded store: documents in this process's memory, with the server's meaning of filters, sort orders, updates
//! and unique indexes.
//!
//! Collections are persistent values (see [`tree`]): a cursor and a transaction hold a snapshot at the cost of a few
//! pointers, and writers never wait for readers. A time to live is recorded and listed; nothing expires.

mod capped;
mod collection;
mod group;
mod index;
mod join;
mod log;
mod partial;
mod read;
mod score;
#[cfg(test)]
mod tests;
mod transaction;
mod tree;
pub(super) mod update;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bson::{Bson, Document, RawDocumentBuf};

use self::collection::{Collection, Collections, to_store};
use self::index::{Index, Key};
use self::log::Watching;
use self::transaction::MemoryTransaction;
use super::{
    Abilities, Changes, Cursor, Find, Operations, Selection, Store, StoreError, StoreResult, Transaction,
    Unwound, UpdateOne, WatchFrom,
};
use crate::query::{Branch, Grouping, Node, Test, matches};
use crate::schema::reserved;

/// What all handles of one store share. The lock is held for one operation, and never while one waits.
type Shared = Arc<Mutex<Collections>>;

/// The lock on the collections; a panic elsewhere leaves them as they were before the operation.
fn lock(shared: &Shared) -> MutexGuard<'_, Collections> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A refusal with the server's code and name.
fn refused(code: i32, name: &str) -> StoreError {
    StoreError::Refused {
        code,
        name: name.to_owned(),
    }
}

/// The embedded store. Clones are handles of the same documents.
#[derive(Clone, Default)]
pub(crate) struct MemoryStore {
    shared: Shared,
}

/// Shows no document.
impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn snapshot(&self, collection: &str) -> Option<Arc<Collection>> {
        lock(&self.shared).get(collection).cloned()
    }

    /// The documents of a collection as they are stored, in the order of their insertion.
    #[cfg(test)]
    pub(crate) fn dump(&self, collection: &str) -> Vec<Document> {
        let snapshot = self.snapshot(collection);
        let stored = snapshot.iter().flat_map(|snapshot| snapshot.after(None));
        stored
            .filter_map(|(_, stored)| Document::try_from(&**stored).ok())
            .collect()
    }

    /// Stores a document in place of the one with its `_id` if there is one.
    pub(crate) fn put(&self, collection: &str, document: &Document) -> StoreResult<()> {
        let malformed = || refused(22, "InvalidBSON");
        let bytes = document.to_vec().map_err(|_| malformed())?;
        let stored = to_store(&bytes)?;
        let mut collections = lock(&self.shared);
        let collection = collections.get_mut(collection);
        let mut elements = crate::codec::Elements::new(stored.as_bytes()).map_err(|_| malformed())?;
        let id = elements.next().ok().flatten().map(|(_, id)| id);
        let slot = id
            .and_then(|id| collection.unique(&[reserved::ID])?.holder(&Key::new(&[id])))
            .unwrap_or(collection.next_slot());
        collection.put(slot, stored.clone())
    }
}

/// Lets others run before a write, as on the way to a server: between what a task reads and what it then writes, another
/// may write.
async fn suspend() {
    tokio::task::yield_now().await;
}

#[async_trait]
impl Operations for MemoryStore {
    async fn find_one(
        &self,
        collection: &'static str,
        selection: &Selection,
    ) -> StoreResult<Option<RawDocumentBuf>> {
        let snapshot = self.snapshot(collection);
        Ok(snapshot
            .and_then(|snapshot| read::first(&snapshot, selection))
            .map(|(_, stored)| (*stored).clone()))
    }

    async fn find(&self, find: &Find) -> StoreResult<Box<dyn Cursor>> {
        let joined = find.join.as_ref();
        let joined = joined.map(|join| self.snapshot(join.find.collection));
        read::find(self.snapshot(find.collection).as_ref(), find, joined.flatten())
    }

    async fn count(&self, find: &Find) -> StoreResult<u64> {
        read::count(self.snapshot(find.collection).as_ref(), find)
    }

    async fn distinct(&self, find: &Find, field: &Unwound) -> StoreResult<Box<dyn Cursor>> {
        read::distinct(self.snapshot(find.collection).as_ref(), find, field)
    }

    async fn group(&self, find: &Find, grouping: &Grouping) -> StoreResult<Box<dyn Cursor>> {
        group::group(self.snapshot(find.collection).as_ref(), find, grouping)
    }

    async fn facet(&self, find: &Find, branches: &[Branch]) -> StoreResult<Box<dyn Cursor>> {
        group::facet(self.snapshot(find.collection).as_ref(), find, branches)
    }

    async fn insert(&self, collection: &'static str, documents: &[&[u8]]) -> StoreResult<()> {
        suspend().await;
        let mut collections = lock(&self.shared);
        let collection = collections.get_mut(collection);
        in_order(documents, |document| {
            let stored = to_store(document)?;
            collection.put(collection.next_slot(), stored).map(|()| true)
        })
        .map(|_| ())
    }

    async fn update(&self, collection: &'static str, updates: &[&UpdateOne]) -> StoreResult<u64> {
        suspend().await;
        let mut collections = lock(&self.shared);
        in_order(updates, |update| {
            let found = collections
                .get(collection)
                .and_then(|found| read::first(found, &update.selection));
            let Some((slot, stored)) = found else {
                return Ok(false);
            };
            let stored = update::updated(&stored, &update.set, &update.unset)?;
            collections
                .get_mut(collection)
                .put(slot, Arc::new(stored))
                .map(|()| true)
        })
    }

    async fn delete(&self, collection: &'static str, selections: &[&Selection]) -> StoreResult<u64> {
        suspend().await;
        let mut collections = lock(&self.shared);
        in_order(selections, |selection| {
            let found = collections
                .get(collection)
                .and_then(|found| read::first(found, selection));
            let Some((slot, _)) = found else { return Ok(false) };
            Ok(collections.get_mut(collection).take(slot).is_some())
        })
    }
}

/// Carries out one statement after the other, and counts those that found their document.
fn in_order<T>(statements: &[T], mut run: impl FnMut(&T) -> StoreResult<bool>) -> StoreResult<u64> {
    let mut found = 0;
    for (position, statement) in statements.iter().enumerate() {
        found += u64::from(run(statement).map_err(|error| error.of_statement(position, statements.len()))?);
    }
    Ok(found)
}

#[async_trait]
impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn abilities(&self) -> StoreResult<Abilities> {
        Ok(Abilities::new(true).ephemeral())
    }

    async fn begin(&self) -> StoreResult<Box<dyn Transaction>> {
        Ok(Box::new(MemoryTransaction::new(self.shared.clone())))
    }

    async fn list_indexes(&self, collection: &str) -> StoreResult<Vec<Document>> {
        Ok(self
            .snapshot(collection)
            .map(|snapshot| snapshot.list_indexes())
            .unwrap_or_default())
    }

    async fn create_index(&self, collection: &str, index: &Document) -> StoreResult<()> {
        let index = Index::parse(index)?;
        lock(&self.shared).get_mut(collection).create_index(index)
    }

    async fn set_index_ttl(&self, collection: &str, name: &str, seconds: i64) -> StoreResult<()> {
        lock(&self.shared)
            .existing_mut(collection)?
            .set_index_ttl(name, seconds)
    }

    async fn drop_index(&self, collection: &str, name: &str) -> StoreResult<()> {
        lock(&self.shared).existing_mut(collection)?.drop_index(name)
    }

    fn knows_index(&self, index: &Document) -> bool {
        !matches!(Index::parse(index), Err(StoreError::Unsupported { .. }))
    }

    async fn set_index_hidden(&self, collection: &str, name: &str, hidden: bool) -> StoreResult<()> {
        lock(&self.shared)
            .existing_mut(collection)?
            .set_index_hidden(name, hidden)
    }

    async fn duplicates(
        &self,
        collection: &str,
        index: &Document,
        limit: u32,
    ) -> StoreResult<Vec<[Bson; 2]>> {
        let index = Index::parse(index)?;
        self.snapshot(collection)
            .map_or(Ok(Vec::new()), |snapshot| snapshot.duplicates(index, limit))
    }

    async fn rename(&self, from: &str, to: &str) -> StoreResult<bool> {
        lock(&self.shared).rename(from, to)
    }

    async fn record(&self, collection: &str, id: &str) -> StoreResult<Option<Document>> {
        let Some(snapshot) = self.snapshot(collection) else {
            return Ok(None);
        };
        let mut records = snapshot
            .after(None)
            .filter_map(|(_, stored)| Document::try_from(&**stored).ok());
        Ok(records.find(|record| record.get_str("_id").is_ok_and(|found| found == id)))
    }

    async fn put_record(&self, collection: &str, record: &Document) -> StoreResult<()> {
        self.put(collection, record)
    }

    async fn validator(&self, _: &str) -> StoreResult<Option<Document>> {
        Err(no_validators())
    }

    async fn collection_options(&self, collection: &str) -> StoreResult<Option<Document>> {
        Ok(self.snapshot(collection).map(|found| found.options().clone()))
    }

    async fn create_collection(&self, collection: &str, options: &Document) -> StoreResult<()> {
        let mut collections = lock(&self.shared);
        if collections.get(collection).is_some() {
            return Err(refused(48, "NamespaceExists"));
        }
        collections.get_mut(collection).set_options(options);
        Ok(())
    }

    async fn change_collection(&self, collection: &str, changes: &Document) -> StoreResult<()> {
        lock(&self.shared).existing_mut(collection)?.set_options(changes);
        Ok(())
    }

    async fn delete_measurements(&self, collection: &str, path: &str, value: &Bson) -> StoreResult<()> {
        let node = Node::field(path.to_owned(), Test::Eq(value.clone()));
        let mut collections = lock(&self.shared);
        let Some(snapshot) = collections.get(collection).cloned() else {
            return Ok(());
        };
        let found = snapshot.after(None).filter(|(_, stored)| matches(&node, stored));
        for (slot, _) in found {
            collections.get_mut(collection).take(slot);
        }
        Ok(())
    }

    async fn images(&self, collection: &str) -> StoreResult<bool> {
        let snapshot = self.snapshot(collection);
        Ok(snapshot.is_some_and(|snapshot| snapshot.log().is_some()))
    }

    async fn keep_images(&self, collection: &str, keep: bool) -> StoreResult<()> {
        lock(&self.shared).get_mut(collection).keep_log(keep);
        Ok(())
    }

    async fn watch(&self, from: &WatchFrom) -> StoreResult<Box<dyn Changes>> {
        Ok(Box::new(Watching::open(self.shared.clone(), from)?))
    }

    async fn set_validator(&self, _: &str, _: &Document) -> StoreResult<()> {
        Err(no_validators())
    }
}

/// Nobody writes here but this process, whose models check what they write.
fn no_validators() -> StoreError {
    StoreError::Unsupported {
        what: "a validator in memory",
    }
}
