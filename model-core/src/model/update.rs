//! `update`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::named::Named;
use super::unit::{Input, Writing};
use crate::engine::{self, Action, Plan};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::Revision;

/// An update, carried out when awaited.
#[must_use = "an update does nothing until it is awaited"]
pub struct Update<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    named: Named<'a, M>,
    input: Input<'a, M>,
    operation: &'static str,
    expected: Option<Revision>,
    keep_updated_at: bool,
}

impl<'a, M: BaseModel> Update<'a, M> {
    pub(super) fn new(
        ctx: &'a ContextFor<M>,
        named: Named<'a, M>,
        input: Input<'a, M>,
        operation: &'static str,
    ) -> Self {
        Self {
            ctx,
            named,
            input,
            operation,
            expected: None,
            keep_updated_at: false,
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
    /// let patch = |text: &str| NotePatch { text: Set(text.into()), ..Default::default() };
    /// Note::update(&ctx, &seen.id, patch("Buy oat milk")).if_revision(seen.revision).await?;
    /// let late = Note::update(&ctx, &seen.id, patch("Buy tea")).if_revision(seen.revision).await;
    /// assert!(late.unwrap_err().is_conflict());
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_revision(mut self, revision: Revision) -> Self {
        self.expected = Some(revision);
        self
    }

    /// Leaves `updated_at` as it is, for this call: a backfill, a counter.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { tags: Set(vec!["home".into()]), ..Default::default() };
    /// Note::update(&ctx, &created.id, patch).keep_updated_at().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_updated_at(mut self) -> Self {
        self.keep_updated_at = true;
        self
    }

    async fn run(self) -> Result<M> {
        let plan = Plan {
            expected: self.expected,
            keep_updated_at: self.keep_updated_at,
            ..self.named.plan(Action::Update)
        };
        let result = write(self.ctx, &self.named, self.input, plan).await;
        result.map_err(|error| self.named.tell(error.at_model(M::NAME, self.operation)))
    }
}

async fn write<M: BaseModel>(
    ctx: &ContextFor<M>,
    named: &Named<'_, M>,
    input: Input<'_, M>,
    plan: Plan,
) -> Result<M> {
    let found = named.require(ctx, plan.action).await?;
    let mut unit = Writing::of(ctx, found.id, Some(input));
    let written = engine::write_found(&mut unit, plan, found.document).await?;
    unit.into_document(written)
        .ok_or_else(|| Error::internal("an update without a document"))
}

impl<M: BaseModel> fmt::Debug for Update<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("model", &M::NAME)
            .field("document", &self.named)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Update<'a, M> {
    type Output = Result<M>;
    type IntoFuture = BoxFuture<'a, Result<M>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
