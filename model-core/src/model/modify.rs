//! `update_with` and `modify`: changes that begin from the document as it is, and begin again if another writer is first.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::compute::{Compute, Patching};
use super::unit::Writing;
use crate::engine::{self, Action, Plan, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::Operators;
use crate::value::{Id, Revision};

/// How often a change is made before it gives up: as many writers of one document, all at once, all get through.
const ATTEMPTS: u32 = 32;

/// A change that is computed from the document, carried out when awaited.
#[must_use = "a change does nothing until it is awaited"]
pub struct Modify<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    id: &'a Id<M>,
    compute: Compute<'a, M>,
    operation: &'static str,
    expected: Option<Revision>,
    keep_updated_at: bool,
    attempts: u32,
}

impl<'a, M: BaseModel> Modify<'a, M> {
    pub(super) fn by_operators(ctx: &'a ContextFor<M>, id: &'a Id<M>, operators: Operators<M>) -> Self {
        Self::new(ctx, id, Compute::Operators(operators), "update_with")
    }

    pub(super) fn by_patch(ctx: &'a ContextFor<M>, id: &'a Id<M>, compute: Patching<'a, M>) -> Self {
        Self::new(ctx, id, Compute::Patch(compute), "modify")
    }

    fn new(ctx: &'a ContextFor<M>, id: &'a Id<M>, compute: Compute<'a, M>, operation: &'static str) -> Self {
        Self {
            ctx,
            id,
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
        let (id, operation) = (self.id, self.operation);
        self.write()
            .await
            .map_err(|error| error.at_model(M::NAME, operation).at_id(|| id.to_string()))
    }

    async fn write(self) -> Result<M> {
        self.compute.check()?;
        let mut unit = Writing::compute(self.ctx, self.id.clone(), self.compute);
        let plan = Plan {
            action: Action::Update,
            expected: self.expected,
            keep_updated_at: self.keep_updated_at,
        };
        match engine::write_again(&mut unit, plan, self.attempts).await? {
            Written::Missing => Err(Error::new(ErrorKind::NotFound, "")),
            written => unit
                .into_document(written == Written::Unchanged)
                .ok_or_else(|| Error::internal("an update without a document")),
        }
    }
}

impl<M: BaseModel> fmt::Debug for Modify<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify")
            .field("model", &M::NAME)
            .field("id", &self.id)
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
