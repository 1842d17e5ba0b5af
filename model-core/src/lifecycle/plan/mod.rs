//! What separates the indexes on the server from those declared.

mod collection;

use std::fmt;

use bson::Document;

use self::collection::Collection;
use super::{compare, declared, forms, ledger};
use crate::error::Result;
use crate::schema::ModelSchema;
use crate::store::{Store, into_error};

/// What [`Db::sync_indexes`](crate::Db::sync_indexes) would do. It prints as a readable list.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct IndexPlan {
    /// The steps, in the order in which they are taken.
    pub steps: Vec<IndexStep>,
    /// What is as declared: collection, and the names on the server.
    pub(in crate::lifecycle) present: Vec<(&'static str, Vec<String>)>,
}

/// Who made an index on the server that is not as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexOrigin {
    /// An earlier sync: its declaration is gone or has changed.
    Ours,
    /// A declared index says that it replaces this one.
    Superseded,
    /// Someone else.
    Foreign,
}

/// One difference between the server and the declarations.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum IndexStep {
    /// A declared index is not on the server: it is created.
    Create {
        /// The collection.
        collection: &'static str,
        /// The index as the server describes it.
        index: Document,
    },
    /// An index on the server has the same keys and other options: the declared one is created, then the old one is
    /// dropped, if dropping is allowed.
    Replace {
        /// The collection.
        collection: &'static str,
        /// The declared index.
        index: Document,
        /// The index on the server.
        found: Document,
        /// The options that differ.
        differs: Vec<String>,
        /// Who made the one on the server.
        origin: IndexOrigin,
    },
    /// Only the time to live differs: it is changed in place.
    SetTtl {
        /// The collection.
        collection: &'static str,
        /// The index's name on the server.
        name: String,
        /// Seconds on the server; none if documents do not expire.
        from: Option<i64>,
        /// Seconds as declared.
        to: i64,
    },
    /// Whether queries see the index differs: it is changed in place.
    SetHidden {
        /// The collection.
        collection: &'static str,
        /// The index's name on the server.
        name: String,
        /// Whether it is to be hidden.
        hidden: bool,
    },
    /// An index on the server is not declared: it is dropped, if dropping is allowed.
    Extra {
        /// The collection.
        collection: &'static str,
        /// Its name on the server.
        name: String,
        /// Its keys.
        key: Document,
        /// Who made it.
        origin: IndexOrigin,
        /// No query uses it: a step on its way out.
        hidden: bool,
    },
}

impl IndexPlan {
    /// Whether the server has exactly the declared indexes.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for IndexPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("the indexes are as declared");
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

impl fmt::Display for IndexStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { collection, index } => {
                write!(f, "+ create {collection}: {}", Described(index))
            }
            Self::Replace {
                collection,
                index,
                found,
                differs,
                origin,
            } => {
                let (old, differs, mark) = (name_of(found), differs.join(", "), mark(*origin));
                write!(
                    f,
                    "~ replace {collection}: {old}{mark} (differs: {differs}) by {}",
                    Described(index)
                )
            }
            Self::SetHidden {
                collection,
                name,
                hidden,
            } => {
                let verb = if *hidden { "hide" } else { "show" };
                write!(f, "~ {verb} {collection}: {name}")
            }
            Self::SetTtl {
                collection,
                name,
                from: Some(from),
                to,
            } => {
                write!(f, "~ ttl {collection}: {name} {from} s -> {to} s")
            }
            Self::SetTtl {
                collection,
                name,
                from: None,
                to,
            } => {
                write!(f, "~ ttl {collection}: {name} never -> {to} s")
            }
            Self::Extra {
                collection,
                name,
                key,
                origin,
                hidden,
            } => {
                let hidden = if *hidden { " (hidden)" } else { "" };
                write!(f, "- extra {collection}: {name} {key}{}{hidden}", mark(*origin))
            }
        }
    }
}

fn mark(origin: IndexOrigin) -> &'static str {
    match origin {
        IndexOrigin::Ours => "",
        IndexOrigin::Superseded => " (superseded)",
        IndexOrigin::Foreign => " (made by others)",
    }
}

/// An index as its name, its keys, its options.
pub(in crate::lifecycle) struct Described<'a>(pub(in crate::lifecycle) &'a Document);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(self.0))?;
        if let Ok(key) = self.0.get_document("key") {
            write!(f, " {key}")?;
        }
        for (option, value) in self
            .0
            .iter()
            .filter(|(option, _)| !matches!(option.as_str(), "key" | "name"))
        {
            write!(f, " {option}: {value}")?;
        }
        Ok(())
    }
}

/// Compares the declared indexes of `schemas` with those on the server.
///
/// # Errors
/// `Unavailable` and `Store`.
pub(crate) async fn plan(schemas: &[&'static ModelSchema], store: &dyn Store) -> Result<IndexPlan> {
    let mut plan = IndexPlan::default();
    for schema in schemas {
        let mut found = store.list_indexes(schema.collection).await.map_err(into_error)?;
        let declared = declared::describe_all(schema);
        found.retain(|index| {
            !forms::is_servers_own(schema, index) || declared.iter().any(|own| compare::same_key(own, index))
        });
        let ours = if found.iter().all(is_id_index) {
            Vec::new()
        } else {
            ledger::indexes(store, schema.collection).await?
        };
        let mut collection = Collection::new(schema, found, ours);
        collection.compare(declared);
        plan.steps.extend(collection.steps);
        plan.present.push((schema.collection, collection.present));
    }
    plan.steps.sort_by_key(order);
    Ok(plan)
}

/// The name in a description.
pub(in crate::lifecycle) fn name_of(index: &Document) -> &str {
    index.get_str("name").unwrap_or_default()
}

/// The index that every collection has, which can be neither declared nor dropped.
pub(in crate::lifecycle) fn is_id_index(index: &Document) -> bool {
    name_of(index) == "_id_" || compare::same_key(index, &bson::doc! { "key": { "_id": 1 } })
}

/// What is created comes first, what may be dropped last.
fn order(step: &IndexStep) -> u8 {
    match step {
        IndexStep::Create { .. } => 0,
        IndexStep::Replace { .. } => 1,
        IndexStep::SetTtl { .. } | IndexStep::SetHidden { .. } => 2,
        IndexStep::Extra { .. } => 3,
    }
}
