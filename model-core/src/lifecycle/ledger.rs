//! What earlier syncs have made, so that nothing of others is touched: one record for each collection.

use std::collections::BTreeSet;

use bson::{Bson, doc};

use crate::error::Result;
use crate::store::{Store, into_error};

/// The collection of the records: the name of a model's collection is the `_id`.
pub(crate) const COLLECTION: &str = "__model_schema";

/// The names of the indexes of `collection` that earlier syncs have made or found as declared.
pub(super) async fn indexes(store: &dyn Store, collection: &str) -> Result<Vec<String>> {
    let record = store.record(COLLECTION, collection).await.map_err(into_error)?;
    let names = record
        .as_ref()
        .and_then(|record| record.get_array("indexes").ok());
    Ok(names
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect())
}

/// Notes indexes that are there now, and forgets those that are gone.
pub(super) async fn note(
    store: &dyn Store,
    collection: &str,
    there: &[String],
    gone: &[String],
) -> Result<()> {
    let before: BTreeSet<String> = indexes(store, collection).await?.into_iter().collect();
    let mut now = before.clone();
    now.extend(there.iter().cloned());
    now.retain(|name| !gone.contains(name));
    if now == before {
        return Ok(());
    }
    let names: Vec<Bson> = now.into_iter().map(Bson::String).collect();
    store
        .put_record(COLLECTION, &doc! { "_id": collection, "indexes": names })
        .await
        .map_err(into_error)
}
