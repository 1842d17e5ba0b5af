//! What separates the indexes on the server from those declared.

use std::fmt;

use bson::Document;

use super::{compare, declared, ledger, name};
use crate::error::Result;
use crate::schema::ModelSchema;
use crate::store::{Store, into_error};

const TTL: &str = "expireAfterSeconds";
const HIDDEN: &str = "hidden";

/// What [`Db::sync_indexes`](crate::Db::sync_indexes) would do. It prints as a readable list.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct IndexPlan {
    /// The steps, in the order in which they are taken.
    pub steps: Vec<IndexStep>,
    /// What is as declared: collection, and the names on the server.
    pub(super) present: Vec<(&'static str, Vec<String>)>,
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
pub(super) struct Described<'a>(pub(super) &'a Document);

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
        let found = store.list_indexes(schema.collection).await.map_err(into_error)?;
        let ours = if found.iter().all(is_id_index) {
            Vec::new()
        } else {
            ledger::indexes(store, schema.collection).await?
        };
        let mut collection = Collection::new(schema, found, ours);
        collection.compare(declared::describe_all(schema));
        plan.steps.extend(collection.steps);
        plan.present.push((schema.collection, collection.present));
    }
    plan.steps.sort_by_key(order);
    Ok(plan)
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
        IndexStep::SetTtl { .. } | IndexStep::SetHidden { .. } => 2,
        IndexStep::Extra { .. } => 3,
    }
}

/// One collection: what is on the server, and what is found to be missing or too much.
struct Collection<'a> {
    schema: &'a ModelSchema,
    /// The names on the server, and those that steps give.
    taken: Vec<String>,
    /// What no declaration has claimed yet.
    left: Vec<Document>,
    /// The names that earlier syncs have noted.
    ours: Vec<String>,
    present: Vec<String>,
    steps: Vec<IndexStep>,
}

impl<'a> Collection<'a> {
    fn new(schema: &'a ModelSchema, found: Vec<Document>, ours: Vec<String>) -> Self {
        Self {
            schema,
            taken: found.iter().map(|index| name_of(index).to_owned()).collect(),
            left: found.into_iter().filter(|index| !is_id_index(index)).collect(),
            ours,
            present: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn compare(&mut self, mut missing: Vec<Document>) {
        // Every exact match first, so that no near match takes what belongs to another declaration.
        missing.retain(|index| {
            match self
                .left
                .iter()
                .position(|found| compare::differences(index, found).is_empty())
            {
                Some(at) => {
                    self.present.push(name_of(&self.left.remove(at)).to_owned());
                    false
                }
                None => true,
            }
        });
        for index in missing {
            self.bring_about(index);
        }
        for index in std::mem::take(&mut self.left) {
            self.steps.push(IndexStep::Extra {
                collection: self.schema.collection,
                name: name_of(&index).to_owned(),
                key: index.get_document("key").cloned().unwrap_or_default(),
                origin: self.origin(&index),
                hidden: index.get_bool(HIDDEN).unwrap_or_default(),
            });
        }
    }

    fn origin(&self, found: &Document) -> IndexOrigin {
        let name = name_of(found);
        if self
            .schema
            .indexes
            .iter()
            .any(|spec| spec.replaces.contains(&name))
        {
            IndexOrigin::Superseded
        } else if self.ours.iter().any(|ours| ours == name) {
            IndexOrigin::Ours
        } else {
            IndexOrigin::Foreign
        }
    }

    /// The steps that bring one declared index about that has no equal on the server.
    fn bring_about(&mut self, mut index: Document) {
        let found = self.nearest(&index).map(|at| self.left.remove(at));
        if let Some(found) = &found
            && let Some(steps) = self.in_place(&index, found)
        {
            self.present.push(name_of(found).to_owned());
            return self.steps.extend(steps);
        }
        let taken: Vec<&str> = self.taken.iter().map(String::as_str).collect();
        let name = name::free(name_of(&index), &taken);
        self.taken.push(name.clone());
        index.insert("name", name);
        let collection = self.schema.collection;
        self.steps.push(match found {
            Some(found) => IndexStep::Replace {
                collection,
                differs: compare::differences(&index, &found),
                origin: self.origin(&found),
                index,
                found,
            },
            None => IndexStep::Create { collection, index },
        });
    }

    /// What is left on the server that the declared index could be made of, or has to take the place of.
    fn nearest(&self, index: &Document) -> Option<usize> {
        let find = |test: &dyn Fn(&Document) -> bool| self.left.iter().position(test);
        find(&|found| self.in_place(index, found).is_some())
            .or_else(|| find(&|found| compare::same_key(index, found)))
            // There is room for one text index only.
            .or_else(|| find(&|found| compare::is_text(index) && compare::is_text(found)))
    }

    /// The steps, if what differs can be changed in place.
    fn in_place(&self, index: &Document, found: &Document) -> Option<Vec<IndexStep>> {
        let (collection, name) = (self.schema.collection, name_of(found).to_owned());
        let mut steps = Vec::new();
        for option in compare::differences(index, found) {
            steps.push(match option.as_str() {
                TTL => IndexStep::SetTtl {
                    collection,
                    name: name.clone(),
                    from: compare::whole(found.get(TTL)),
                    to: compare::whole(index.get(TTL))?,
                },
                HIDDEN => IndexStep::SetHidden {
                    collection,
                    name: name.clone(),
                    hidden: index.get_bool(HIDDEN).unwrap_or_default(),
                },
                _ => return None,
            });
        }
        Some(steps)
    }
}
