//! What collections themselves need, apart from indexes and validators, planned and made like those.

use std::fmt;

use bson::Document;

use super::{compare, declared, forms, ledger};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;
use crate::store::{Sharding, Store, into_error};

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
    /// The documents lie in a time series or in a capped collection, and there is none: it is made.
    Create {
        /// The collection.
        collection: &'static str,
        /// The options that it is made with, in the server's words.
        options: Document,
    },
    /// A time series or a capped collection has other options than declared: they are changed in place.
    Change {
        /// The collection.
        collection: &'static str,
        /// The options that differ, as `collMod` takes them.
        changes: Document,
    },
    /// The collection is of another kind than declared, or has options that cannot be changed in place. A sync leaves it so: its
    /// documents would have to be copied into a new one.
    OtherForm {
        /// The collection.
        collection: &'static str,
        /// The declared options.
        options: Document,
        /// Those of the server.
        found: Document,
    },
    /// The model can be watched: the server keeps what was before each change from now on.
    KeepImages {
        /// The collection.
        collection: &'static str,
    },
    /// The collection lies on one shard of a cluster: it is spread over all of them.
    Shard {
        /// The collection.
        collection: &'static str,
        /// The declared shard key, by stored names.
        key: Document,
    },
    /// The collection is spread by another key than the declared one. A sync leaves it so: `reshardCollection` copies all of its
    /// documents, and is for whoever runs the cluster.
    OtherShardKey {
        /// The collection.
        collection: &'static str,
        /// The declared shard key, by stored names.
        key: Document,
        /// That of the cluster.
        found: Document,
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
            Self::Create { collection, options } => write!(f, "+ collection {collection} {options}"),
            Self::Change { collection, changes } => write!(f, "~ collection {collection} {changes}"),
            Self::OtherForm {
                collection,
                options,
                found,
            } => write!(
                f,
                "! collection {collection} {found}, declared {options} (copy it into a new one)"
            ),
            Self::KeepImages { collection } => {
                write!(f, "+ images {collection} (what was before each change)")
            }
            Self::Shard { collection, key } => write!(f, "+ shards {collection} {key}"),
            Self::OtherShardKey {
                collection,
                key,
                found,
            } => write!(
                f,
                "! shards {collection} by {found}, declared by {key} (`reshardCollection`)"
            ),
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
        plan.steps.extend(forms::plan(schema, store).await?);
        let there = store.images(collection).await.map_err(into_error)?;
        match (schema.watch, there) {
            (true, false) => plan.steps.push(CollectionStep::KeepImages { collection }),
            (false, true) if ledger::has_images(store, collection).await? => {
                plan.steps.push(CollectionStep::DropImages { collection });
            }
            _ => {}
        }
        if !schema.shard_key.is_empty() {
            let sharding = store.sharding(collection).await.map_err(into_error)?;
            plan.steps.extend(shard_step(schema, sharding));
        }
    }
    Ok(plan)
}

/// What separates the cluster from the declared shard key.
fn shard_step(schema: &'static ModelSchema, sharding: Sharding) -> Option<CollectionStep> {
    let (collection, key) = (schema.collection, declared::shard_key(schema));
    match sharding {
        Sharding::Whole => Some(CollectionStep::Shard { collection, key }),
        Sharding::By(found) if !compare::same_value(&found.clone().into(), &key.clone().into()) => {
            Some(CollectionStep::OtherShardKey {
                collection,
                key,
                found,
            })
        }
        Sharding::By(_) | Sharding::NoCluster => None,
    }
}

/// Carries a plan out.
///
/// # Errors
/// Those of the store; what was done before stays.
pub(crate) async fn sync_collections(plan: &CollectionPlan, store: &dyn Store) -> Result<()> {
    for step in &plan.steps {
        let (collection, keep) = match step {
            CollectionStep::Shard { collection, key } => {
                store.shard(collection, key).await.map_err(into_error)?;
                continue;
            }
            CollectionStep::Create { collection, options } => {
                store
                    .create_collection(collection, options)
                    .await
                    .map_err(into_error)?;
                continue;
            }
            CollectionStep::Change { collection, changes } => {
                store
                    .change_collection(collection, changes)
                    .await
                    .map_err(into_error)?;
                continue;
            }
            CollectionStep::OtherShardKey { .. } | CollectionStep::OtherForm { .. } => continue,
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
