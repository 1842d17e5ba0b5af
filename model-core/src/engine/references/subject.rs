//! The end of a person's data: what is theirs goes by the delete rules, and what has to stay is rid of what is personal.
//!
//! A restriction does not refuse an erasure: the document that it keeps stays, and so does everything that a document
//! that stays may not be without.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bson::RawDocumentBuf;

use super::along::{Along, Dependent, Fate, opened};
use super::batches::{self, DeletePlan};
use super::cascade::{InTheWay, Key, Root, Search, search};
use super::erase;
use super::graph::{Bond, Kin};
use super::loss::{self, Loosened};
use crate::codec::{DecodeError, RawValue};
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::engine::unit::Action;
use crate::engine::write::plan::{Item, Plan, Written};
use crate::engine::write::{stored, write};
use crate::error::Result;
use crate::schema::{DeleteRule, ModelSchema};
use crate::value::IdValue;

/// What an erasure has to know of the documents that refer to others.
#[derive(Default)]
pub(super) struct Holds {
    /// What a document may not be without, as long as it stays.
    needs: HashMap<Key, Vec<Key>>,
    /// What a document loses, if it stays.
    losses: HashMap<Key, Loosened>,
}

impl Holds {
    /// Notes a document that refers to some of the deleted `ids`.
    pub(super) fn note(
        &mut self,
        kin: &dyn Kin,
        key: &Key,
        bond: &Bond,
        found: &RawDocumentBuf,
        ids: &Arc<HashSet<IdValue>>,
    ) -> Result<()> {
        if matches!(bond.rule, DeleteRule::Nullify | DeleteRule::Pull) {
            self.losses.entry(key.clone()).or_default().add(&bond.at, ids);
            return Ok(());
        }
        let present = load::migrated(kin, found.as_bytes())?;
        let needs = self.needs.entry(key.clone()).or_default();
        let to = bond.at.to.collection;
        let mut need = |value: RawValue<'_>| {
            let id = IdValue::decode(value).ok().filter(|id| ids.contains(id));
            needs.extend(id.map(|id| (to, id)));
        };
        loss::each_named(RawValue::document_of(&present), &bond.at.steps, &mut need)
            .map_err(DecodeError::into_error)
    }

    /// What stays because of the documents that no rule deletes, and of what stays because of them.
    fn stays(&self, mut holding: Vec<Key>) -> HashSet<Key> {
        let mut stays = HashSet::new();
        while let Some(holder) = holding.pop() {
            for held in self.needs.get(&holder).into_iter().flatten() {
                if stays.insert(held.clone()) {
                    holding.push(held.clone());
                }
            }
        }
        stays
    }
}

impl InTheWay {
    fn key(&self) -> Key {
        (self.schema.collection, self.id.clone())
    }
}

impl Search<'_> {
    /// What becomes of everything, and what the root loses if it stays.
    fn settle(mut self, root: &Key) -> Result<(Along, Option<Loosened>)> {
        let mut kept = std::mem::take(&mut self.in_the_way);
        kept.retain(|kept| !self.deleted.contains(&kept.key()));
        let holds = self.holds.take().unwrap_or_default();
        let subjects = kept.iter().filter(|kept| kept.at.subject);
        let mut end = End {
            stays: holds.stays(kept.iter().map(InTheWay::key).collect()),
            subjects: subjects.map(InTheWay::key).collect(),
            losses: holds.losses,
            deleted: self.deleted,
            personal: HashMap::new(),
        };
        let mut places = HashMap::with_capacity(self.places.len());
        let mut met: HashSet<Key> = HashSet::with_capacity(self.places.len());
        for (key, place) in self.places {
            met.insert(key.clone());
            places.insert(place, key);
        }
        let found = self.dependents.into_iter().enumerate();
        let found = found.filter_map(|(place, dependent)| dependent.zip(places.remove(&place)));
        // What a restriction keeps, and nothing else changes.
        let held = kept.into_iter().filter_map(|kept| {
            let key = kept.key();
            let dependent = Dependent {
                kin: kept.kin,
                id: kept.id,
                found: None,
                fate: Fate::Loosened(Loosened::default()),
            };
            met.insert(key.clone()).then_some((dependent, key))
        });
        let mut dependents = Vec::new();
        for (dependent, key) in found.chain(held) {
            let schema = opened(&self.along.kin, dependent.kin)?.schema();
            dependents.extend(end.of(schema, dependent, &key));
        }
        self.along.dependents = dependents;
        let stays = end.stays.contains(root).then(|| end.of_what_stays(root));
        Ok((self.along, stays))
    }
}

/// How an erasure ends for each document.
struct End {
    deleted: HashSet<Key>,
    /// What is not deleted after all.
    stays: HashSet<Key>,
    /// What a restriction keeps, of the person.
    subjects: HashSet<Key>,
    losses: HashMap<Key, Loosened>,
    /// Whether there is something personal in a collection.
    personal: HashMap<&'static str, bool>,
}

impl End {
    /// What becomes of a document; none if nothing does.
    fn of(&mut self, schema: &'static ModelSchema, mut dependent: Dependent, key: &Key) -> Option<Dependent> {
        if matches!(dependent.fate, Fate::Deleted(_)) && self.stays.contains(key) {
            dependent.fate = Fate::Loosened(self.of_what_stays(key));
        }
        if let Fate::Loosened(loosened) = &mut dependent.fate {
            if !self.stays.is_empty() {
                self.narrow(loosened);
            }
            loosened.erased |= self.subjects.contains(key);
            loosened.erased &= *self
                .personal
                .entry(schema.collection)
                .or_insert_with(|| !schema.personal().is_empty());
            if loosened.is_nothing() {
                return None;
            }
        }
        Some(dependent)
    }

    /// What a document loses that was to be deleted, and stays.
    fn of_what_stays(&mut self, key: &Key) -> Loosened {
        let mut loosened = self.losses.remove(key).unwrap_or_default();
        self.narrow(&mut loosened);
        loosened.erased = true;
        loosened
    }

    /// Only what is gone is lost.
    fn narrow(&self, loosened: &mut Loosened) {
        loosened.retain(|to, id| {
            let key = (to.collection, id.clone());
            self.deleted.contains(&key) && !self.stays.contains(&key)
        });
    }
}

/// A person whose data is to be erased.
struct Subject {
    kin: Box<dyn Kin>,
    id: IdValue,
    action: Action,
    along: Along,
    /// What their own document loses, if it has to stay.
    stays: Option<Loosened>,
}

impl Subject {
    /// Finds what is theirs; none if there is no such document.
    async fn find(
        caller: &Caller,
        context: &(dyn Any + Send + Sync),
        schema: &'static ModelSchema,
        id: IdValue,
    ) -> Result<Option<Self>> {
        erase::admit(caller)?;
        caller.ports.admit(schema).await?;
        let kin = caller.graph().open_model(schema, context)?;
        let action = if schema.soft_delete {
            Action::Purge
        } else {
            Action::Delete
        };
        let (along, stays) = {
            let mut unit = kin.unit(id.clone(), None);
            let mut item = Item::new(&mut *unit, Plan::new(action));
            stored::load(std::slice::from_mut(&mut item)).await?;
            if item.stored.is_none() {
                return Ok(None);
            }
            let root = Root { unit: &*unit, action };
            match search(&[root], None, Some(Holds::default())).await? {
                Some(search) => search.settle(&(schema.collection, id.clone()))?,
                None => return Ok(None),
            }
        };
        Ok(Some(Self {
            kin,
            id,
            action,
            along,
            stays,
        }))
    }

    /// The last write: of the person's own document.
    async fn end(&self) -> Result<Written> {
        let mut unit = self.kin.unit(self.id.clone(), self.stays.clone());
        if self.stays.is_none() {
            return write(&mut *unit, Plan::new(self.action)).await;
        }
        let plan = Plan {
            required: false,
            unseen: true,
            erases: true,
            ..Plan::new(Action::Update)
        };
        write(&mut *unit, plan).await
    }

    fn note_end(&self, plan: &mut DeletePlan) {
        plan.step(self.kin.schema(), |step| {
            if self.stays.is_some() {
                step.erased += 1;
            } else {
                step.deleted += 1;
            }
        });
    }
}

/// What the erasure of a person's data would do; none if there is no such document.
pub(crate) async fn plan_subject(
    caller: &Caller,
    context: &(dyn Any + Send + Sync),
    schema: &'static ModelSchema,
    id: IdValue,
) -> Result<Option<DeletePlan>> {
    let Some(subject) = Subject::find(caller, context, schema, id).await? else {
        return Ok(None);
    };
    let mut plan = DeletePlan::default();
    subject.note_end(&mut plan);
    plan.add(&subject.along)?;
    Ok(Some(plan))
}

/// Erases a person's data, batch by batch; none if there is no such document. Called again, it goes on with what is left.
pub(crate) async fn erase_subject(
    caller: &Caller,
    context: &(dyn Any + Send + Sync),
    schema: &'static ModelSchema,
    id: IdValue,
    batch: usize,
    progress: &mut (dyn FnMut(&DeletePlan) + Send),
) -> Result<Option<DeletePlan>> {
    let Some(subject) = Subject::find(caller, context, schema, id).await? else {
        return Ok(None);
    };
    let mut done = DeletePlan::default();
    done.step(schema, |_| {});
    batches::carry_out(&subject.along, batch, &mut done, progress).await?;
    if subject.end().await? == Written::Yes {
        subject.note_end(&mut done);
    }
    progress(&done);
    Ok(Some(done))
}
