//! `lookup`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures_util::TryStreamExt as _;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;

use super::picker::Picker;
use super::select::Select;
use super::stream::{self, Batches, Keeps as _, Progress};
use crate::engine::{self, Listing, OpenLookup};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor, Model, Projection, Reaches};
use crate::query::{Join, Joining};

/// Some fields of a document, and of the documents of another model that belong to it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Joined<P, Q> {
    /// Of the document itself.
    pub item: P,
    /// Of those that belong to it and may be read.
    pub joined: Vec<Q>,
}

/// A query for some fields of the documents that the actor may read, each with those of another model that belong to it
/// and that the actor may read: awaited, it gives them all.
#[must_use = "a query does nothing until it is awaited, or one of its ends is called"]
pub struct LookupQuery<'a, P: Projection, Q: Projection> {
    ctx: &'a ContextFor<P::Model>,
    /// The same context, as the other model takes it.
    other: &'a ContextFor<Q::Model>,
    listing: Listing,
    joining: Joining,
    projections: PhantomData<fn() -> (P, Q)>,
}

impl<'a, P: Projection> Select<'a, P> {
    /// Each document with those of another model that belong to it, as a projection of that model.
    ///
    /// One aggregation with a `$lookup` (from server 5.0 on; of a sharded collection from 5.1 on). Inside of it stand the other
    /// model's own tenant, base filter, soft delete and `read_scope`; where that scope is not exact, its `can_read` is asked
    /// about each of its documents, and a limit counts readable ones. A document comes with all that belong to it at once: a
    /// document of the server's has 16 MiB at most, so set a limit where many may belong.
    ///
    /// # Errors
    /// As awaiting a query of either model; `Configuration` while a field of the join may be missing in documents of older
    /// versions; `Invalid` for a path through an array of arrays.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use model_core::query::Join;
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
    /// let notes = Note::query(&ctx)
    ///     .sort(|n| n.text.asc())
    ///     .select::<NoteLine>()
    ///     .lookup::<NoteLine>(|note, other| Join::on(&note.text, &other.text).filter(other.done.eq(false)))
    ///     .await?;
    /// assert_eq!((&*notes[0].item.text, notes[0].joined.len(), notes[1].joined.len()), ("Buy milk", 1, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn lookup<Q: Projection>(
        self,
        make: impl FnOnce(
            &'static <P::Model as Model>::Fields,
            &'static <Q::Model as Model>::Fields,
        ) -> Join<P::Model, Q::Model>,
    ) -> LookupQuery<'a, P, Q>
    where
        ContextFor<P::Model>: Reaches<<Q::Model as Model>::Scope, <Q::Model as BaseModel>::Actor>,
    {
        let (ctx, listing) = self.into_parts();
        LookupQuery {
            ctx,
            other: ctx.reach(),
            listing,
            joining: make(P::Model::fields(), Q::Model::fields()).into_joining(),
            projections: PhantomData,
        }
    }
}

impl<'a, P: Projection, Q: Projection> LookupQuery<'a, P, Q> {
    /// The first, if there is one.
    ///
    /// # Errors
    /// As awaiting the query.
    pub async fn first(mut self) -> Result<Option<Joined<P, Q>>> {
        self.listing.limit = Some(1);
        self.stream().try_next().await
    }

    /// One by one, with the memory of one batch.
    pub fn stream(self) -> BoxStream<'a, Result<Joined<P, Q>>> {
        stream::stream(Pairs {
            unit: Picker::joined(self.ctx),
            other: Picker::joined(self.other),
            joining: Some(self.joining),
            progress: Progress::Asked(Box::new(self.listing)),
            ready: Vec::new(),
        })
    }
}

/// The batches of a lookup.
struct Pairs<'a, P: Projection, Q: Projection> {
    unit: Picker<'a, P>,
    other: Picker<'a, Q>,
    joining: Option<Joining>,
    progress: Progress<OpenLookup>,
    ready: Vec<Joined<P, Q>>,
}

impl<P: Projection, Q: Projection> Pairs<'_, P, Q> {
    async fn advance(&mut self) -> Result<bool> {
        if let (Progress::Asked(listing), Some(joining)) = (&mut self.progress, self.joining.take()) {
            let listing = std::mem::take(&mut **listing);
            let open = engine::open_lookup(&mut self.unit, listing, &self.other, joining).await?;
            self.progress = Progress::Open(open);
        }
        let Progress::Open(open) = &mut self.progress else {
            return Ok(false);
        };
        let Some(counts) = engine::pull_lookup(&mut self.unit, &mut self.other, open).await? else {
            return Ok(false);
        };
        let mut others = self.other.take().into_iter();
        let items = self.unit.take().into_iter().zip(counts);
        self.ready = items
            .map(|(item, count)| Joined {
                item,
                joined: others.by_ref().take(count).collect(),
            })
            .collect();
        Ok(true)
    }
}

impl<P: Projection, Q: Projection> Batches for Pairs<'_, P, Q> {
    type Item = Joined<P, Q>;

    fn pull(&mut self) -> BoxFuture<'_, Result<bool>> {
        let pulled = self.advance();
        pulled
            .map(|outcome| outcome.map_err(|error| error.at_model(P::Model::NAME, "lookup")))
            .boxed()
    }

    fn take(&mut self) -> Vec<Joined<P, Q>> {
        std::mem::take(&mut self.ready)
    }
}

impl<P: Projection, Q: Projection> fmt::Debug for LookupQuery<'_, P, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupQuery")
            .field("model", &P::Model::NAME)
            .field("other", &Q::Model::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, P: Projection, Q: Projection> IntoFuture for LookupQuery<'a, P, Q> {
    type Output = Result<Vec<Joined<P, Q>>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.stream().try_collect().boxed()
    }
}
