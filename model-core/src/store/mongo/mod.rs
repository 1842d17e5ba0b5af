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

use async_trait::async_trait;
use bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::Database;
use mongodb::options::SelectionCriteria;

use self::error::store_error;
use self::transaction::MongoTransaction;
use super::{
    Abilities, Changes, Cursor, Find, Operations, Selection, Shape, Sharding, Store, StoreError, StoreResult,
    Transaction, Unwound, UpdateOne, WatchFrom,
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
}

#[async_trait]
impl Operations for MongoStore {
    async fn find_one(
        &self,
        collection: &'static str,
        selection: &Selection,
    ) -> StoreResult<Option<RawDocumentBuf>> {
        let command = command::find_one(collection, selection, self.read_concern.as_deref())?;
        read::one(&self.db, &command, self.db.selection_criteria().cloned()).await
    }

    async fn find(&self, find: &Find) -> StoreResult<Box<dyn Cursor>> {
        let Some((command, batch)) = command::find(find, self.concern(find))? else {
            return Ok(cursor::empty());
        };
        let batches = read::batches(&self.db, &command, batch, self.criteria(find)).await;
        match batches {
            Ok(batches) => Ok(Box::new(cursor::Batches::new(batches, find.whole))),
            Err(error)
                if matches!(find.shape, Shape::Vectors(_)) && error::is_without_vector_indexes(&error) =>
            {
                Err(StoreError::Unsupported {
                    what: "the server has no indexes over vectors",
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn count(&self, find: &Find) -> StoreResult<u64> {
        let Some(command) = command::count(find, self.concern(find))? else {
            return Ok(0);
        };
        let counted = read::one(&self.db, &command, self.criteria(find)).await?;
        read::number(counted.as_deref())
    }

    async fn distinct(&self, find: &Find, field: &Unwound) -> StoreResult<Box<dyn Cursor>> {
        let command = command::distinct(find, field, self.concern(find))?;
        let batches = read::batches(&self.db, &command, None, self.criteria(find)).await?;
        Ok(Box::new(cursor::Batches::new(batches, true)))
    }

    async fn group(&self, find: &Find, grouping: &Grouping) -> StoreResult<Box<dyn Cursor>> {
        let Some(command) = group::group(find, grouping, self.concern(find))? else {
            return Ok(cursor::empty());
        };
        let batches = read::batches(&self.db, &command, None, self.criteria(find)).await?;
        Ok(Box::new(cursor::Batches::new(batches, true)))
    }

    async fn facet(&self, find: &Find, branches: &[Branch]) -> StoreResult<Box<dyn Cursor>> {
        let command = group::facet(find, branches, self.concern(find))?;
        let batches = read::batches(&self.db, &command, None, self.criteria(find)).await?;
        Ok(Box::new(cursor::Batches::new(batches, true)))
    }

    async fn insert(&self, collection: &'static str, documents: &[&[u8]]) -> StoreResult<()> {
        write::insert(&self.db, None, collection, documents).await
    }

    async fn update(&self, collection: &'static str, updates: &[&UpdateOne]) -> StoreResult<u64> {
        write::update(&self.db, None, collection, updates).await
    }

    async fn delete(&self, collection: &'static str, selections: &[&Selection]) -> StoreResult<u64> {
        write::delete(&self.db, None, collection, selections).await
    }
}

#[async_trait]
impl Store for MongoStore {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    async fn abilities(&self) -> StoreResult<Abilities> {
        let hello = self
            .db
            .run_command(doc! { "hello": 1 })
            .await
            .map_err(|error| store_error(&error))?;
        // A member of a replica set names its set; a router of a sharded cluster answers with this message.
        let transactions = hello.contains_key("setName") || shards::is_router(&hello);
        Ok(Abilities::new(transactions))
    }

    async fn begin(&self) -> StoreResult<Box<dyn Transaction>> {
        Ok(Box::new(MongoTransaction::begin(&self.db).await?))
    }

    async fn list_indexes(&self, collection: &str) -> StoreResult<Vec<Document>> {
        index::list(&self.db, collection).await
    }

    async fn create_index(&self, collection: &str, index: &Document) -> StoreResult<()> {
        index::create(&self.db, collection, index).await
    }

    async fn set_index_ttl(&self, collection: &str, name: &str, seconds: i64) -> StoreResult<()> {
        index::set_ttl(&self.db, collection, name, seconds).await
    }

    async fn drop_index(&self, collection: &str, name: &str) -> StoreResult<()> {
        index::drop(&self.db, collection, name).await
    }

    fn knows_index(&self, _: &Document) -> bool {
        true
    }

    async fn set_index_hidden(&self, collection: &str, name: &str, hidden: bool) -> StoreResult<()> {
        index::set_hidden(&self.db, collection, name, hidden).await
    }

    async fn duplicates(
        &self,
        collection: &str,
        index: &Document,
        limit: u32,
    ) -> StoreResult<Vec<[Bson; 2]>> {
        duplicates::find(&self.db, collection, index, limit).await
    }

    async fn rename(&self, from: &str, to: &str) -> StoreResult<bool> {
        record::rename(&self.db, from, to).await
    }

    async fn record(&self, collection: &str, id: &str) -> StoreResult<Option<Document>> {
        record::get(&self.db, collection, id, self.read_concern.as_deref()).await
    }

    async fn put_record(&self, collection: &str, record: &Document) -> StoreResult<()> {
        record::put(&self.db, collection, record).await
    }

    async fn validator(&self, collection: &str) -> StoreResult<Option<Document>> {
        validator::get(&self.db, collection).await
    }

    async fn set_validator(&self, collection: &str, options: &Document) -> StoreResult<()> {
        validator::set(&self.db, collection, options).await
    }

    async fn collection_options(&self, collection: &str) -> StoreResult<Option<Document>> {
        validator::options(&self.db, collection).await
    }

    async fn create_collection(&self, collection: &str, options: &Document) -> StoreResult<()> {
        validator::run(&self.db, "create", collection, options).await
    }

    async fn change_collection(&self, collection: &str, changes: &Document) -> StoreResult<()> {
        validator::run(&self.db, "collMod", collection, changes).await
    }

    async fn delete_measurements(&self, collection: &str, path: &str, value: &Bson) -> StoreResult<()> {
        let collection = self.db.collection::<Document>(collection);
        let deleted = collection.delete_many(doc! { path: { "$eq": value } }).await;
        deleted.map(|_| ()).map_err(|error| store_error(&error))
    }

    async fn images(&self, collection: &str) -> StoreResult<bool> {
        watch::images(&self.db, collection).await
    }

    async fn keep_images(&self, collection: &str, keep: bool) -> StoreResult<()> {
        watch::keep_images(&self.db, collection, keep).await
    }

    async fn sharding(&self, collection: &str) -> StoreResult<Sharding> {
        shards::sharding(&self.db, collection).await
    }

    async fn shard(&self, collection: &str, key: &Document) -> StoreResult<()> {
        shards::shard(&self.db, collection, key).await
    }

    async fn watch(&self, from: &WatchFrom) -> StoreResult<Box<dyn Changes>> {
        Ok(Box::new(watch::open(&self.db, from).await?))
    }

    #[cfg(feature = "testing")]
    async fn watch_scans(&self) -> StoreResult<()> {
        scans::watch(&self.db).await
    }

    #[cfg(feature = "testing")]
    async fn take_scans(&self) -> StoreResult<Vec<super::Scan>> {
        scans::take(&self.db).await
    }
}
