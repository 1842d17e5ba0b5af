//! Reads outside of transactions.

use bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf};
use futures_util::StreamExt;
use mongodb::Database;
use mongodb::error::Result as DriverResult;
use mongodb::options::{ReadPreference as DriverPreference, SelectionCriteria};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};

use super::super::{StoreError, StoreResult};
use super::command::COUNT;
use super::error::{is_read_retryable, store_error};
use crate::query::ReadPreference;

/// The one document that `command` answers with.
pub(super) async fn one(
    db: &Database,
    command: &RawDocumentBuf,
    criteria: Option<SelectionCriteria>,
) -> StoreResult<Option<RawDocumentBuf>> {
    let mut batches = batches(db, command, None, criteria).await?;
    match batches.next().await {
        Some(batch) => first(&batch.map_err(|error| store_error(&error))?),
        None => Ok(None),
    }
}

/// The batches of what `command` finds; a failure that may pass is followed by one more attempt, as the driver's
/// specification of retryable reads has it.
pub(super) async fn batches(
    db: &Database,
    command: &RawDocumentBuf,
    batch: Option<u32>,
    criteria: Option<SelectionCriteria>,
) -> StoreResult<RawBatchCursor> {
    match run(db, command, batch, criteria.clone()).await {
        Err(error) if is_read_retryable(&error) => run(db, command, batch, criteria).await,
        outcome => outcome,
    }
    .map_err(|error| store_error(&error))
}

/// All documents that a command about something small answers with, from the primary.
///
/// What is not on the way of a model's documents goes through here and not through the driver's typed verbs, which are compiled
/// once more for each of their operations, and with them everything that reads a `Document` by way of serde.
pub(super) async fn all(db: &Database, command: &Document) -> StoreResult<Vec<Document>> {
    let command = RawDocumentBuf::try_from(command).map_err(|_| malformed())?;
    let mut batches = batches(db, &command, None, None).await?;
    let mut all = Vec::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| store_error(&error))?;
        for document in batch.doc_slices().map_err(|error| store_error(&error))? {
            let document = document
                .ok()
                .and_then(RawBsonRef::as_document)
                .ok_or_else(malformed)?;
            all.push(super::command::document(document)?);
        }
    }
    Ok(all)
}

async fn run(
    db: &Database,
    command: &RawDocumentBuf,
    batch: Option<u32>,
    criteria: Option<SelectionCriteria>,
) -> DriverResult<RawBatchCursor> {
    let mut running = db.run_raw_cursor_command(command.clone());
    // The driver gives a raw command neither of these by itself.
    if let Some(criteria) = criteria {
        running = running.selection_criteria(criteria);
    }
    if let Some(batch) = batch {
        running = running.batch_size(batch);
    }
    running.batch().await
}

/// The driver's form of a read preference.
pub(super) fn criteria(preference: ReadPreference) -> SelectionCriteria {
    let options = None;
    SelectionCriteria::ReadPreference(match preference {
        ReadPreference::Primary => DriverPreference::Primary,
        ReadPreference::PrimaryPreferred => DriverPreference::PrimaryPreferred { options },
        ReadPreference::Secondary => DriverPreference::Secondary { options },
        ReadPreference::SecondaryPreferred => DriverPreference::SecondaryPreferred { options },
        ReadPreference::Nearest => DriverPreference::Nearest { options },
    })
}

/// The first document of a batch.
pub(super) fn first(batch: &RawBatch) -> StoreResult<Option<RawDocumentBuf>> {
    let documents = batch.doc_slices().map_err(|error| store_error(&error))?;
    let Some(document) = documents.into_iter().next() else {
        return Ok(None);
    };
    let document = document
        .ok()
        .and_then(RawBsonRef::as_document)
        .ok_or_else(malformed)?;
    Ok(Some(document.to_owned()))
}

/// The number in the one document that a count answers with; there is none if nothing was counted.
pub(super) fn number(counted: Option<&RawDocument>) -> StoreResult<u64> {
    let Some(counted) = counted else { return Ok(0) };
    let number = counted.get(COUNT).ok().flatten();
    let number = number.and_then(|number| number.as_i64().or_else(|| number.as_i32().map(i64::from)));
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(malformed)
}

pub(super) fn malformed() -> StoreError {
    StoreError::Refused {
        code: 0,
        name: "MalformedReply".to_owned(),
    }
}
