//! Writes, inside and outside of transactions.
//!
//! Outside, a write of one document goes through the driver's typed verb, which repeats it safely. Inside, and for many
//! documents, statements are written as raw commands: there the transaction is what is repeated.

use std::ops::Range;

use bson::{Bson, Document, RawDocument, RawDocumentBuf};
use mongodb::{ClientSession, Database};

use super::super::{Guard, Selection, StoreError, StoreResult, UpdateOne};
use super::command;
use super::error::{store_error, write_error};
use crate::query::Node;
use crate::schema::reserved;

/// How many bytes of statements go into one command: the server takes 16 MiB, and each has some wrapping.
const MAX_COMMAND: usize = 12 * 1024 * 1024;

/// How many statements the server takes in one command.
const MAX_STATEMENTS: usize = 100_000;

/// Inserts the bytes as they are: the handle's type borrows them, so that only the driver copies.
pub(super) async fn insert(
    db: &Database,
    session: Option<&mut ClientSession>,
    collection: &str,
    documents: &[&[u8]],
) -> StoreResult<()> {
    let raw = |document| RawDocument::from_bytes(document).map_err(|_| malformed());
    let collection = db.collection::<&RawDocument>(collection);
    let result = match documents {
        [] => return Ok(()),
        [one] => {
            let mut insert = collection.insert_one(raw(one)?);
            if let Some(session) = session {
                insert = insert.session(session);
            }
            insert.await.map(|_| ())
        }
        many => {
            let many = many.iter().map(raw);
            let mut insert = collection.insert_many(many.collect::<StoreResult<Vec<_>>>()?);
            if let Some(session) = session {
                insert = insert.session(session);
            }
            insert.await.map(|_| ())
        }
    };
    result.map_err(|error| write_error(&error, documents.len()))
}

/// Changes the document of each statement; how many were selected.
pub(super) async fn update(
    db: &Database,
    session: Option<&mut ClientSession>,
    collection: &str,
    updates: &[&UpdateOne],
) -> StoreResult<u64> {
    if let ([update], None) = (updates, &session) {
        let collection = db.collection::<Document>(collection);
        let result = collection
            .update_one(filter(&update.selection)?, operators(update)?)
            .await;
        return result
            .map(|result| result.matched_count)
            .map_err(|error| store_error(&error));
    }
    statements(db, session, updates, update_size, |range| {
        command::update(collection, range)
    })
    .await
}

/// Deletes the document of each selection; how many were selected.
pub(super) async fn delete(
    db: &Database,
    session: Option<&mut ClientSession>,
    collection: &str,
    selections: &[&Selection],
) -> StoreResult<u64> {
    if let ([selection], None) = (selections, &session) {
        let collection = db.collection::<Document>(collection);
        let deleted = collection.delete_one(filter(selection)?).await;
        return deleted
            .map(|result| result.deleted_count)
            .map_err(|error| store_error(&error));
    }
    statements(
        db,
        session,
        selections,
        |_| 256,
        |range| command::delete(collection, range),
    )
    .await
}

/// About how many bytes a statement takes.
fn update_size(update: &UpdateOne) -> usize {
    let unset: usize = update.unset.iter().map(|path| path.len() + 16).sum();
    update.set.as_bytes().len() + unset + 256
}

/// Sends statements in as few commands as the server's limits allow, and counts the documents that were selected.
async fn statements<T>(
    db: &Database,
    mut session: Option<&mut ClientSession>,
    statements: &[&T],
    size: impl Fn(&T) -> usize,
    command: impl Fn(&[&T]) -> StoreResult<RawDocumentBuf>,
) -> StoreResult<u64> {
    let mut found = 0;
    for range in ranges(statements, |statement| size(statement)) {
        let start = range.start;
        let command = command(statements.get(range).unwrap_or_default())?;
        let mut run = db.run_raw_command(command);
        if let Some(session) = session.as_deref_mut() {
            run = run.session(session);
        }
        let reply = run.await.map_err(|error| store_error(&error))?;
        found += command::written(&reply)
            .map_err(|(position, error)| error.of_statement(start + position, statements.len()))?;
    }
    Ok(found)
}

fn ranges<T>(statements: &[T], size: impl Fn(&T) -> usize) -> Vec<Range<usize>> {
    let (mut ranges, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (position, statement) in statements.iter().enumerate() {
        let size = size(statement);
        let full = bytes + size > MAX_COMMAND || position - start == MAX_STATEMENTS;
        if full && position > start {
            ranges.push(start..position);
            (start, bytes) = (position, 0);
        }
        bytes += size;
    }
    if start < statements.len() {
        ranges.push(start..statements.len());
    }
    ranges
}

/// The filter of the driver's own verbs. The pipeline's writes name their document, and need no rendering.
fn filter(selection: &Selection) -> StoreResult<Document> {
    if !matches!(selection.rest, Node::Everything) {
        return command::filter(selection);
    }
    command::check(selection)?;
    let mut filter = Document::new();
    if let Some((field, id)) = &selection.id {
        filter.insert(*field, id);
    }
    if let Some((field, tenant)) = &selection.tenant {
        filter.insert(*field, Document::from_iter([("$eq".to_owned(), tenant.clone())]));
    }
    match selection.revision {
        Guard::Is(revision) => {
            filter.insert(reserved::REVISION, revision);
        }
        Guard::Unwritten => {
            let missing = Document::from_iter([("$exists".to_owned(), Bson::Boolean(false))]);
            filter.insert(reserved::REVISION, missing);
        }
        Guard::None => {}
    }
    Ok(filter)
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

fn malformed() -> StoreError {
    StoreError::Refused {
        code: 0,
        name: "MalformedBson".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn commands_stay_below_the_limits() {
        const MIB: usize = 1024 * 1024;
        let sizes = [5 * MIB, 5 * MIB, 5 * MIB, 15 * MIB, MIB];
        assert_eq!(ranges(&sizes, |size| *size), [0..2, 2..3, 3..4, 4..5]);
        assert!(ranges(&[] as &[usize], |size| *size).is_empty());
        assert_eq!(
            ranges(&vec![1; 100_001], |size| *size),
            [0..100_000, 100_000..100_001]
        );
    }
}
