//! `query`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;

use super::stream;
use super::unit::Reader;
use crate::engine::{self, Deleted, Listing};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Filter, Node, Sort};

/// A query over the documents that the actor may read: awaited, it gives them all.
///
/// `limit` and `skip` count readable documents, whether the server or `can_read` decides which those are.
#[must_use = "a query does nothing until it is awaited, or one of its ends is called"]
pub struct Query<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    filter: Node,
    pub(super) listing: Listing,
}

/// The documents of a query, one by one, with the memory of one batch.
pub type QueryStream<'a, M> = BoxStream<'a, Result<M>>;

impl<'a, M: BaseModel> Query<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>) -> Self {
        Self {
            ctx,
            filter: Node::Everything,
            listing: Listing::default(),
        }
    }

    /// Only documents that satisfy the filter. A second call narrows further.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let query = Note::query(&ctx).filter(|n| n.done.eq(true)).filter(|n| n.tags.eq("home"));
    /// assert!(query.await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(self, make: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        self.matching(make(M::fields()))
    }

    /// Only documents that satisfy a filter made elsewhere.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let done = Note::filter(|n| n.done.eq(true));
    /// assert!(Note::query(&ctx).matching(done).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn matching(mut self, filter: Filter<M>) -> Self {
        self.filter = self.filter.and(filter.into_node());
        self
    }

    /// In this order. A second call sorts among equals.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let notes = Note::query(&ctx).sort(|n| n.done.asc().then(n.created_at.desc())).await?;
    /// # let _ = notes;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sort(mut self, make: impl FnOnce(&'static M::Fields) -> Sort<M>) -> Self {
        self.listing.sort.extend(make(M::fields()).into_keys());
        self
    }

    /// At most that many documents.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).limit(10).await?.len() <= 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(mut self, limit: u64) -> Self {
        self.listing.limit = Some(limit);
        self
    }

    /// Without the first documents.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).sort(|n| n.id.asc()).skip(10).limit(10).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn skip(mut self, skip: u64) -> Self {
        self.listing.skip = skip;
        self
    }

    /// The documents one by one.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    /// let mut notes = Note::query(&ctx).stream();
    /// while let Some(note) = notes.try_next().await? {
    ///     println!("{}", note.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> QueryStream<'a, M> {
        let (ctx, listing) = self.into_parts();
        stream::stream(stream::Unit::new(
            Reader::<M>::new(ctx),
            listing,
            (M::NAME, "query"),
        ))
    }

    /// The first document, if there is one.
    ///
    /// # Errors
    /// As awaiting the query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).sort(|n| n.created_at.asc()).first().await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn first(self) -> Result<Option<M>> {
        Ok(self.limit(1).run().await?.pop())
    }

    /// How many documents there are. Where the read scope is declared exact, the server counts; else they are read.
    ///
    /// # Errors
    /// As awaiting the query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert_eq!(Note::query(&ctx).filter(|n| n.done.eq(true)).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(self) -> Result<u64> {
        let (ctx, listing) = self.into_parts();
        let mut reader = Reader::<M>::new(ctx);
        engine::count(&mut reader, listing)
            .await
            .map_err(|error| error.at_model(M::NAME, "count"))
    }

    /// Whether there is any.
    ///
    /// # Errors
    /// As awaiting the query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(!Note::query(&ctx).filter(|n| n.done.eq(true)).exists().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn exists(self) -> Result<bool> {
        Ok(self.limit(1).count().await? > 0)
    }

    /// Takes along the documents that are older than a field of the filter (`since`), instead of being refused while there
    /// are any: they are all fetched, migrated, and judged by the filter here. It costs a read of each older document that
    /// the policy admits, so it is for the time of a migration; afterwards it costs nothing. A sort order by such a field
    /// stays refused, and a filter by a secret or with a collation is `Unsupported` then.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let done = Note::query(&ctx).filter(|n| n.done.eq(true)).or_older().count().await?;
    /// # assert_eq!(done, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn or_older(mut self) -> Self {
        self.listing.or_older = true;
        self
    }

    /// Also the documents that were softly deleted.
    pub fn with_deleted(mut self) -> Self {
        self.listing.deleted = Deleted::Included;
        self
    }

    /// The documents that were softly deleted, and no others.
    pub fn only_deleted(mut self) -> Self {
        self.listing.deleted = Deleted::Only;
        self
    }

    /// The context, and what a document of the query satisfies.
    pub(super) fn condition(&self) -> (&'a ContextFor<M>, Node) {
        (self.ctx, self.filter.clone())
    }

    /// The same query once more.
    pub(super) fn again(&self) -> Self {
        Self {
            ctx: self.ctx,
            filter: self.filter.clone(),
            listing: self.listing.clone(),
        }
    }

    pub(super) fn into_parts(self) -> (&'a ContextFor<M>, Listing) {
        (
            self.ctx,
            Listing {
                filter: Some(self.filter),
                ..self.listing
            },
        )
    }

    async fn run(self) -> Result<Vec<M>> {
        let (ctx, listing) = self.into_parts();
        let mut reader = Reader::<M>::new(ctx);
        engine::list(&mut reader, listing)
            .await
            .map_err(|error| error.at_model(M::NAME, "query"))?;
        Ok(reader.into_documents())
    }
}

impl<M: BaseModel> fmt::Debug for Query<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Query<'a, M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = BoxFuture<'a, Result<Vec<M>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
