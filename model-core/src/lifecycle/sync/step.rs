//! One step on the server, and why it may fail.

use std::fmt;

use bson::{Bson, Document};

use super::super::compare;
use super::super::plan::name_of;
use crate::error::Result;
use crate::store::{Store, StoreError, StoreResult};

/// The server's codes for an index that cannot stand beside another one over the same keys.
const OPTIONS_CONFLICT: i32 = 85;
const SPECS_CONFLICT: i32 = 86;
/// Its code for a second text index, among other things.
const CANNOT_CREATE: i32 = 67;

/// How many groups of duplicates are shown.
const EXAMPLES: u32 = 3;

/// A step that failed.
pub(super) struct Failure {
    pub(super) collection: &'static str,
    pub(super) name: String,
    pub(super) error: StoreError,
    /// Ids of documents with one key, two and two.
    pub(super) duplicates: Vec<[Bson; 2]>,
}

/// Creates an index; where it is to be unique, after a look for documents that stand in its way, so that they can
/// be named.
pub(super) async fn create(store: &dyn Store, collection: &str, index: &Document) -> Result<(), Refusal> {
    if index.get_bool("unique").unwrap_or_default() {
        let duplicates = store.duplicates(collection, index, EXAMPLES).await?;
        if !duplicates.is_empty() {
            let index = name_of(index).to_owned();
            return Err(Refusal {
                error: StoreError::Duplicate { index },
                duplicates,
            });
        }
    }
    Ok(store.create_index(collection, index).await?)
}

/// Drops before it creates, where the server does not let the two stand side by side; if the new one cannot be
/// built, the old one comes back.
pub(super) async fn swap(
    store: &dyn Store,
    collection: &str,
    old: &Document,
    new: &Document,
) -> StoreResult<()> {
    store.drop_index(collection, name_of(old)).await?;
    let outcome = store.create_index(collection, new).await;
    if outcome.is_err() {
        store.create_index(collection, old).await?;
    }
    outcome
}

/// Why a step was not carried out.
pub(super) struct Refusal {
    pub(super) error: StoreError,
    pub(super) duplicates: Vec<[Bson; 2]>,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            duplicates: Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}: ", self.collection, self.name)?;
        match &self.error {
            StoreError::Duplicate { .. } => f.write_str("several documents have the same key")?,
            StoreError::Refused { code, name } => write!(f, "{name} ({code})")?,
            StoreError::Unavailable { what } => write!(f, "no answer from {what}")?,
            StoreError::Unsupported { what } => write!(f, "the store does not know {what}")?,
            _ => f.write_str("the store could not do it")?,
        }
        for (number, [one, other]) in self.duplicates.iter().enumerate() {
            let lead = if number == 0 {
                ", such as those of the ids"
            } else {
                ","
            };
            write!(f, "{lead} {one} and {other}")?;
        }
        Ok(())
    }
}

pub(super) fn is_conflict(outcome: &Result<(), Refusal>, index: &Document) -> bool {
    let Err(Refusal {
        error: StoreError::Refused { code, .. },
        ..
    }) = outcome
    else {
        return false;
    };
    matches!(*code, OPTIONS_CONFLICT | SPECS_CONFLICT) || *code == CANNOT_CREATE && compare::is_text(index)
}
