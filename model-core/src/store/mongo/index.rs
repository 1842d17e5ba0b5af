//! Indexes.

use bson::{Document, doc};
use mongodb::Database;

use super::super::{StoreError, StoreResult};
use super::error::store_error;
use super::read;

/// Error codes that say that what is asked for is so already.
const NAMESPACE_NOT_FOUND: i32 = 26;
const INDEX_NOT_FOUND: i32 = 27;

pub(super) async fn list(db: &Database, collection: &str) -> StoreResult<Vec<Document>> {
    let listed = read::all(db, &doc! { "listIndexes": collection, "cursor": {} }).await;
    Ok(present(listed)?.unwrap_or_default())
}

pub(super) async fn create(db: &Database, collection: &str, index: &Document) -> StoreResult<()> {
    run(db, doc! { "createIndexes": collection, "indexes": [index] }).await
}

pub(super) async fn set_ttl(db: &Database, collection: &str, name: &str, seconds: i64) -> StoreResult<()> {
    run(
        db,
        doc! { "collMod": collection, "index": { "name": name, "expireAfterSeconds": seconds } },
    )
    .await
}

pub(super) async fn set_hidden(db: &Database, collection: &str, name: &str, hidden: bool) -> StoreResult<()> {
    run(
        db,
        doc! { "collMod": collection, "index": { "name": name, "hidden": hidden } },
    )
    .await
}

/// Drops one index; another process may have done so first.
pub(super) async fn drop(db: &Database, collection: &str, name: &str) -> StoreResult<()> {
    // To the server this is the name of every index.
    if name == "*" {
        return Err(StoreError::Unsupported {
            what: "an index named `*`",
        });
    }
    present(run(db, doc! { "dropIndexes": collection, "index": name }).await).map(|_| ())
}

async fn run(db: &Database, command: Document) -> StoreResult<()> {
    db.run_command(command)
        .await
        .map(|_| ())
        .map_err(|error| store_error(&error))
}

/// None where the server says that there is no such thing.
fn present<T>(outcome: StoreResult<T>) -> StoreResult<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Refused {
            code: NAMESPACE_NOT_FOUND | INDEX_NOT_FOUND,
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}
