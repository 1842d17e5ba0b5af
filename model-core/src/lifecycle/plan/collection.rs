//! The indexes of one collection.

use bson::Document;

use super::super::{compare, name};
use super::{IndexOrigin, IndexStep, is_id_index, name_of};
use crate::schema::ModelSchema;

const TTL: &str = "expireAfterSeconds";
const HIDDEN: &str = "hidden";

/// One collection: what is on the server, and what is found to be missing or too much.
pub(super) struct Collection<'a> {
    schema: &'a ModelSchema,
    /// The names on the server, and those that steps give.
    taken: Vec<String>,
    /// What no declaration has claimed yet.
    left: Vec<Document>,
    /// The names that earlier syncs have noted.
    ours: Vec<String>,
    pub(super) present: Vec<String>,
    pub(super) steps: Vec<IndexStep>,
}

impl<'a> Collection<'a> {
    pub(super) fn new(schema: &'a ModelSchema, found: Vec<Document>, ours: Vec<String>) -> Self {
        Self {
            schema,
            taken: found.iter().map(|index| name_of(index).to_owned()).collect(),
            left: found.into_iter().filter(|index| !is_id_index(index)).collect(),
            ours,
            present: Vec::new(),
            steps: Vec::new(),
        }
    }

    pub(super) fn compare(&mut self, mut missing: Vec<Document>) {
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
