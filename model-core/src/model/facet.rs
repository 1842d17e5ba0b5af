//! `facet`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures_util::future::{BoxFuture, FutureExt};

use super::branch::{FacetBranches, FacetCount, FacetRows, FacetSelect, Part};
use super::query::Query;
use super::unit::Reader;
use crate::codec::{FieldGroup as _, FieldValue, Prefix};
use crate::engine::{self, Listing};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor, Projection};
use crate::query::{Branch, Group, Node, Picked};

/// Makes the branches of a facet.
#[derive(Debug)]
pub struct Facet<M>(PhantomData<fn() -> M>);

impl<M: BaseModel> Facet<M> {
    /// Rows that the documents are put together into, as of [`Query::group`].
    pub fn group<R: FieldValue>(
        &self,
        make: impl FnOnce(&'static M::Fields, &R::Fields<R>) -> Group<M, R>,
    ) -> FacetRows<M, R> {
        FacetRows {
            grouping: make(M::fields(), &R::Fields::<R>::below(&Prefix::default())).into_grouping(),
            types: PhantomData,
        }
    }

    /// Some fields of some of the documents, as of [`Query::select`].
    pub fn select<P: Projection<Model = M>>(&self) -> FacetSelect<P> {
        FacetSelect {
            picked: Picked {
                filter: Node::Everything,
                sort: Vec::new(),
                skip: 0,
                limit: None,
                fields: Vec::new(),
            },
            projection: PhantomData,
        }
    }

    /// How many documents.
    pub fn count(&self) -> FacetCount<M> {
        FacetCount { model: PhantomData }
    }
}

/// Several answers about the documents of one query: awaited, it gives a tuple of them.
#[must_use = "a query does nothing until it is awaited"]
pub struct Facets<'a, M: BaseModel, O> {
    ctx: &'a ContextFor<M>,
    listing: Listing,
    branches: Vec<Branch>,
    read: fn(&[Vec<Vec<u8>>]) -> Result<O>,
}

impl<'a, M: BaseModel> Query<'a, M> {
    /// Several answers about the same readable documents, in one pass over them: rows, projections, a count.
    ///
    /// The query's filter, order, `skip` and `limit` choose the documents; each branch chooses among them. Where the read scope is
    /// declared exact, the server makes the answers (all of them together have 16 MiB at most); else the documents are read once
    /// and only those that `can_read` allows count.
    ///
    /// # Errors
    /// As awaiting a query; `Invalid` as of [`group`](Self::group).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use model_core::query::Group;
    ///
    /// #[derive(Clone, Embedded)]
    /// struct PerText {
    ///     text: String,
    ///     notes: u32,
    /// }
    ///
    /// #[derive(Projection)]
    /// #[projection(of = Note)]
    /// struct NoteLine {
    ///     text: String,
    /// }
    ///
    /// for text in ["Buy tea", "Buy milk", "Buy tea"] {
    ///     Note::create(&ctx, note(text)).await?;
    /// }
    /// let (rows, newest, all) = Note::query(&ctx)
    ///     .filter(|n| n.done.eq(false))
    ///     .facet(|f| {
    ///         (
    ///             f.group::<PerText>(|n, row| Group::by(&row.text, &n.text).count(&row.notes)).sort(|row| row.notes.desc()),
    ///             f.select::<NoteLine>().sort(|n| n.created_at.desc()).limit(2),
    ///             f.count(),
    ///         )
    ///     })
    ///     .await?;
    /// assert_eq!((rows[0].notes, newest.len(), all), (2, 2, 3));
    /// # Ok(())
    /// # }
    /// ```
    pub fn facet<B: FacetBranches<M>>(self, make: impl FnOnce(&Facet<M>) -> B) -> Facets<'a, M, B::Output> {
        let parts = make(&Facet(PhantomData)).branches();
        let (ctx, listing) = self.into_parts();
        Facets {
            ctx,
            listing,
            branches: parts.into_iter().map(|Part(branch)| branch).collect(),
            read: B::read,
        }
    }
}

impl<M: BaseModel, O> Facets<'_, M, O> {
    async fn run(mut self) -> Result<O> {
        let mut reader = Reader::<M>::new(self.ctx);
        let results = engine::facet(&mut reader, self.listing, &mut self.branches).await;
        let read = results.and_then(|results| (self.read)(&results));
        read.map_err(|error| error.at_model(M::NAME, "facet"))
    }
}

impl<'a, M: BaseModel, O: Send + 'a> IntoFuture for Facets<'a, M, O> {
    type Output = Result<O>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

impl<M: BaseModel, O> fmt::Debug for Facets<'_, M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facets")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}
