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

use bson::{Bson, Document, RawDocumentBuf};

use self::collection::{Collection, Collections, to_store};
use self::index::{Index, Key};
use self::log::Watching;
use self::transaction::MemoryTransaction;
use super::{
    Abilities, Changes, Cursor, Find, Operations, Selection, Store, StoreError, StoreFuture, StoreResult,
    Transaction, Unwound, UpdateOne, WatchFrom,
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

impl Operations for MemoryStore {
    fn find_one<'a>(
        &'a self,
        collection: &'static str,
        selection: &'a Selection,
    ) -> StoreFuture<'a, Option<RawDocumentBuf>> {
        Box::pin(async move {
            let snapshot = self.snapshot(collection);
            Ok(snapshot
                .and_then(|snapshot| read::first(&snapshot, selection))
                .map(|(_, stored)| (*stored).clone()))
        })
    }

    fn find<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let joined = find.join.as_ref();
            let joined = joined.map(|join| self.snapshot(join.find.collection));
            read::find(self.snapshot(find.collection).as_ref(), find, joined.flatten())
        })
    }

    fn count<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, u64> {
        Box::pin(async move { read::count(self.snapshot(find.collection).as_ref(), find) })
    }

    fn distinct<'a>(&'a self, find: &'a Find, field: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { read::distinct(self.snapshot(find.collection).as_ref(), find, field) })
    }

    fn group<'a>(&'a self, find: &'a Find, grouping: &'a Grouping) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { group::group(self.snapshot(find.collection).as_ref(), find, grouping) })
    }

    fn facet<'a>(&'a self, find: &'a Find, branches: &'a [Branch]) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { group::facet(self.snapshot(find.collection).as_ref(), find, branches) })
    }

    fn insert<'a>(&'a self, collection: &'static str, documents: &'a [&'a [u8]]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            suspend().await;
            let mut collections = lock(&self.shared);
            let collection = collections.get_mut(collection);
            in_order(documents, |document| {
                let stored = to_store(document)?;
                collection.put(collection.next_slot(), stored).map(|()| true)
            })
            .map(|_| ())
        })
    }

    fn update<'a>(&'a self, collection: &'static str, updates: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64> {
        Box::pin(async move {
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
        })
    }

    fn delete<'a>(
        &'a self,
        collection: &'static str,
        selections: &'a [&'a Selection],
    ) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            suspend().await;
            let mut collections = lock(&self.shared);
            in_order(selections, |selection| {
                let found = collections
                    .get(collection)
                    .and_then(|found| read::first(found, selection));
                let Some((slot, _)) = found else { return Ok(false) };
                Ok(collections.get_mut(collection).take(slot).is_some())
            })
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

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn abilities(&self) -> StoreFuture<'_, Abilities> {
        Box::pin(async move { Ok(Abilities::new(true).ephemeral()) })
    }

    fn begin(&self) -> StoreFuture<'_, Box<dyn Transaction>> {
        Box::pin(async move { Ok(MemoryTransaction::begin(self.shared.clone())) })
    }

    fn list_indexes<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Vec<Document>> {
        Box::pin(async move {
            Ok(self
                .snapshot(collection)
                .map(|snapshot| snapshot.list_indexes())
                .unwrap_or_default())
        })
    }

    fn create_index<'a>(&'a self, collection: &'a str, index: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let index = Index::parse(index)?;
            lock(&self.shared).get_mut(collection).create_index(index)
        })
    }

    fn set_index_ttl<'a>(&'a self, collection: &'a str, name: &'a str, seconds: i64) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            lock(&self.shared)
                .existing_mut(collection)?
                .set_index_ttl(name, seconds)
        })
    }

    fn drop_index<'a>(&'a self, collection: &'a str, name: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move { lock(&self.shared).existing_mut(collection)?.drop_index(name) })
    }

    fn knows_index(&self, index: &Document) -> bool {
        !matches!(Index::parse(index), Err(StoreError::Unsupported { .. }))
    }

    fn set_index_hidden<'a>(
        &'a self,
        collection: &'a str,
        name: &'a str,
        hidden: bool,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            lock(&self.shared)
                .existing_mut(collection)?
                .set_index_hidden(name, hidden)
        })
    }

    fn duplicates<'a>(
        &'a self,
        collection: &'a str,
        index: &'a Document,
        limit: u32,
    ) -> StoreFuture<'a, Vec<[Bson; 2]>> {
        Box::pin(async move {
            let index = Index::parse(index)?;
            self.snapshot(collection)
                .map_or(Ok(Vec::new()), |snapshot| snapshot.duplicates(index, limit))
        })
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move { lock(&self.shared).rename(from, to) })
    }

    fn record<'a>(&'a self, collection: &'a str, id: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move {
            let Some(snapshot) = self.snapshot(collection) else {
                return Ok(None);
            };
            let mut records = snapshot
                .after(None)
                .filter_map(|(_, stored)| Document::try_from(&**stored).ok());
            Ok(records.find(|record| record.get_str("_id").is_ok_and(|found| found == id)))
        })
    }

    fn put_record<'a>(&'a self, collection: &'a str, record: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.put(collection, record) })
    }

    fn validator<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move { Err(no_validators()) })
    }

    fn collection_options<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move { Ok(self.snapshot(collection).map(|found| found.options().clone())) })
    }

    fn create_collection<'a>(&'a self, collection: &'a str, options: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut collections = lock(&self.shared);
            if collections.get(collection).is_some() {
                return Err(refused(48, "NamespaceExists"));
            }
            collections.get_mut(collection).set_options(options);
            Ok(())
        })
    }

    fn change_collection<'a>(&'a self, collection: &'a str, changes: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            lock(&self.shared).existing_mut(collection)?.set_options(changes);
            Ok(())
        })
    }

    fn delete_measurements<'a>(
        &'a self,
        collection: &'a str,
        path: &'a str,
        value: &'a Bson,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
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
        })
    }

    fn images<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let snapshot = self.snapshot(collection);
            Ok(snapshot.is_some_and(|snapshot| snapshot.log().is_some()))
        })
    }

    fn keep_images<'a>(&'a self, collection: &'a str, keep: bool) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            lock(&self.shared).get_mut(collection).keep_log(keep);
            Ok(())
        })
    }

    fn watch<'a>(&'a self, from: &'a WatchFrom) -> StoreFuture<'a, Box<dyn Changes>> {
        Box::pin(async move { Watching::open(self.shared.clone(), from) })
    }

    fn set_validator<'a>(&'a self, _: &'a str, _: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move { Err(no_validators()) })
    }
}

/// Nobody writes here but this process, whose models check what they write.
fn no_validators() -> StoreError {
    StoreError::Unsupported {
        what: "a validator in memory",
    }
}
