//! The end of a person's data: what is theirs goes by the delete rules, and what has to stay is rid of what is personal.
//!
//! A restriction does not refuse an erasure: the document that it keeps stays, and so does everything that a document
//! that stays may not be without.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bson::RawDocumentBuf;

use super::along::{Along, Dependent, Fate};
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

impl Search<'_> {
    /// What becomes of everything, and what the root loses if it stays.
    fn settle(mut self, root: &Key) -> (Along, Option<Loosened>) {
        let mut holds = self.holds.take().unwrap_or_default();
        let kept = std::mem::take(&mut self.in_the_way).into_iter();
        let kept: Vec<InTheWay> = kept
            .filter(|kept| !self.deleted.contains(&(kept.schema.collection, kept.id.clone())))
            .collect();
        let holding = kept
            .iter()
            .map(|kept| (kept.schema.collection, kept.id.clone()))
            .collect();
        let stays = holds.stays(holding);
        let is_gone = |to: &'static ModelSchema, id: &IdValue| {
            let key = (to.collection, id.clone());
            self.deleted.contains(&key) && !stays.contains(&key)
        };
        let keys: HashMap<usize, Key> = self
            .places
            .iter()
            .map(|(key, place)| (*place, key.clone()))
            .collect();
        let mut personal = HashMap::new();
        let mut is_personal = |schema: &'static ModelSchema| {
            *personal
                .entry(schema.collection)
                .or_insert_with(|| !schema.personal().is_empty())
        };
        let subjects: HashSet<Key> = kept
            .iter()
            .filter(|kept| kept.at.subject)
            .map(|kept| (kept.schema.collection, kept.id.clone()))
            .collect();
        let mut all = Vec::new();
        for (place, dependent) in self.dependents.into_iter().enumerate() {
            let (Some(mut dependent), Some(key)) = (dependent, keys.get(&place)) else {
                continue;
            };
            let Some(schema) = self.along.kin.get(dependent.kin).map(|kin| kin.schema()) else {
                continue;
            };
            if matches!(dependent.fate, Fate::Deleted(_)) && stays.contains(key) {
                let mut loosened = holds.losses.remove(key).unwrap_or_default();
                loosened.erased = true;
                dependent.fate = Fate::Loosened(loosened);
            }
            if let Fate::Loosened(loosened) = &mut dependent.fate {
                loosened.retain(is_gone);
                loosened.erased = (loosened.erased || subjects.contains(key)) && is_personal(schema);
                if loosened.is_nothing() {
                    continue;
                }
            }
            all.push(dependent);
        }
        // What a restriction keeps, and nothing else changes.
        let mut met = HashSet::new();
        for InTheWay { kin, schema, at, id } in kept {
            let key = (schema.collection, id.clone());
            if at.subject && is_personal(schema) && !self.places.contains_key(&key) && met.insert(key) {
                all.push(Dependent {
                    kin,
                    id,
                    found: None,
                    fate: Fate::Loosened(Loosened::of_what_is_personal()),
                });
            }
        }
        let stays = stays.contains(root).then(|| {
            let mut loosened = holds.losses.remove(root).unwrap_or_default();
            loosened.retain(is_gone);
            loosened.erased = true;
            loosened
        });
        self.along.dependents = all;
        (self.along, stays)
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
                Some(search) => search.settle(&(schema.collection, id.clone())),
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
