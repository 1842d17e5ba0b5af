//! The crate's own records, found by their ids.

use bson::{Document, doc};
use mongodb::Database;

use super::super::{StoreError, StoreResult};
use super::error::store_error;
use super::read;

/// A record as its last writer left it: from the primary, whatever the database prefers.
pub(super) async fn get(
    db: &Database,
    collection: &str,
    id: &str,
    read_concern: Option<&str>,
) -> StoreResult<Option<Document>> {
    let mut command = doc! { "find": collection, "filter": { "_id": id }, "limit": 1, "singleBatch": true };
    if let Some(level) = read_concern {
        command.insert("readConcern", doc! { "level": level });
    }
    Ok(read::all(db, &command).await?.pop())
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

const NAMESPACE_NOT_FOUND: i32 = 26;

/// Gives a collection another name; false if there is none.
pub(super) async fn rename(db: &Database, from: &str, to: &str) -> StoreResult<bool> {
    let name = |collection| format!("{}.{collection}", db.name());
    let command = doc! { "renameCollection": name(from), "to": name(to) };
    let admin = db.client().database("admin");
    match admin.run_command(command).await {
        Ok(_) => Ok(true),
        Err(error) => match store_error(&error) {
            StoreError::Refused {
                code: NAMESPACE_NOT_FOUND,
                ..
            } => Ok(false),
            error => Err(error),
        },
    }
}
