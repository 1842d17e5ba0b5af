//! `update_with` and `modify`: changes that begin from the document as it is, and begin again if another writer is first.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::compute::{Compute, Patching};
use super::named::Named;
use super::unit::{Input, Writing};
use crate::engine::{self, Action, Plan};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::Operators;
use crate::value::Revision;

/// How often a change is made before it gives up: as many writers of one document, all at once, all get through.
const ATTEMPTS: u32 = 32;

/// A change that is computed from the document, carried out when awaited.
#[must_use = "a change does nothing until it is awaited"]
pub struct Modify<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    named: Named<'a, M>,
    compute: Compute<'a, M>,
    operation: &'static str,
    expected: Option<Revision>,
    keep_updated_at: bool,
    attempts: u32,
}

impl<'a, M: BaseModel> Modify<'a, M> {
    pub(super) fn by_operators(
        ctx: &'a ContextFor<M>,
        named: Named<'a, M>,
        operators: Operators<M>,
        operation: &'static str,
    ) -> Self {
        Self::new(ctx, named, Compute::Operators(operators), operation)
    }

    pub(super) fn by_patch(
        ctx: &'a ContextFor<M>,
        named: Named<'a, M>,
        compute: Patching<'a, M>,
        operation: &'static str,
    ) -> Self {
        Self::new(ctx, named, Compute::Patch(compute), operation)
    }

    fn new(
        ctx: &'a ContextFor<M>,
        named: Named<'a, M>,
        compute: Compute<'a, M>,
        operation: &'static str,
    ) -> Self {
        Self {
            ctx,
            named,
            compute,
            operation,
            expected: None,
            keep_updated_at: false,
            attempts: ATTEMPTS,
        }
    }

    /// Insists on the revision that the caller has seen (`If-Match`): any other is a `Conflict`, at once.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let seen = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::update_with(&ctx, &seen.id, |n| n.stars.inc(1)).if_revision(seen.revision).await?;
    /// let late = Note::update_with(&ctx, &seen.id, |n| n.stars.inc(1)).if_revision(seen.revision).await;
    /// assert!(late.unwrap_err().is_conflict());
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_revision(mut self, revision: Revision) -> Self {
        self.expected = Some(revision);
        self
    }

    /// Leaves `updated_at` as it is, for this call.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::update_with(&ctx, &created.id, |n| n.stars.inc(1)).keep_updated_at().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_updated_at(mut self) -> Self {
        self.keep_updated_at = true;
        self
    }

    /// How often the change is made before it gives up because other writers were first each time; 32 if nothing is
    /// said, and at least once.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::update_with(&ctx, &created.id, |n| n.stars.inc(1)).attempts(3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    async fn run(self) -> Result<M> {
        let plan = Plan {
            expected: self.expected,
            keep_updated_at: self.keep_updated_at,
            ..self.named.plan(Action::Update)
        };
        let result = write(self.ctx, &self.named, self.compute, plan, self.attempts).await;
        result.map_err(|error| self.named.tell(error.at_model(M::NAME, self.operation)))
    }
}

async fn write<M: BaseModel>(
    ctx: &ContextFor<M>,
    named: &Named<'_, M>,
    compute: Compute<'_, M>,
    plan: Plan,
    attempts: u32,
) -> Result<M> {
    compute.check()?;
    let found = named.require(ctx, plan.action).await?;
    let mut unit = Writing::of(ctx, found.id, Some(Input::Computed(compute)));
    let written = engine::write_again(&mut unit, &plan, found.document, attempts).await?;
    unit.into_document(written)
        .ok_or_else(|| Error::internal("an update without a document"))
}

impl<M: BaseModel> fmt::Debug for Modify<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify")
            .field("model", &M::NAME)
            .field("document", &self.named)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Modify<'a, M> {
    type Output = Result<M>;
    type IntoFuture = BoxFuture<'a, Result<M>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
