//! `delete`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::unit::Writing;
use crate::engine::{self, Action, Plan, Written};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::value::{Id, Revision};

/// A delete, a purge or a restore, carried out when awaited.
#[must_use = "a delete does nothing until it is awaited"]
pub struct Delete<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    id: &'a Id<M>,
    action: Action,
    expected: Option<Revision>,
}

impl<'a, M: BaseModel> Delete<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, id: &'a Id<M>, action: Action) -> Self {
        Self {
            ctx,
            id,
            action,
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
        let mut unit = Writing::of(self.ctx, self.id.clone(), None);
        let plan = Plan {
            expected: self.expected,
            ..Plan::new(self.action)
        };
        engine::write(&mut unit, plan)
            .await
            .map(|written| written == Written::Yes)
            .map_err(|error| {
                error
                    .at_model(M::NAME, self.action.verb())
                    .at_id(|| self.id.to_string())
            })
    }
}

impl<M: BaseModel> fmt::Debug for Delete<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete")
            .field("model", &M::NAME)
            .field("id", &self.id)
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
