//! What separates the indexes on the server from those declared.

use std::fmt;

use bson::Document;

use super::{compare, declared, name};
use crate::error::Result;
use crate::schema::ModelSchema;
use crate::store::{Store, into_error};

const TTL: &str = "expireAfterSeconds";

/// What [`Db::sync_indexes`](crate::Db::sync_indexes) would do. It prints as a readable list.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct IndexPlan {
    /// The steps, in the order in which they are taken.
    pub steps: Vec<IndexStep>,
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
    /// An index on the server is not declared: it is dropped, if dropping is allowed.
    Extra {
        /// The collection.
        collection: &'static str,
        /// Its name on the server.
        name: String,
        /// Its keys.
        key: Document,
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
            } => {
                let (old, differs) = (name_of(found), differs.join(", "));
                write!(
                    f,
                    "~ replace {collection}: {old} (differs: {differs}) by {}",
                    Described(index)
                )
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
            } => write!(f, "- extra {collection}: {name} {key}"),
        }
    }
}

/// An index as its name, its keys, its options.
struct Described<'a>(&'a Document);

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
    let mut steps = Vec::new();
    for schema in schemas {
        let found = store.list_indexes(schema.collection).await.map_err(into_error)?;
        steps.extend(compare_collection(schema, found));
    }
    steps.sort_by_key(order);
    Ok(IndexPlan { steps })
}

/// The name in a description.
pub(super) fn name_of(index: &Document) -> &str {
    index.get_str("name").unwrap_or_default()
}

/// The index that every collection has, which can be neither declared nor dropped.
pub(super) fn is_id_index(index: &Document) -> bool {
    name_of(index) == "_id_" || compare::same_key(index, &bson::doc! { "key": { "_id": 1 } })
}

/// What is created comes first, what may be dropped last.
fn order(step: &IndexStep) -> u8 {
    match step {
        IndexStep::Create { .. } => 0,
        IndexStep::Replace { .. } => 1,
        IndexStep::SetTtl { .. } => 2,
        IndexStep::Extra { .. } => 3,
    }
}

fn compare_collection(schema: &ModelSchema, found: Vec<Document>) -> Vec<IndexStep> {
    let mut taken: Vec<String> = found.iter().map(|index| name_of(index).to_owned()).collect();
    let mut left: Vec<Document> = found.into_iter().filter(|index| !is_id_index(index)).collect();
    let mut missing = declared::describe_all(schema);
    // Every exact match first, so that no near match takes what belongs to another declaration.
    missing.retain(|index| {
        match left
            .iter()
            .position(|found| compare::differences(index, found).is_empty())
        {
            Some(at) => {
                left.remove(at);
                false
            }
            None => true,
        }
    });
    let collection = schema.collection;
    let mut steps: Vec<_> = missing
        .into_iter()
        .map(|index| step(collection, index, &mut left, &mut taken))
        .collect();
    steps.extend(left.iter().map(|index| IndexStep::Extra {
        collection,
        name: name_of(index).to_owned(),
        key: index.get_document("key").cloned().unwrap_or_default(),
    }));
    steps
}

/// The step that brings one declared index about that has no equal on the server.
fn step(
    collection: &'static str,
    mut index: Document,
    left: &mut Vec<Document>,
    taken: &mut Vec<String>,
) -> IndexStep {
    let differs = |found: &Document| compare::differences(&index, found);
    let near = left.iter().position(|found| differs(found) == [TTL]);
    let near = near.or_else(|| left.iter().position(|found| compare::same_key(&index, found)));
    let found = near.map(|at| left.remove(at));
    if let Some(found) = &found {
        let seconds = compare::whole(index.get(TTL));
        if let (true, Some(to)) = (differs(found) == [TTL], seconds) {
            let from = compare::whole(found.get(TTL));
            return IndexStep::SetTtl {
                collection,
                name: name_of(found).to_owned(),
                from,
                to,
            };
        }
    }
    let taken_now: Vec<&str> = taken.iter().map(String::as_str).collect();
    let name = name::free(name_of(&index), &taken_now);
    taken.push(name.clone());
    index.insert("name", name);
    match found {
        Some(found) => {
            let differs = compare::differences(&index, &found);
            IndexStep::Replace {
                collection,
                index,
                found,
                differs,
            }
        }
        None => IndexStep::Create { collection, index },
    }
}
