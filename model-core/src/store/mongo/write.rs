//! Writes, inside and outside of transactions.

use bson::{Document, RawDocument};
use mongodb::{ClientSession, Database};

use super::super::{Selection, StoreError, StoreResult, UpdateOne};
use super::command;
use super::error::store_error;

/// Inserts the bytes as they are: the handle's type borrows them, so that only the driver copies.
pub(super) async fn insert_one(
    db: &Database,
    session: Option<&mut ClientSession>,
    collection: &str,
    document: &[u8],
) -> StoreResult<()> {
    let malformed = |_| StoreError::Refused {
        code: 0,
        name: "MalformedBson".to_owned(),
    };
    let document = RawDocument::from_bytes(document).map_err(malformed)?;
    let collection = db.collection::<&RawDocument>(collection);
    let mut insert = collection.insert_one(document);
    if let Some(session) = session {
        insert = insert.session(session);
    }
    insert.await.map(|_| ()).map_err(|error| store_error(&error))
}

pub(super) async fn update_one(
    db: &Database,
    session: Option<&mut ClientSession>,
    update: &UpdateOne,
) -> StoreResult<bool> {
    let filter = command::filter(&update.selection)?;
    let collection = db.collection::<Document>(update.collection);
    let mut action = collection.update_one(filter, operators(update)?);
    if let Some(session) = session {
        action = action.session(session);
    }
    let result = action.await.map_err(|error| store_error(&error))?;
    Ok(result.matched_count == 1)
}

pub(super) async fn delete_one(
    db: &Database,
    session: Option<&mut ClientSession>,
    collection: &str,
    selection: &Selection,
) -> StoreResult<bool> {
    let filter = command::filter(selection)?;
    let collection = db.collection::<Document>(collection);
    let mut action = collection.delete_one(filter);
    if let Some(session) = session {
        action = action.session(session);
    }
    let result = action.await.map_err(|error| store_error(&error))?;
    Ok(result.deleted_count == 1)
}

/// `$set` and `$unset`, each left out where it is empty: the server refuses an empty operator before version 5.
fn operators(update: &UpdateOne) -> StoreResult<Document> {
    let set = command::document(&update.set)?;
    let mut operators = Document::new();
    if !set.is_empty() {
        operators.insert("$set", set);
    }
    if !update.unset.is_empty() {
        let unset: Document = update
            .unset
            .iter()
            .map(|path| (path.clone(), true.into()))
            .collect();
        operators.insert("$unset", unset);
    }
    Ok(operators)
}
