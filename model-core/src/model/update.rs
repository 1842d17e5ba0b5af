//! `update`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::unit::{Input, Writing};
use crate::engine::{self, Action, Plan};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::{Id, Revision};

/// An update, carried out when awaited.
#[must_use = "an update does nothing until it is awaited"]
pub struct Update<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    id: &'a Id<M>,
    input: Input<'a, M>,
    expected: Option<Revision>,
    keep_updated_at: bool,
}

impl<'a, M: BaseModel> Update<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, id: &'a Id<M>, input: Input<'a, M>) -> Self {
        Self {
            ctx,
            id,
            input,
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
        let mut unit = Writing::of(self.ctx, self.id.clone(), Some(self.input));
        let plan = Plan {
            expected: self.expected,
            keep_updated_at: self.keep_updated_at,
            ..Plan::new(Action::Update)
        };
        let result = match engine::write(&mut unit, plan).await {
            Ok(written) => unit
                .into_document(written)
                .ok_or_else(|| Error::internal("an update without a document")),
            Err(error) => Err(error),
        };
        result.map_err(|error| error.at_model(M::NAME, "update").at_id(|| self.id.to_string()))
    }
}

impl<M: BaseModel> fmt::Debug for Update<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("model", &M::NAME)
            .field("id", &self.id)
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
