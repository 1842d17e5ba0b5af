//! What the server refuses by itself.

use bson::{Document, doc};
use mongodb::Database;

use super::super::{StoreError, StoreResult};
use super::error::store_error;

const NAMESPACE_NOT_FOUND: i32 = 26;

pub(super) async fn get(db: &Database, collection: &str) -> StoreResult<Option<Document>> {
    let ours = |option: &str| matches!(option, "validator" | "validationLevel" | "validationAction");
    let options = options(db, collection).await?;
    Ok(options.map(|options| options.into_iter().filter(|(option, _)| ours(option)).collect()))
}

/// All options of a collection; none if there is no such collection.
pub(super) async fn options(db: &Database, collection: &str) -> StoreResult<Option<Document>> {
    let command = doc! { "listCollections": 1, "filter": { "name": collection } };
    let reply = db
        .run_command(command)
        .await
        .map_err(|error| store_error(&error))?;
    let listed = reply
        .get_document("cursor")
        .and_then(|cursor| cursor.get_array("firstBatch"))
        .ok()
        .and_then(|batch| batch.first()?.as_document());
    Ok(listed.map(|listed| listed.get_document("options").cloned().unwrap_or_default()))
}

/// Sets options of a collection, which is made if there is none.
pub(super) async fn set(db: &Database, collection: &str, options: &Document) -> StoreResult<()> {
    match run(db, "collMod", collection, options).await {
        Err(StoreError::Refused {
            code: NAMESPACE_NOT_FOUND,
            ..
        }) => run(db, "create", collection, options).await,
        outcome => outcome,
    }
}

/// Sends a command about the options of a collection.
pub(super) async fn run(db: &Database, verb: &str, collection: &str, options: &Document) -> StoreResult<()> {
    let mut command = doc! { verb: collection };
    command.extend(options.clone());
    let outcome = db.run_command(command).await;
    outcome.map(|_| ()).map_err(|error| store_error(&error))
}
