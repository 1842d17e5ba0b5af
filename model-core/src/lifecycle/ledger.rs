//! What earlier syncs have made, so that nothing of others is touched: one record for each collection.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};

use crate::error::Result;
use crate::store::{Store, into_error};

/// The collection of the records: the name of a model's collection is the `_id`.
pub(crate) const COLLECTION: &str = "__model_schema";

const INDEXES: &str = "indexes";
const VALIDATOR: &str = "validator";
const IMAGES: &str = "images";

async fn record(store: &dyn Store, collection: &str) -> Result<Document> {
    let record = store.record(COLLECTION, collection).await.map_err(into_error)?;
    Ok(record.unwrap_or_else(|| doc! { "_id": collection }))
}

async fn put(store: &dyn Store, record: &Document) -> Result<()> {
    store.put_record(COLLECTION, record).await.map_err(into_error)
}

fn names(record: &Document) -> impl Iterator<Item = String> {
    let names = record.get_array(INDEXES).into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned))
}

/// The names of the indexes of `collection` that earlier syncs have made or found as declared.
pub(super) async fn indexes(store: &dyn Store, collection: &str) -> Result<Vec<String>> {
    Ok(names(&record(store, collection).await?).collect())
}

/// Notes indexes that are there now, and forgets those that are gone.
pub(super) async fn note_indexes(
    store: &dyn Store,
    collection: &str,
    there: &[String],
    gone: &[String],
) -> Result<()> {
    let mut record = record(store, collection).await?;
    let before: BTreeSet<String> = names(&record).collect();
    let mut now = before.clone();
    now.extend(there.iter().cloned());
    now.retain(|name| !gone.contains(name));
    if now == before {
        return Ok(());
    }
    let now: Vec<Bson> = now.into_iter().map(Bson::String).collect();
    record.insert(INDEXES, now);
    put(store, &record).await
}

/// Whether an earlier sync has set the collection's validator.
pub(super) async fn has_validator(store: &dyn Store, collection: &str) -> Result<bool> {
    has(store, collection, VALIDATOR).await
}

/// Notes whether the collection's validator is ours.
pub(super) async fn note_validator(store: &dyn Store, collection: &str, ours: bool) -> Result<()> {
    note(store, collection, VALIDATOR, ours).await
}

/// Whether an earlier sync has told the server to keep what was before each change.
pub(super) async fn has_images(store: &dyn Store, collection: &str) -> Result<bool> {
    has(store, collection, IMAGES).await
}

/// Notes whether it was us who told the server so.
pub(super) async fn note_images(store: &dyn Store, collection: &str, ours: bool) -> Result<()> {
    note(store, collection, IMAGES, ours).await
}

async fn has(store: &dyn Store, collection: &str, what: &str) -> Result<bool> {
    let record = record(store, collection).await?;
    Ok(record.get_bool(what).unwrap_or_default())
}

async fn note(store: &dyn Store, collection: &str, what: &str, ours: bool) -> Result<()> {
    let mut record = record(store, collection).await?;
    if ours {
        record.insert(what, true);
    } else {
        record.remove(what);
    }
    put(store, &record).await
}
