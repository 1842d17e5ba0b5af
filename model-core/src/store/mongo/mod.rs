//! The MongoDB store: the only place that names the driver.
//!
//! Reads are commands written in one pass, and documents come back as slices of the server's own batches. They repeat
//! once, as the driver's own reads do. Writes go through the driver's typed verbs, since only those are retryable
//! writes: a repeated command without the driver's transaction number could take effect twice.

mod command;
mod cursor;
mod duplicates;
mod error;
mod group;
mod index;
mod join;
mod read;
mod record;
mod related;
#[cfg(feature = "testing")]
mod scans;
mod shards;
#[cfg(test)]
mod tests;
mod transaction;
mod validator;
mod vectors;
mod watch;
mod write;

use bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::Database;
use mongodb::options::SelectionCriteria;

use self::error::store_error;
use self::transaction::MongoTransaction;
use super::{
    Abilities, Changes, Cursor, Find, Operations, Selection, Shape, Sharding, Store, StoreError, StoreFuture,
    StoreResult, Transaction, Unwound, UpdateOne, WatchFrom,
};
use crate::query::{Branch, Grouping};

/// A database of a MongoDB deployment.
#[derive(Debug, Clone)]
pub(crate) struct MongoStore {
    db: Database,
    /// The level of the database's read concern: the driver adds none to a raw command.
    read_concern: Option<String>,
}

impl MongoStore {
    /// The database's own read preference and its read and write concerns are kept for documents; the crate's own records, and what
    /// is asked about a collection, are read from the primary.
    pub(crate) fn new(db: Database) -> Self {
        let level = db
            .read_concern()
            .map(|concern| bson::serialize_to_bson(&concern.level));
        let read_concern = match level {
            Some(Ok(Bson::String(level))) => Some(level),
            _ => None,
        };
        Self { db, read_concern }
    }

    /// The read concern: the read's own, or the database's.
    fn concern(&self, find: &Find) -> Option<&str> {
        let own = find.options.concern.map(command::level);
        own.or(self.read_concern.as_deref())
    }

    /// Which members may answer: the read's own preference, or the database's.
    fn criteria(&self, find: &Find) -> Option<SelectionCriteria> {
        match find.options.preference {
            Some(preference) => Some(read::criteria(preference)),
            None => self.db.selection_criteria().cloned(),
        }
    }

    /// What a command makes of the documents of a read, batch by batch.
    async fn cursor(&self, command: &RawDocumentBuf, find: &Find) -> StoreResult<Box<dyn Cursor>> {
        let batches = read::batches(&self.db, command, None, self.criteria(find)).await?;
        Ok(Box::new(cursor::Batches::new(batches, true)))
    }
}

impl Operations for MongoStore {
    fn find_one<'a>(
        &'a self,
        collection: &'static str,
        selection: &'a Selection,
    ) -> StoreFuture<'a, Option<RawDocumentBuf>> {
        Box::pin(async move {
            let command = command::find_one(collection, selection, self.read_concern.as_deref())?;
            read::one(&self.db, &command, self.db.selection_criteria().cloned()).await
        })
    }

    fn find<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let Some((command, batch)) = command::find(find, self.concern(find))? else {
                return Ok(cursor::empty());
            };
            let batches = read::batches(&self.db, &command, batch, self.criteria(find)).await;
            match batches {
                Ok(batches) => Ok(Box::new(cursor::Batches::new(batches, find.whole))),
                Err(error)
                    if matches!(find.shape, Shape::Vectors(_))
                        && error::is_without_vector_indexes(&error) =>
                {
                    Err(StoreError::Unsupported {
                        what: "the server has no indexes over vectors",
                    })
                }
                Err(error) => Err(error),
            }
        })
    }

    fn count<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let Some(command) = command::count(find, self.concern(find))? else {
                return Ok(0);
            };
            let counted = read::one(&self.db, &command, self.criteria(find)).await?;
            read::number(counted.as_deref())
        })
    }

    fn distinct<'a>(&'a self, find: &'a Find, field: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let command = command::distinct(find, field, self.concern(find))?;
            self.cursor(&command, find).await
        })
    }

    fn group<'a>(&'a self, find: &'a Find, grouping: &'a Grouping) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let Some(command) = group::group(find, grouping, self.concern(find))? else {
                return Ok(cursor::empty());
            };
            self.cursor(&command, find).await
        })
    }

    fn facet<'a>(&'a self, find: &'a Find, branches: &'a [Branch]) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let command = group::facet(find, branches, self.concern(find))?;
            self.cursor(&command, find).await
        })
    }

    fn insert<'a>(&'a self, collection: &'static str, documents: &'a [&'a [u8]]) -> StoreFuture<'a, ()> {
        Box::pin(write::insert(&self.db, None, collection, documents))
    }

    fn update<'a>(&'a self, collection: &'static str, updates: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64> {
        Box::pin(write::update(&self.db, None, collection, updates))
    }

    fn delete<'a>(
        &'a self,
        collection: &'static str,
        selections: &'a [&'a Selection],
    ) -> StoreFuture<'a, u64> {
        Box::pin(write::delete(&self.db, None, collection, selections))
    }
}

impl Store for MongoStore {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn abilities(&self) -> StoreFuture<'_, Abilities> {
        Box::pin(async move {
            let hello = self
                .db
                .run_command(doc! { "hello": 1 })
                .await
                .map_err(|error| store_error(&error))?;
            // A member of a replica set names its set; a router of a sharded cluster answers with this message.
            let transactions = hello.contains_key("setName") || shards::is_router(&hello);
            Ok(Abilities::new(transactions))
        })
    }

    fn begin(&self) -> StoreFuture<'_, Box<dyn Transaction>> {
        Box::pin(MongoTransaction::begin(&self.db))
    }

    fn list_indexes<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Vec<Document>> {
        Box::pin(index::list(&self.db, collection))
    }

    fn create_index<'a>(&'a self, collection: &'a str, index: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(index::create(&self.db, collection, index))
    }

    fn set_index_ttl<'a>(&'a self, collection: &'a str, name: &'a str, seconds: i64) -> StoreFuture<'a, ()> {
        Box::pin(index::set_ttl(&self.db, collection, name, seconds))
    }

    fn drop_index<'a>(&'a self, collection: &'a str, name: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(index::drop(&self.db, collection, name))
    }

    fn knows_index(&self, _: &Document) -> bool {
        true
    }

    fn set_index_hidden<'a>(
        &'a self,
        collection: &'a str,
        name: &'a str,
        hidden: bool,
    ) -> StoreFuture<'a, ()> {
        Box::pin(index::set_hidden(&self.db, collection, name, hidden))
    }

    fn duplicates<'a>(
        &'a self,
        collection: &'a str,
        index: &'a Document,
        limit: u32,
    ) -> StoreFuture<'a, Vec<[Bson; 2]>> {
        Box::pin(duplicates::find(&self.db, collection, index, limit))
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(record::rename(&self.db, from, to))
    }

    fn record<'a>(&'a self, collection: &'a str, id: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(record::get(
            &self.db,
            collection,
            id,
            self.read_concern.as_deref(),
        ))
    }

    fn put_record<'a>(&'a self, collection: &'a str, record: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(record::put(&self.db, collection, record))
    }

    fn validator<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(validator::get(&self.db, collection))
    }

    fn set_validator<'a>(&'a self, collection: &'a str, options: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(validator::set(&self.db, collection, options))
    }

    fn collection_options<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(validator::options(&self.db, collection))
    }

    fn create_collection<'a>(&'a self, collection: &'a str, options: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(validator::run(&self.db, "create", collection, options))
    }

    fn change_collection<'a>(&'a self, collection: &'a str, changes: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(validator::run(&self.db, "collMod", collection, changes))
    }

    fn delete_measurements<'a>(
        &'a self,
        collection: &'a str,
        path: &'a str,
        value: &'a Bson,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let collection = self.db.collection::<Document>(collection);
            let deleted = collection.delete_many(doc! { path: { "$eq": value } }).await;
            deleted.map(|_| ()).map_err(|error| store_error(&error))
        })
    }

    fn images<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(watch::images(&self.db, collection))
    }

    fn keep_images<'a>(&'a self, collection: &'a str, keep: bool) -> StoreFuture<'a, ()> {
        Box::pin(watch::keep_images(&self.db, collection, keep))
    }

    fn sharding<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Sharding> {
        Box::pin(shards::sharding(&self.db, collection))
    }

    fn shard<'a>(&'a self, collection: &'a str, key: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(shards::shard(&self.db, collection, key))
    }

    fn watch<'a>(&'a self, from: &'a WatchFrom) -> StoreFuture<'a, Box<dyn Changes>> {
        Box::pin(watch::open(&self.db, from))
    }

    #[cfg(feature = "testing")]
    fn watch_scans(&self) -> StoreFuture<'_, ()> {
        Box::pin(scans::watch(&self.db))
    }

    #[cfg(feature = "testing")]
    fn take_scans(&self) -> StoreFuture<'_, Vec<super::Scan>> {
        Box::pin(scans::take(&self.db))
    }
}
