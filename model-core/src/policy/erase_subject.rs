//! `erase_subject`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::base_model::BaseModel;
use super::context::{Context, GlobalContext};
use super::{Actor, GlobalScope, TenantScope};
use crate::engine::{self, DeletePlan};
use crate::error::Result;
use crate::schema::ModelSchema;
use crate::value::{Id, IdValue, Identified};

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 500;

/// The erasure of a person's data, carried out in batches when awaited: what it has done, model by model; none if there is
/// no such person.
#[must_use = "an erasure does nothing until it is awaited"]
pub struct EraseSubject<'a, A: Actor> {
    ctx: &'a GlobalContext<A>,
    schema: &'static ModelSchema,
    id: IdValue,
    batch: u32,
    progress: Option<Progress<'a>>,
}

type Progress<'a> = Box<dyn FnMut(&DeletePlan) + Send + 'a>;

impl<A: Actor> Context<A> {
    /// Erases a person's data: their own document goes with what goes along by `on_delete`, those that are marked as
    /// deleted for good.
    ///
    /// A `restrict` does not refuse it. The document that it keeps stays, and so does everything that it cannot be without;
    /// what stays of a person (by fields with `#[model(subject)]`, or because it was to be deleted with them) is rid of its
    /// `#[model(pii)]` fields, read-only ones and those of `append_only` models too. `nullify` and `pull` leave documents
    /// that no longer name the person.
    ///
    /// It takes a bypass. Each document is written through the one write path: hooks run (one that refuses ends it),
    /// rules hold for what is put in the place of personal data, and each leaves an audit entry, which shows no personal
    /// data. Broken off and called again, it goes on with what is left.
    ///
    /// # Errors
    /// `Forbidden` without a bypass; `Configuration` if a model's policy knows another type of actor; as
    /// [`delete_in_batches`](crate::ModelExt::delete_in_batches).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let job = ctx.dangerously_bypass_permissions("request 17, by the person concerned");
    /// println!("{}", job.erase_subject(&created.id).dry_run().await?.unwrap());
    /// let done = job.erase_subject(&created.id).await?.unwrap();
    /// assert_eq!((done.deleted(), done.erased()), (1, 0));
    /// assert!(job.erase_subject(&created.id).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn erase_subject<M>(&self, id: &Id<M>) -> EraseSubject<'_, A>
    where
        M: BaseModel<Actor = A, Scope = TenantScope> + Identified,
    {
        EraseSubject {
            ctx: self,
            schema: M::schema(),
            id: id.value().clone(),
            batch: BATCH,
            progress: None,
        }
    }
}

impl<A: Actor> GlobalContext<A> {
    /// As [`Context::erase_subject`], of a person whose documents belong to no tenant.
    ///
    /// # Errors
    /// As [`Context::erase_subject`].
    ///
    /// ```
    /// # use model_core::prelude::*;
    /// async fn forget<M>(ctx: &GlobalContext<M::Actor>, id: &Id<M>) -> Result<()>
    /// where
    ///     M: BaseModel<Scope = model_core::GlobalScope>,
    /// {
    ///     let job = ctx.dangerously_bypass_permissions("the person asked for it");
    ///     job.erase_subject(id).await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn erase_subject<M>(&self, id: &Id<M>) -> EraseSubject<'_, A>
    where
        M: BaseModel<Actor = A, Scope = GlobalScope>,
    {
        EraseSubject {
            ctx: self,
            schema: M::schema(),
            id: id.value().clone(),
            batch: BATCH,
            progress: None,
        }
    }
}

impl<'a, A: Actor> EraseSubject<'a, A> {
    /// That many documents at a time: 500 if nothing is said, at least one.
    pub fn batch(mut self, documents: u32) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Is told after every batch what was done so far.
    pub fn on_progress(mut self, progress: impl FnMut(&DeletePlan) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// How many documents of each model would be deleted, or rid of what is personal. Nothing is written.
    ///
    /// # Errors
    /// As awaiting it.
    pub async fn dry_run(self) -> Result<Option<DeletePlan>> {
        let global = self.ctx;
        engine::plan_subject(global.caller(), global, self.schema, self.id).await
    }

    async fn run(self) -> Result<Option<DeletePlan>> {
        let global = self.ctx;
        let mut progress = self.progress;
        let mut tell = |done: &DeletePlan| {
            if let Some(progress) = &mut progress {
                progress(done);
            }
        };
        let batch = self.batch as usize;
        engine::erase_subject(global.caller(), global, self.schema, self.id, batch, &mut tell).await
    }
}

impl<A: Actor> fmt::Debug for EraseSubject<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EraseSubject").finish_non_exhaustive()
    }
}

impl<'a, A: Actor> IntoFuture for EraseSubject<'a, A> {
    type Output = Result<Option<DeletePlan>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
