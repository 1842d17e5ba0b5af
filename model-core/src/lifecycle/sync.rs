//! Makes the indexes on the server as declared.

use std::fmt;

use bson::Document;

use super::plan::{IndexPlan, IndexStep, name_of};
use crate::error::{Error, Result};
use crate::store::{Store, StoreError, StoreResult, into_error};

/// The server's codes for an index that cannot stand beside another one over the same keys.
const OPTIONS_CONFLICT: i32 = 85;
const SPECS_CONFLICT: i32 = 86;

/// What [`Db::sync_indexes`](crate::Db::sync_indexes) may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SyncOptions {
    drop_extra: bool,
}

impl SyncOptions {
    /// Creates indexes and changes times to live, and drops nothing.
    pub const fn new() -> Self {
        Self { drop_extra: false }
    }

    /// Whether indexes are dropped that are not declared, or whose declaration has changed. The index over `_id` never
    /// is.
    #[must_use]
    pub const fn drop_extra(mut self, drop: bool) -> Self {
        self.drop_extra = drop;
        self
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// The steps that were carried out.
    pub done: Vec<IndexStep>,
    /// The steps that were not, since they drop an index and dropping was not asked for.
    pub left: Vec<IndexStep>,
}

/// Carries a plan out: what is created comes before what is dropped. A step that fails does not stop the others, but
/// nothing is dropped in its collection.
///
/// # Errors
/// That of the first step that failed, with its index; the message names every index that failed.
pub(crate) async fn sync(plan: &IndexPlan, store: &dyn Store, options: SyncOptions) -> Result<SyncReport> {
    let mut work = Work {
        store,
        options,
        report: SyncReport::default(),
        old: Vec::new(),
        failed: Vec::new(),
    };
    for step in &plan.steps {
        work.add(step).await;
    }
    work.drop_old().await;
    work.finish(plan.steps.len())
}

struct Work<'a> {
    store: &'a dyn Store,
    options: SyncOptions,
    report: SyncReport,
    /// Steps that drop an index, and whether the new one is there already.
    old: Vec<(IndexStep, bool)>,
    failed: Vec<Failure>,
}

struct Failure {
    collection: &'static str,
    name: String,
    error: StoreError,
}

impl Work<'_> {
    /// Carries out what drops nothing.
    async fn add(&mut self, step: &IndexStep) {
        let (collection, name, outcome) = match step {
            IndexStep::Create { collection, index } => (
                *collection,
                name_of(index),
                self.store.create_index(collection, index).await,
            ),
            IndexStep::SetTtl {
                collection, name, to, ..
            } => (
                *collection,
                name.as_str(),
                self.store.set_index_ttl(collection, name, *to).await,
            ),
            IndexStep::Replace {
                collection, index, ..
            } => {
                let outcome = self.store.create_index(collection, index).await;
                let conflicts = is_conflict(&outcome);
                if outcome.is_ok() || conflicts {
                    self.old.push((step.clone(), !conflicts));
                    return;
                }
                (*collection, name_of(index), outcome)
            }
            IndexStep::Extra { .. } => return self.old.push((step.clone(), true)),
        };
        match outcome {
            Ok(()) => self.report.done.push(step.clone()),
            Err(error) => self.fail(collection, name, error),
        }
    }

    /// Drops what may be dropped.
    async fn drop_old(&mut self) {
        for (step, is_replaced) in std::mem::take(&mut self.old) {
            let (collection, name) = match &step {
                IndexStep::Replace {
                    collection, found, ..
                } => (*collection, name_of(found)),
                IndexStep::Extra { collection, name, .. } => (*collection, name.as_str()),
                _ => continue,
            };
            let is_spared = self.failed.iter().any(|failure| failure.collection == collection);
            if !self.options.drop_extra || is_spared || name == "_id_" {
                self.leave(step, is_replaced);
                continue;
            }
            let outcome = match &step {
                IndexStep::Replace { index, found, .. } if !is_replaced => {
                    self.swap(collection, found, index).await
                }
                _ => self.store.drop_index(collection, name).await,
            };
            match outcome {
                Ok(()) => self.report.done.push(step),
                Err(error) => self.fail(collection, name, error),
            }
        }
    }

    /// What remains to be done of a step whose old index stays.
    fn leave(&mut self, step: IndexStep, is_replaced: bool) {
        if let (
            IndexStep::Replace {
                collection, found, ..
            },
            true,
        ) = (&step, is_replaced)
        {
            let key = found.get_document("key").cloned().unwrap_or_default();
            self.report.left.push(IndexStep::Extra {
                collection,
                name: name_of(found).to_owned(),
                key,
            });
            self.report.done.push(step);
        } else {
            self.report.left.push(step);
        }
    }

    /// Drops before it creates, where the server does not let the two stand side by side; if the new one cannot be
    /// built, the old one comes back.
    async fn swap(&self, collection: &str, old: &Document, new: &Document) -> StoreResult<()> {
        self.store.drop_index(collection, name_of(old)).await?;
        let outcome = self.store.create_index(collection, new).await;
        if outcome.is_err() {
            self.store.create_index(collection, old).await?;
        }
        outcome
    }

    fn fail(&mut self, collection: &'static str, name: &str, error: StoreError) {
        self.failed.push(Failure {
            collection,
            name: name.to_owned(),
            error,
        });
    }

    fn finish(self, steps: usize) -> Result<SyncReport> {
        let all: Vec<_> = self.failed.iter().map(Failure::to_string).collect();
        let message = format!("{} of {steps} index steps failed: {}", all.len(), all.join("; "));
        let Some(first) = self.failed.into_iter().next() else {
            return Ok(self.report);
        };
        let cause = into_error(first.error);
        let error = Error::new(cause.kind(), message).at_index(first.name);
        Err(if cause.is_retryable() {
            error.retryable()
        } else {
            error
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}: ", self.collection, self.name)?;
        match &self.error {
            StoreError::Duplicate { .. } => f.write_str("several documents have the same key"),
            StoreError::Refused { code, name } => write!(f, "{name} ({code})"),
            StoreError::Unavailable { what } => write!(f, "no answer from {what}"),
            _ => f.write_str("the store could not do it"),
        }
    }
}

fn is_conflict(outcome: &StoreResult<()>) -> bool {
    matches!(
        outcome,
        Err(StoreError::Refused {
            code: OPTIONS_CONFLICT | SPECS_CONFLICT,
            ..
        })
    )
}
