//! `delete_in_batches`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::unit::Writing;
use crate::engine::{self, Action, DeletePlan};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::Id;

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 500;

/// A deletion with all that it takes along, carried out in batches when awaited: what it has done, model by model; none if
/// there is no such document for this actor.
#[must_use = "a deletion does nothing until it is awaited"]
pub struct DeleteInBatches<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    id: &'a Id<M>,
    action: Action,
    batch: u32,
    progress: Option<Progress<'a>>,
}

type Progress<'a> = Box<dyn FnMut(&DeletePlan) + Send + 'a>;

impl<'a, M: BaseModel> DeleteInBatches<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, id: &'a Id<M>) -> Self {
        Self {
            ctx,
            id,
            action: Action::Delete,
            batch: BATCH,
            progress: None,
        }
    }

    /// For good, as [`purge`](crate::ModelExt::purge): documents that are marked as deleted go too.
    pub fn purging(mut self) -> Self {
        self.action = Action::Purge;
        self
    }

    /// That many documents in one transaction: 500 if nothing is said, at least one.
    pub fn batch(mut self, documents: u32) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Tells after each batch what has been done so far.
    pub fn on_progress(mut self, tell: impl FnMut(&DeletePlan) + Send + 'a) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// What the deletion would do, and what stands in its way; none if there is no such document for this actor. Nothing is
    /// written and no hook runs.
    ///
    /// # Errors
    /// `Forbidden` if the document itself may not be deleted; those of the store.
    pub async fn dry_run(self) -> Result<Option<DeletePlan>> {
        let mut unit = Writing::of(self.ctx, self.id.clone(), None);
        engine::plan_deletion(&mut unit, self.action)
            .await
            .map_err(named::<M>)
    }

    async fn run(mut self) -> Result<Option<DeletePlan>> {
        let mut unit = Writing::of(self.ctx, self.id.clone(), None);
        let mut progress = self.progress.take();
        let mut tell = |done: &DeletePlan| {
            if let Some(progress) = &mut progress {
                progress(done);
            }
        };
        engine::delete_in_batches(&mut unit, self.action, self.batch as usize, &mut tell)
            .await
            .map_err(named::<M>)
    }
}

fn named<M: BaseModel>(error: Error) -> Error {
    error.at_model(M::NAME, "delete_in_batches")
}

impl<M: BaseModel> fmt::Debug for DeleteInBatches<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteInBatches")
            .field("model", &M::NAME)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for DeleteInBatches<'a, M> {
    type Output = Result<Option<DeletePlan>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
