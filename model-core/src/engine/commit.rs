//! The effect of a write on the store, together with its audit entry.

use std::time::Duration;

use super::ports::AuditTarget;
use super::unit::WriteUnit;
use crate::audit::{self, AuditEntry};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Node;
use crate::store::{Operations, Selection, StoreError, UpdateOne, into_error};

/// How often a transaction is begun anew when it ran into another.
const TRANSACTION_ATTEMPTS: u32 = 8;

/// What is done to the store.
pub(super) enum Effect<'a> {
    Insert(&'a [u8]),
    Update(UpdateOne),
    Delete(Selection),
}

/// Whether audit entries of this unit go into the audit collection.
pub(super) fn uses_collection(unit: &dyn WriteUnit) -> bool {
    matches!(unit.caller().ports.audit, AuditTarget::Collection)
}

/// Writes the document and its audit entry: both or neither, where the entry goes into the audit collection.
pub(super) async fn commit(
    unit: &dyn WriteUnit,
    effect: Effect<'_>,
    entry: Option<AuditEntry>,
) -> Result<()> {
    let ports = &unit.caller().ports;
    let Some(entry) = entry else {
        return apply(unit, &*ports.store, &effect)
            .await
            .map_err(Failure::into_error);
    };
    match &ports.audit {
        AuditTarget::Collection => together(unit, &effect, &entry).await,
        AuditTarget::Sink(sink) => {
            apply(unit, &*ports.store, &effect)
                .await
                .map_err(Failure::into_error)?;
            sink.record(&entry)
                .await
                .map_err(|error| error.after_write().at_id(|| unit.id().to_string()))
        }
    }
}

/// Why an effect did not take place.
enum Failure {
    /// The transaction ran into another: the same may be tried again.
    Again,
    Final(Error),
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::Again => into_error(StoreError::Transient),
            Self::Final(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Transient => Self::Again,
            other => Self::Final(into_error(other)),
        }
    }
}

async fn together(unit: &dyn WriteUnit, effect: &Effect<'_>, entry: &AuditEntry) -> Result<()> {
    let bytes = entry
        .to_document()
        .to_vec()
        .map_err(|_| Error::internal("an audit entry that cannot be stored"))?;
    let mut attempt = 1;
    loop {
        match once(unit, effect, &bytes).await {
            Ok(()) => return Ok(()),
            Err(Failure::Again) if attempt < TRANSACTION_ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(1 << attempt)).await;
                attempt += 1;
            }
            Err(failure) => return Err(failure.into_error()),
        }
    }
}

async fn once(unit: &dyn WriteUnit, effect: &Effect<'_>, entry: &[u8]) -> Result<(), Failure> {
    let transaction = unit.caller().ports.store.begin().await?;
    let done = async {
        apply(unit, &*transaction, effect).await?;
        transaction.insert_one(audit::COLLECTION, entry).await?;
        transaction.commit().await.map_err(Failure::from)
    };
    let result = done.await;
    if result.is_err() {
        transaction.abort().await;
    }
    result
}

/// Carries the effect out and checks what the store matched.
async fn apply(
    unit: &dyn WriteUnit,
    store: &(impl Operations + ?Sized),
    effect: &Effect<'_>,
) -> Result<(), Failure> {
    let collection = unit.schema().collection;
    let matched = match effect {
        Effect::Insert(document) => {
            store.insert_one(collection, document).await?;
            true
        }
        Effect::Update(update) => store.update_one(update).await?,
        Effect::Delete(selection) => store.delete_one(collection, selection).await?,
    };
    if matched {
        return Ok(());
    }
    // The guard failed: was it changed, or is it gone?
    let found = store
        .find_one(collection, &own(unit).map_err(Failure::Final)?)
        .await?;
    Err(Failure::Final(match found {
        Some(_) => Error::new(ErrorKind::Conflict, "somebody else changed the document first"),
        None => Error::new(ErrorKind::NotFound, "the document is gone"),
    }))
}

/// The unit's own document.
pub(super) fn own(unit: &dyn WriteUnit) -> Result<Selection> {
    let selection = unit.caller().select(unit.schema(), Node::Everything)?;
    Ok(Selection {
        id: Some(unit.id().to_bson()),
        ..selection
    })
}
