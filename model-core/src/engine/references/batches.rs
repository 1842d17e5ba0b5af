//! A deletion with all that it takes along, in batches: for what one transaction is not to hold.
//!
//! What refers to a document goes before it, and the document that was asked for goes last. So whenever it is broken off,
//! nothing refers to what is gone, and all that is left is found again from the document that is still there.

use std::collections::HashMap;
use std::fmt;

use super::along::{self, Along, Dependent, Fate, fetch};
use super::cascade::{Root, follow};
use crate::engine::unit::{Action, Deleted, WriteUnit, permitted};
use crate::engine::write::bulk::is_stale;
use crate::engine::write::plan::{Item, Plan, Written};
use crate::engine::write::stored;
use crate::engine::write::{write, write_together};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;

/// How often a batch of which a document was changed by somebody else is read again.
const ATTEMPTS: u32 = 8;

/// What a deletion does to the documents of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteStep {
    /// The model.
    pub model: &'static str,
    /// Its collection.
    pub collection: &'static str,
    /// The documents that are deleted.
    pub deleted: u64,
    /// The documents that lose a reference.
    pub loosened: u64,
    /// The documents that stay, without what is personal in them.
    pub erased: u64,
    /// The documents that stand in the way.
    pub in_the_way: u64,
}

/// What a deletion does, or has done so far, model by model; the model of the document that was asked for comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletePlan {
    /// The models that it reaches.
    pub steps: Vec<DeleteStep>,
}

impl DeletePlan {
    /// The documents of all models that are deleted.
    pub fn deleted(&self) -> u64 {
        self.steps.iter().map(|step| step.deleted).sum()
    }

    /// The documents of all models that lose a reference.
    pub fn loosened(&self) -> u64 {
        self.steps.iter().map(|step| step.loosened).sum()
    }

    /// The documents of all models that stay, without what is personal in them.
    pub fn erased(&self) -> u64 {
        self.steps.iter().map(|step| step.erased).sum()
    }

    /// Whether nothing stands in the way.
    pub fn is_free(&self) -> bool {
        self.steps.iter().all(|step| step.in_the_way == 0)
    }

    /// What happens to the documents of the model called so.
    pub fn of(&self, model: &str) -> Option<&DeleteStep> {
        self.steps.iter().find(|step| step.model == model)
    }

    pub(in crate::engine) fn step(
        &mut self,
        schema: &'static ModelSchema,
        add: impl FnOnce(&mut DeleteStep),
    ) {
        let known = self
            .steps
            .iter()
            .position(|step| step.collection == schema.collection);
        let place = known.unwrap_or_else(|| {
            self.steps.push(DeleteStep {
                model: schema.name,
                collection: schema.collection,
                deleted: 0,
                loosened: 0,
                erased: 0,
                in_the_way: 0,
            });
            self.steps.len() - 1
        });
        if let Some(step) = self.steps.get_mut(place) {
            add(step);
        }
    }

    /// Adds what happens to what goes along.
    pub(super) fn add(&mut self, along: &Along) -> Result<()> {
        for dependent in &along.dependents {
            self.count(along.model(dependent)?.schema(), &dependent.fate);
        }
        for (schema, _, count) in &along.blocked {
            self.step(schema, |step| step.in_the_way += count);
        }
        Ok(())
    }

    fn count(&mut self, schema: &'static ModelSchema, fate: &Fate) {
        self.step(schema, |step| match fate {
            Fate::Deleted(_) => step.deleted += 1,
            Fate::Loosened(loosened) if loosened.erased => step.erased += 1,
            Fate::Loosened(_) => step.loosened += 1,
        });
    }
}

impl fmt::Display for DeletePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let DeleteStep {
                model,
                deleted,
                loosened,
                erased,
                in_the_way,
                ..
            } = step;
            writeln!(
                f,
                "{model}: {deleted} deleted, {loosened} loosened, {erased} erased, {in_the_way} in the way"
            )?;
        }
        Ok(())
    }
}

/// The document that was asked for, and what goes along; none if it is not there for this caller.
async fn begin(unit: &mut dyn WriteUnit, action: Action) -> Result<Option<Along>> {
    unit.caller().ports.admit(unit.schema()).await?;
    let mut item = Item::new(&mut *unit, Plan::new(action));
    stored::load(std::slice::from_mut(&mut item)).await?;
    if item.stored.is_none() {
        return Ok(None);
    }
    if !permitted(unit, action) {
        let message = format!("`can_{}` denies it", action.verb());
        return Err(Error::new(ErrorKind::Forbidden, message));
    }
    follow(&[Root { unit: &*unit, action }], None).await.map(Some)
}

/// What the deletion of a document would do; none if there is no such document for this caller. Nothing is written, and no
/// hook runs; the policy of what goes along is not asked.
pub(crate) async fn plan_deletion(unit: &mut dyn WriteUnit, action: Action) -> Result<Option<DeletePlan>> {
    let Some(along) = begin(unit, action).await? else {
        return Ok(None);
    };
    let mut plan = DeletePlan::default();
    plan.step(unit.schema(), |step| step.deleted += 1);
    plan.add(&along)?;
    Ok(Some(plan))
}

/// Deletes a document with all that goes along; none if there is no such document for this caller.
pub(crate) async fn delete_in_batches(
    unit: &mut dyn WriteUnit,
    action: Action,
    batch: usize,
    progress: &mut (dyn FnMut(&DeletePlan) + Send),
) -> Result<Option<DeletePlan>> {
    let Some(along) = begin(unit, action).await? else {
        return Ok(None);
    };
    along.require_free()?;
    let mut done = DeletePlan::default();
    done.step(unit.schema(), |_| {});
    carry_out(&along, batch, &mut done, progress).await?;
    // Whatever began to refer to it in the meantime goes along with it.
    if write(unit, Plan::new(action)).await? == Written::Yes {
        done.step(unit.schema(), |step| step.deleted += 1);
    }
    progress(&done);
    Ok(Some(done))
}

/// Writes what goes along: what stays first, and then what is deleted, each after what refers to it.
pub(super) async fn carry_out(
    along: &Along,
    batch: usize,
    done: &mut DeletePlan,
    progress: &mut (dyn FnMut(&DeletePlan) + Send),
) -> Result<()> {
    let (deleted, loosened): (Vec<&Dependent>, Vec<&Dependent>) = along
        .dependents
        .iter()
        .partition(|dependent| matches!(dependent.fate, Fate::Deleted(_)));
    let order = loosened.into_iter().chain(deleted.into_iter().rev());
    let order: Vec<&Dependent> = order.collect();
    let alike = |one: &&Dependent, other: &&Dependent| one.kin == other.kin && one.fate.is_like(&other.fate);
    for group in order.chunk_by(alike).flat_map(|group| group.chunks(batch.max(1))) {
        write_batch(along, group, done).await?;
        progress(done);
    }
    Ok(())
}

/// Writes a batch of one model; one in which somebody else changed a document first is read and judged again.
async fn write_batch(all: &Along, group: &[&Dependent], done: &mut DeletePlan) -> Result<()> {
    let Some(first) = group.first() else {
        return Ok(());
    };
    let kin = all.model(first)?;
    let deleted = match &first.fate {
        Fate::Deleted(Action::Purge) => Deleted::Included,
        Fate::Loosened(loosened) if loosened.erased => Deleted::Included,
        _ => Deleted::Hidden,
    };
    for attempt in 1.. {
        let ids = group.iter().map(|dependent| dependent.id.to_bson()).collect();
        let found = fetch(
            kin,
            deleted,
            Node::field(kin.schema().id_field, Test::In(ids)),
            Vec::new(),
            &mut |_| Ok(true),
        )
        .await?;
        let mut found: HashMap<_, _> = found.into_iter().collect();
        let mut units = Vec::with_capacity(found.len());
        for dependent in group {
            // What is gone by now needs nothing any more.
            if let Some(raw) = found.remove(&dependent.id) {
                units.push((all.unit(dependent)?, *dependent, raw));
            }
        }
        let items = units.iter_mut();
        let mut items: Vec<_> = items
            .map(|(unit, dependent, raw)| along::item(&mut **unit, dependent).found(raw.clone()))
            .collect();
        match write_together(&mut items).await {
            Ok(()) => {
                for _ in items.iter().filter(|item| item.written == Written::Yes) {
                    done.count(kin.schema(), &first.fate);
                }
                return Ok(());
            }
            Err(error) if is_stale(&error) && attempt < ATTEMPTS => {}
            Err(error) => return Err(error.at_model(kin.schema().name, "delete")),
        }
    }
    Ok(())
}
