//! Several operations at once, or none of them.

use super::actor::Actor;
use super::context::{Context, GlobalContext};
use crate::engine;
use crate::error::{Error, Result};

impl<A: Actor> Context<A> {
    /// Does several things at once, or none of them: all that is done with the context that `work` is given takes effect
    /// when `work` returns `Ok`, and nothing does when it returns an error, which comes back unchanged.
    ///
    /// `work` runs again where the transaction ran into another, for up to two minutes: so what it takes along must be
    /// `Clone`, and what it does besides must bear being done twice. After-hooks, and a sink of the application's own,
    /// wait until the transaction has taken effect. A transaction inside of a transaction is part of it.
    ///
    /// # Errors
    /// Those of `work`. `Configuration`: `work` used another context than the one it was given. `Store`: `work` passed
    /// over the error of an operation that had undone the transaction. `Unsupported`: the server has no transactions.
    /// `Unavailable`: the server did not say whether the commit took effect. An after-hook's error says
    /// [`is_after_write`](Error::is_after_write).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let (old, new) = (Note::create(&ctx, note("Buy milk")).await?.id, note("Buy oat milk"));
    /// let kept = ctx.transaction(|tx| async move {
    ///     Note::delete(&tx, &old).await?;
    ///     Note::create(&tx, new).await
    /// }).await?;
    /// assert_eq!(kept.text, "Buy oat milk");
    /// assert_eq!(Note::query(&ctx).count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn transaction<T, E, W, F>(&self, work: W) -> Result<T, E>
    where
        W: FnOnce(Self) -> F + Clone,
        F: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        if self.caller().transaction.is_some() {
            return work(self.clone()).await;
        }
        engine::in_transaction(&self.caller().ports, |open| {
            work.clone()(self.in_transaction(Some(open)))
        })
        .await
    }
}

impl<A: Actor> GlobalContext<A> {
    /// As [`Context::transaction`], for global models.
    ///
    /// # Errors
    /// As [`Context::transaction`].
    pub async fn transaction<T, E, W, F>(&self, work: W) -> Result<T, E>
    where
        W: FnOnce(Self) -> F + Clone,
        F: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        if self.caller().transaction.is_some() {
            return work(self.clone()).await;
        }
        engine::in_transaction(&self.caller().ports, |open| {
            work.clone()(self.in_transaction(Some(open)))
        })
        .await
    }
}
