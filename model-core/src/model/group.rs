//! `group`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use bson::Document;
use futures_util::future::{BoxFuture, FutureExt};

use super::query::Query;
use super::unit::Reader;
use crate::codec::{DecodeCx, FieldGroup as _, FieldValue, Prefix, RawValue};
use crate::engine::{self, Listing};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Filter, Group, Grouping, Sort};

/// The rows of a grouping: awaited, it gives them all.
#[must_use = "a query does nothing until it is awaited"]
pub struct Rows<'a, M: BaseModel, R: FieldValue> {
    ctx: &'a ContextFor<M>,
    listing: Listing,
    grouping: Grouping,
    row: PhantomData<fn() -> R>,
}

impl<'a, M: BaseModel> Query<'a, M> {
    /// Puts the readable documents together into rows, each an embedded struct `R`.
    ///
    /// The query's filter, order, `skip` and `limit` choose what is grouped; those of [`Rows`] choose among the rows. Where
    /// the read scope is declared exact, the server makes the rows; else the documents are read and only those that
    /// `can_read` allows count. All rows are held in memory.
    ///
    /// # Errors
    /// As awaiting a query; `Invalid` for a path through an array that is not unwound.
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
    ///     newest: DateTime<Utc>,
    /// }
    ///
    /// for text in ["Buy tea", "Buy milk", "Buy tea"] {
    ///     Note::create(&ctx, note(text)).await?;
    /// }
    /// let rows = Note::query(&ctx)
    ///     .filter(|n| n.done.eq(false))
    ///     .group::<PerText>(|n, row| {
    ///         Group::by(&row.text, &n.text).count(&row.notes).max(&row.newest, &n.created_at)
    ///     })
    ///     .sort(|row| row.notes.desc())
    ///     .await?;
    /// assert_eq!((&*rows[0].text, rows[0].notes, rows.len()), ("Buy tea", 2, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn group<R: FieldValue>(
        self,
        make: impl FnOnce(&'static M::Fields, &R::Fields<R>) -> Group<M, R>,
    ) -> Rows<'a, M, R> {
        let grouping = make(M::fields(), &R::Fields::<R>::below(&Prefix::default())).into_grouping();
        let (ctx, listing) = self.into_parts();
        Rows {
            ctx,
            listing,
            grouping,
            row: PhantomData,
        }
    }
}

impl<M: BaseModel, R: FieldValue> Rows<'_, M, R> {
    /// Only rows that satisfy the filter. A second call narrows further.
    pub fn filter(mut self, make: impl FnOnce(&R::Fields<R>) -> Filter<R>) -> Self {
        let filter = make(&R::Fields::<R>::below(&Prefix::default())).into_node();
        self.grouping.rows = self.grouping.rows.and(filter);
        self
    }

    /// In this order; without one, rows come in none. A second call sorts among equals.
    pub fn sort(mut self, make: impl FnOnce(&R::Fields<R>) -> Sort<R>) -> Self {
        self.grouping
            .sort
            .extend(make(&R::Fields::<R>::below(&Prefix::default())).into_keys());
        self
    }

    /// At most that many rows.
    pub fn limit(mut self, limit: u64) -> Self {
        self.grouping.limit = Some(limit);
        self
    }

    /// Without the first rows.
    pub fn skip(mut self, skip: u64) -> Self {
        self.grouping.skip = skip;
        self
    }

    /// A stage of the server's own over the rows, before the row filter. The rows are the tenant's, and made of what may be
    /// read, and the stage reaches nothing else: stages and operators that read another collection, write, or run code are
    /// refused. But nothing checks its names and types against the model, what it makes has to fit the row, and a value
    /// that a user gave must stand in a `$literal`. The reason is for whoever reads the code, and stands in the command's
    /// comment.
    ///
    /// # Errors
    /// Awaiting fails with `Invalid` for a refused stage, and with `Unsupported` on the embedded store and where the rows are
    /// not made by the server (the read scope is a superset, or the model has a version above 1).
    pub fn dangerously_add_stage(mut self, reason: impl Into<String>, stage: Document) -> Self {
        self.listing.options.comment.get_or_insert_with(|| reason.into());
        self.grouping.raw.push(stage);
        self
    }

    async fn run(self) -> Result<Vec<R>> {
        let mut reader = Reader::<M>::new(self.ctx);
        let rows = engine::group(&mut reader, self.listing, &self.grouping).await;
        let rows = rows.map_err(|error| error.at_model(M::NAME, "group"))?;
        let decode = |row: &Vec<u8>| {
            let decoded = R::decode(RawValue::document_of(row), &DecodeCx::root(None));
            decoded.map_err(|error| error.into_error().at_model(M::NAME, "group"))
        };
        rows.iter().map(decode).collect()
    }
}

impl<M: BaseModel, R: FieldValue> fmt::Debug for Rows<'_, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel, R: FieldValue> IntoFuture for Rows<'a, M, R> {
    type Output = Result<Vec<R>>;
    type IntoFuture = BoxFuture<'a, Result<Vec<R>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
