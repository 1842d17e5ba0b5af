//! `claim`: one worker, one document.

use super::query::Query;
use super::unit::{Input, Reader, Writing};
use crate::engine::{self, Action, Plan, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, Mutable};

/// How many candidates are looked at together.
const CANDIDATES: u64 = 8;

/// How often new candidates are looked for, when all were claimed by others.
const ROUNDS: u32 = 64;

impl<M: BaseModel + Mutable> Query<'_, M> {
    /// Takes the first document of the query, if there is one: patches it so that nobody else finds it, and returns it as it
    /// is then. Two callers never get the same. For queue entries, and for tokens and links that are used once.
    ///
    /// # Errors
    /// `Invalid` if the patch leaves the document such that the query finds it again; else those of
    /// [`update`](super::ModelExt::update), but no `Conflict` with another claim unless there is no end of them.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// let open = || Note::query(&ctx).filter(|n| n.done.eq(false)).sort(|n| n.created_at.asc());
    /// assert!(open().claim(patch.clone()).await?.is_some());
    /// assert!(open().claim(patch).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn claim(self, patch: M::Patch) -> Result<Option<M>> {
        self.claimed(patch)
            .await
            .map_err(|error| error.at_model(M::NAME, "claim"))
    }

    async fn claimed(self, patch: M::Patch) -> Result<Option<M>> {
        let (ctx, condition) = self.condition();
        for _ in 0..ROUNDS {
            let mut reader = Reader::<M>::new(ctx);
            let (_, listing) = self.again().limit(CANDIDATES).into_parts();
            engine::list(&mut reader, listing).await?;
            let mut candidates = reader.into_named().peekable();
            if candidates.peek().is_none() {
                return Ok(None);
            }
            for (id, _) in candidates {
                let input = Input::Patch(patch.clone());
                let mut unit = Writing::of(ctx, id, Some(input));
                let plan = Plan {
                    condition: condition.clone(),
                    claims: true,
                    required: false,
                    ..Plan::new(Action::Update)
                };
                match engine::write(&mut unit, plan).await {
                    Ok(Written::Yes) => return Ok(unit.into_document(Written::Yes)),
                    Ok(Written::Missing) => {}
                    Ok(Written::Unchanged) => {
                        let message = "the patch leaves the document claimable: it changes nothing";
                        return Err(Error::violation("", "claim", message));
                    }
                    // It has undone the application's transaction, which alone can begin again.
                    Err(error) if super::global::<M>(ctx).caller().transaction.is_some() => {
                        return Err(error);
                    }
                    Err(error)
                        if (error.is_conflict() || error.is_not_found()) && !error.is_after_write() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("others claimed every candidate in each of {ROUNDS} rounds"),
        ))
    }
}
