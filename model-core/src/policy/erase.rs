//! `erase_tenant`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::actor::Actor;
use super::context::Context;
use crate::engine::{self, DeletePlan};
use crate::error::Result;

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 500;

/// The deletion of all documents of a tenant, carried out in batches when awaited: what it has done, model by model.
#[must_use = "an erasure does nothing until it is awaited"]
pub struct EraseTenant<'a, A: Actor> {
    ctx: &'a Context<A>,
    batch: u32,
    progress: Option<Progress<'a>>,
}

type Progress<'a> = Box<dyn FnMut(&DeletePlan) + Send + 'a>;

impl<A: Actor> Context<A> {
    /// Deletes all documents that belong to this context's tenant, of every model of the handle, those that are marked as
    /// deleted too: for a customer who leaves.
    ///
    /// It takes a bypass. Each document is deleted through the one write path: hooks run (one that refuses ends it), and each
    /// leaves an audit entry. What refers to others goes before them. Broken off and called again, it goes on with what is
    /// left. Global models and the audit log stay; what is encrypted is out of reach, in backups of documents too, once
    /// the tenant's keys are shredded: [`Keys::shred`](crate::Keys::shred).
    ///
    /// # Errors
    /// `Forbidden` without a bypass; `Configuration` if a model's policy knows another type of actor; as
    /// [`delete`](crate::ModelExt::delete).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # Note::create(&ctx, note("Buy milk")).await?;
    /// let job = ctx.dangerously_bypass_permissions("contract 4711 has ended");
    /// println!("{}", job.erase_tenant().dry_run().await?);
    /// let done = job.erase_tenant().await?;
    /// assert_eq!(done.of("Note").unwrap().deleted, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn erase_tenant(&self) -> EraseTenant<'_, A> {
        EraseTenant {
            ctx: self,
            batch: BATCH,
            progress: None,
        }
    }
}

impl<'a, A: Actor> EraseTenant<'a, A> {
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

    /// How many documents of each model would be deleted. Nothing is written.
    ///
    /// # Errors
    /// As awaiting it.
    pub async fn dry_run(self) -> Result<DeletePlan> {
        let global: &super::GlobalContext<A> = self.ctx;
        engine::plan_erasure(global.caller(), global).await
    }

    async fn run(self) -> Result<DeletePlan> {
        let global: &super::GlobalContext<A> = self.ctx;
        let mut progress = self.progress;
        let mut tell = |done: &DeletePlan| {
            if let Some(progress) = &mut progress {
                progress(done);
            }
        };
        engine::erase_tenant(global.caller(), global, self.batch as usize, &mut tell).await
    }
}

impl<A: Actor> fmt::Debug for EraseTenant<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EraseTenant").finish_non_exhaustive()
    }
}

impl<'a, A: Actor> IntoFuture for EraseTenant<'a, A> {
    type Output = Result<DeletePlan>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
