//! `select`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use bson::Document;
use futures_util::future::{BoxFuture, FutureExt};

use super::page::Page;
use super::query::Query;
use super::unit::{self, nothing};
use crate::codec::{DecodeCx, DecodeError, DocReader};
use crate::engine::{self, Caller, Listing, ReadUnit, Unit};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor, Model as _, Projection, ReadScope};
use crate::query::Node;
use crate::schema::{FieldSchema, ModelSchema};
use crate::value::{IdValue, Identified as _};

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

impl<P: Projection> Select<'_, P> {
    /// The first, if there is one.
    ///
    /// # Errors
    /// As awaiting the query.
    pub async fn first(mut self) -> Result<Option<P>> {
        self.listing.limit = Some(1);
        Ok(self.run().await?.pop())
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
            items: picker.kept,
            next,
        })
    }

    async fn run(self) -> Result<Vec<P>> {
        let mut picker = Picker::<P>::new(self.ctx);
        engine::list(&mut picker, self.listing)
            .await
            .map_err(|error| error.at_model(P::Model::NAME, "select"))?;
        Ok(picker.kept)
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

/// Reads some fields into a vector.
struct Picker<'a, P: Projection> {
    ctx: &'a ContextFor<P::Model>,
    /// The whole documents that were decoded and not judged yet; none where the scope alone decides.
    pending: Vec<P::Model>,
    /// What was picked from them.
    picked: Vec<P>,
    kept: Vec<P>,
}

impl<'a, P: Projection> Picker<'a, P> {
    fn new(ctx: &'a ContextFor<P::Model>) -> Self {
        Self {
            ctx,
            pending: Vec::new(),
            picked: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn asks_nobody(&self) -> bool {
        self.scope_is_exact() || self.caller().bypass.is_some()
    }
}

impl<P: Projection> Unit for Picker<'_, P> {
    fn schema(&self) -> &'static ModelSchema {
        P::Model::schema()
    }

    fn caller(&self) -> &Caller {
        super::global::<P::Model>(self.ctx).caller()
    }

    fn base_filter(&self) -> Node {
        P::Model::base_filter().into_node()
    }

    fn read_scope(&self) -> Node {
        P::Model::read_scope(self.ctx).into_node()
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        unit::migrate::<P::Model>(document, stored_version)
    }
}

impl<P: Projection> ReadUnit for Picker<'_, P> {
    fn picks(&self) -> Option<&'static [&'static FieldSchema]> {
        self.asks_nobody().then(P::fields)
    }

    fn decode(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError> {
        let mut keys = DocReader::new(raw, cx)?;
        let picked = P::decode(&mut keys)?;
        keys.finish()?;
        if !self.asks_nobody() {
            self.pending.push(unit::decode(raw, cx)?);
        }
        self.picked.push(picked);
        Ok(())
    }

    fn preload(&self) -> BoxFuture<'_, Result<()>> {
        if self.pending.is_empty() {
            return nothing();
        }
        P::Model::preload(self.ctx, &self.pending).boxed()
    }

    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool) {
        let ctx = self.ctx;
        let mut judged = self.pending.drain(..);
        let kept = self.picked.drain(..).filter(|_| match judged.next() {
            None => keep(true, None),
            Some(document) => keep(document.can_read(ctx), Some(document.id().value())),
        });
        self.kept.extend(kept);
    }

    fn drop_last(&mut self) {
        self.kept.pop();
    }

    fn discard(&mut self) -> u64 {
        std::mem::take(&mut self.kept).len() as u64
    }

    fn scope_is_exact(&self) -> bool {
        P::Model::READ_SCOPE == ReadScope::Exact
    }
}
