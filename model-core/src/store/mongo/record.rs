//! The crate's own records, found by their ids.

use bson::{Document, doc};
use mongodb::Database;

use super::super::StoreResult;
use super::error::store_error;

pub(super) async fn get(db: &Database, collection: &str, id: &str) -> StoreResult<Option<Document>> {
    let collection = db.collection::<Document>(collection);
    let found = collection.find_one(doc! { "_id": id }).await;
    found.map_err(|error| store_error(&error))
}

pub(super) async fn put(db: &Database, collection: &str, record: &Document) -> StoreResult<()> {
    let id = record.get("_id").cloned().unwrap_or_default();
    let collection = db.collection::<Document>(collection);
    let outcome = collection
        .replace_one(doc! { "_id": id }, record)
        .upsert(true)
        .await;
    outcome.map(|_| ()).map_err(|error| store_error(&error))
}
