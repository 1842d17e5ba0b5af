//! Ids of documents that no model need have declared: their order, their texts, and which became which.

use bson::{Bson, Document, doc};

use super::one;
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::error::Result;
use crate::query::{Node, Test};
use crate::store::{Find, Operations, Selection, into_error};

/// Which old id became which new one: `_id` is the step's name and the old id's text.
pub(super) const COLLECTION: &str = "__model_moves";

/// The text of an id, for messages and for the map.
pub(super) fn text(id: Option<&Bson>) -> String {
    match id {
        Some(Bson::String(text)) => text.clone(),
        Some(Bson::ObjectId(id)) => id.to_hex(),
        Some(Bson::Binary(binary)) => binary
            .to_uuid()
            .map_or_else(|_| format!("{binary}"), |uuid| uuid.to_string()),
        Some(other) => other.to_string(),
        None => "unknown".to_owned(),
    }
}

fn key(step: &str, old: &Bson) -> String {
    format!("{step}/{}", text(Some(old)))
}

/// The record of which id an old one became.
pub(super) fn record(step: &str, old: &Bson, new: Option<&Bson>) -> Document {
    doc! { "_id": key(step, old), "new": new.cloned() }
}

/// The new ids of those old ones that have become others.
pub(super) async fn news(store: &dyn Operations, step: &str, olds: &[Bson]) -> Result<Vec<(String, Bson)>> {
    let keys = olds.iter().map(|old| Bson::String(key(step, old))).collect();
    let selection = Selection::of(Node::field("_id", Test::In(keys)));
    let mut cursor = store
        .find(&Find::all(COLLECTION, selection))
        .await
        .map_err(into_error)?;
    let mut found = Vec::new();
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            let mut record = load::document(raw)?;
            if let (Some(Bson::String(key)), Some(new)) = (record.remove("_id"), record.remove("new")) {
                let old = key.get(step.len() + 1..).unwrap_or_default();
                found.push((old.to_owned(), new));
            }
            Ok(true)
        })?;
    }
    Ok(found)
}

/// The id that an old one has become.
pub(crate) async fn moved_id(caller: &Caller, step: &str, old: &Bson) -> Result<Option<Bson>> {
    let found = caller
        .ports
        .store
        .find_one(COLLECTION, &one(&key(step, old)))
        .await;
    let record: Option<Document> = found
        .map_err(into_error)?
        .map(|raw| load::document(raw.as_bytes()))
        .transpose()?;
    Ok(record.and_then(|mut record| record.remove("new")))
}
