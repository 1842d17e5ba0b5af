//! What collections themselves need, apart from indexes and validators, planned and made like those.

use std::fmt;

use super::ledger;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;
use crate::store::{Store, into_error};

/// What separates the server's collections from the declared ones. It prints as a readable list.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct CollectionPlan {
    /// The steps, in the order in which they are taken.
    pub steps: Vec<CollectionStep>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CollectionStep {
    /// The model can be watched: the server keeps what was before each change from now on.
    KeepImages {
        /// The collection.
        collection: &'static str,
    },
    /// The model can be watched no more, and an earlier sync has told the server to keep that: it does not any longer.
    DropImages {
        /// The collection.
        collection: &'static str,
    },
}

impl CollectionPlan {
    /// Whether the server has exactly what is declared.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for CollectionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("the collections are as declared");
        }
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CollectionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepImages { collection } => {
                write!(f, "+ images {collection} (what was before each change)")
            }
            Self::DropImages { collection } => write!(f, "- images {collection}"),
        }
    }
}

/// Compares what the models in `schemas` need with what is on the server.
///
/// # Errors
/// `Unavailable` and `Store`.
pub(crate) async fn plan_collections(
    schemas: &[&'static ModelSchema],
    store: &dyn Store,
) -> Result<CollectionPlan> {
    let mut plan = CollectionPlan::default();
    for schema in schemas {
        let collection = schema.collection;
        let there = store.images(collection).await.map_err(into_error)?;
        match (schema.watch, there) {
            (true, false) => plan.steps.push(CollectionStep::KeepImages { collection }),
            (false, true) if ledger::has_images(store, collection).await? => {
                plan.steps.push(CollectionStep::DropImages { collection });
            }
            _ => {}
        }
    }
    Ok(plan)
}

/// Carries a plan out.
///
/// # Errors
/// Those of the store; what was done before stays.
pub(crate) async fn sync_collections(plan: &CollectionPlan, store: &dyn Store) -> Result<()> {
    for step in &plan.steps {
        let (collection, keep) = match step {
            CollectionStep::KeepImages { collection } => (*collection, true),
            CollectionStep::DropImages { collection } => (*collection, false),
        };
        store.keep_images(collection, keep).await.map_err(into_error)?;
        ledger::note_images(store, collection, keep).await?;
    }
    Ok(())
}

/// Refuses a plan that is not empty.
///
/// # Errors
/// `Configuration`, with the plan.
pub(crate) fn refuse_collection_drift(plan: &CollectionPlan) -> Result<()> {
    if plan.is_empty() {
        return Ok(());
    }
    let message = format!("the collections are not as declared:\n{plan}");
    Err(Error::new(ErrorKind::Configuration, message))
}
