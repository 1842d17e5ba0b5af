//! `delete`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::named::Named;
use super::unit::Writing;
use crate::engine::{self, Action, Plan, Written};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::value::Revision;

/// A delete, a purge or a restore, carried out when awaited.
#[must_use = "a delete does nothing until it is awaited"]
pub struct Delete<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    named: Named<'a, M>,
    action: Action,
    operation: &'static str,
    expected: Option<Revision>,
}

impl<'a, M: BaseModel> Delete<'a, M> {
    pub(super) fn new(
        ctx: &'a ContextFor<M>,
        named: Named<'a, M>,
        action: Action,
        operation: &'static str,
    ) -> Self {
        Self {
            ctx,
            named,
            action,
            operation,
            expected: None,
        }
    }

    /// Insists on the revision that the caller has seen (`If-Match`): any other is a `Conflict`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let seen = Note::create(&ctx, note("Buy milk")).await?;
    /// assert!(Note::delete(&ctx, &seen.id).if_revision(seen.revision).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_revision(mut self, revision: Revision) -> Self {
        self.expected = Some(revision);
        self
    }

    async fn run(self) -> Result<bool> {
        let plan = Plan {
            expected: self.expected,
            ..self.named.plan(self.action)
        };
        let result = write(self.ctx, &self.named, plan).await;
        result.map_err(|error| self.named.tell(error.at_model(M::NAME, self.operation)))
    }
}

async fn write<M: BaseModel>(ctx: &ContextFor<M>, named: &Named<'_, M>, plan: Plan) -> Result<bool> {
    let Some(found) = named.find(ctx, plan.action).await? else {
        return Ok(false);
    };
    let mut unit = Writing::of(ctx, found.id, None);
    let written = engine::write_found(&mut unit, plan, found.document).await?;
    Ok(written == Written::Yes)
}

impl<M: BaseModel> fmt::Debug for Delete<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete")
            .field("model", &M::NAME)
            .field("document", &self.named)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Delete<'a, M> {
    type Output = Result<bool>;
    type IntoFuture = BoxFuture<'a, Result<bool>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
