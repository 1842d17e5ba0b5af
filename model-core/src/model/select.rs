//! `select`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;

use super::page::Page;
use super::picker::Picker;
use super::query::Query;
use super::stream::{self, Keeps as _};
use super::unit::Reader;
use crate::engine::{self, Listing};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor, Model as _, Projection};

/// A query for some fields of the documents that the actor may read: awaited, it gives them all.
#[must_use = "a query does nothing until it is awaited, or one of its ends is called"]
pub struct Select<'a, P: Projection> {
    ctx: &'a ContextFor<P::Model>,
    listing: Listing,
    projection: PhantomData<fn() -> P>,
}

impl<'a, M: BaseModel> Query<'a, M> {
    /// Some fields of the documents, as a struct that cannot be saved.
    ///
    /// Where the read scope is declared exact, only those fields are sent (a document of an older version comes whole, for
    /// `migrate`); else the documents come whole, since `can_read` has to judge them.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// #[derive(Projection)]
    /// #[projection(of = Note)]
    /// struct NoteLine {
    ///     id: Id<Note>,
    ///     text: String,
    /// }
    /// let page = Note::query(&ctx).sort(|n| n.text.asc()).select::<NoteLine>().page(20, None).await?;
    /// let json = serde_json::to_value(page.map(|line| line.into_view(&ctx)).items).unwrap();
    /// # let _ = json;
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<P: Projection<Model = M>>(self) -> Select<'a, P> {
        let (ctx, listing) = self.into_parts();
        Select {
            ctx,
            listing,
            projection: PhantomData,
        }
    }
}

impl<'a, P: Projection> Select<'a, P> {
    /// The first, if there is one.
    ///
    /// # Errors
    /// As awaiting the query.
    pub async fn first(mut self) -> Result<Option<P>> {
        self.listing.limit = Some(1);
        Ok(self.run().await?.pop())
    }

    /// One by one, with the memory of one batch.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    ///
    /// #[derive(Projection)]
    /// #[projection(of = Note)]
    /// struct NoteLine {
    ///     text: String,
    /// }
    /// let mut lines = Note::query(&ctx).select::<NoteLine>().stream();
    /// while let Some(line) = lines.try_next().await? {
    ///     println!("{}", line.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> BoxStream<'a, Result<P>> {
        let named = (P::Model::NAME, "select");
        stream::stream(stream::Unit::new(Picker::new(self.ctx), self.listing, named))
    }

    /// How many there are: as many as of the [query itself](Query::count).
    ///
    /// # Errors
    /// As awaiting the query.
    pub async fn count(self) -> Result<u64> {
        engine::count(&mut Reader::<P::Model>::new(self.ctx), self.listing)
            .await
            .map_err(|error| error.at_model(P::Model::NAME, "count"))
    }

    /// Whether there is any.
    ///
    /// # Errors
    /// As awaiting the query.
    pub async fn exists(mut self) -> Result<bool> {
        self.listing.limit = Some(1);
        Ok(self.count().await? > 0)
    }

    /// One page, as of the [query itself](Query::page).
    ///
    /// # Errors
    /// Those of [`Query::page`].
    pub async fn page(self, limit: u64, after: Option<&str>) -> Result<Page<P>> {
        let mut picker = Picker::<P>::new(self.ctx);
        let next = engine::page(&mut picker, self.listing, limit, after)
            .await
            .map_err(|error| error.at_model(P::Model::NAME, "page"))?;
        Ok(Page {
            items: picker.take(),
            next,
        })
    }

    pub(super) fn into_parts(self) -> (&'a ContextFor<P::Model>, Listing) {
        (self.ctx, self.listing)
    }

    async fn run(self) -> Result<Vec<P>> {
        let mut picker = Picker::<P>::new(self.ctx);
        engine::list(&mut picker, self.listing)
            .await
            .map_err(|error| error.at_model(P::Model::NAME, "select"))?;
        Ok(picker.take())
    }
}

impl<P: Projection> fmt::Debug for Select<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("model", &P::Model::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, P: Projection> IntoFuture for Select<'a, P> {
    type Output = Result<Vec<P>>;
    type IntoFuture = BoxFuture<'a, Result<Vec<P>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
