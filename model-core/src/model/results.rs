//! `results`: each document of a query, or why it cannot be read.

use std::fmt;
use std::future::IntoFuture;

use bson::Document;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;

use super::page::Page;
use super::query::Query;
use super::stream::{self, Keeps};
use super::unit::Reader;
use crate::codec::{DecodeCx, DecodeError};
use crate::engine::{self, Caller, ReadUnit, Unit};
use crate::error::{Error, Result};
use crate::policy::BaseModel;
use crate::query::Node;
use crate::schema::ModelSchema;
use crate::value::IdValue;

/// A query that does without the documents that cannot be read: awaited, it gives each document, or the reason in its place.
///
/// A reason names the model, the document's [`id`](Error::id) and the field, and no value.
#[must_use = "a query does nothing until it is awaited, or one of its ends is called"]
pub struct Results<'a, M: BaseModel>(Query<'a, M>);

impl<'a, M: BaseModel> Query<'a, M> {
    /// Each document as a result of its own, so that one that cannot be read does not stand in the way of the others: one
    /// that another program stored in another shape, that lost its seal, that `migrate` refuses. Its error stands where it
    /// would, so that nothing is left out unnoticed.
    ///
    /// `can_read` cannot be asked about such a document: its error tells whoever the scope of the model admits that it is
    /// there. `skip`, `limit` and pages count it.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # Note::create(&ctx, note("Whole")).await?;
    /// for note in Note::query(&ctx).results().await? {
    ///     match note {
    ///         Ok(note) => println!("{}", note.text),
    ///         Err(error) => eprintln!("{}: {error}", error.id().unwrap_or_default()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn results(self) -> Results<'a, M> {
        Results(self)
    }
}

impl<'a, M: BaseModel> Results<'a, M> {
    /// Each document or the reason in its place, one by one, with the memory of one batch. An error of the stream itself
    /// is that of the query, and ends it.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    /// let mut notes = Note::query(&ctx).results().stream();
    /// let mut unreadable = 0;
    /// while let Some(note) = notes.try_next().await? {
    ///     unreadable += usize::from(note.is_err());
    /// }
    /// assert_eq!(unreadable, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> BoxStream<'a, Result<Result<M>>> {
        let (ctx, listing) = self.0.into_parts();
        stream::stream(stream::Unit::new(
            Lenient::new(Reader::<M>::new(ctx)),
            listing,
            (M::NAME, "query"),
        ))
    }

    /// One page, as [`Query::page`].
    ///
    /// # Errors
    /// As [`Query::page`]; `Decode` where a sort key of a document holds a value of another type than declared, since
    /// nothing tells what comes after it. Such documents may stand in no page: [`stream`](Self::stream) has them all.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # Note::create(&ctx, note("Whole")).await?;
    /// let page = Note::query(&ctx).results().page(20, None).await?;
    /// assert!(page.items.iter().all(Result::is_ok));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn page(self, limit: u64, after: Option<&str>) -> Result<Page<Result<M>>> {
        let (ctx, listing) = self.0.into_parts();
        let mut unit = Lenient::new(Reader::<M>::new(ctx));
        let next = engine::page(&mut unit, listing, limit, after)
            .await
            .map_err(|error| error.at_model(M::NAME, "page"))?;
        Ok(Page {
            items: unit.take(),
            next,
        })
    }

    async fn run(self) -> Result<Vec<Result<M>>> {
        let (ctx, listing) = self.0.into_parts();
        let mut unit = Lenient::new(Reader::<M>::new(ctx));
        engine::list(&mut unit, listing)
            .await
            .map_err(|error| error.at_model(M::NAME, "query"))?;
        Ok(unit.take())
    }
}

impl<M: BaseModel> fmt::Debug for Results<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Results").field(&self.0).finish()
    }
}

impl<'a, M: BaseModel> IntoFuture for Results<'a, M> {
    type Output = Result<Vec<Result<M>>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

/// Reads documents, and notes where it missed one.
struct Lenient<'a, M: BaseModel> {
    reader: Reader<'a, M>,
    /// The documents that were missed since the last judging: how many decoded ones stand before each, and why.
    missed: Vec<(usize, Error)>,
    /// What was kept, in order: a reason, or the reader's next document.
    kept: Vec<Option<Error>>,
}

impl<'a, M: BaseModel> Lenient<'a, M> {
    fn new(reader: Reader<'a, M>) -> Self {
        Self {
            reader,
            missed: Vec::new(),
            kept: Vec::new(),
        }
    }
}

impl<M: BaseModel> Keeps for Lenient<'_, M> {
    type Item = Result<M>;

    fn take(&mut self) -> Vec<Result<M>> {
        let mut documents = self.reader.take().into_iter();
        let kept = std::mem::take(&mut self.kept).into_iter();
        kept.filter_map(|reason| match reason {
            Some(reason) => Some(Err(reason.at_model(M::NAME, "query"))),
            None => documents.next().map(Ok),
        })
        .collect()
    }
}

impl<M: BaseModel> Unit for Lenient<'_, M> {
    fn schema(&self) -> &'static ModelSchema {
        self.reader.schema()
    }

    fn caller(&self) -> &Caller {
        self.reader.caller()
    }

    fn base_filter(&self) -> Node {
        self.reader.base_filter()
    }

    fn read_scope(&self) -> Node {
        self.reader.read_scope()
    }

    fn hidden(&self) -> Vec<String> {
        self.reader.hidden()
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        self.reader.migrate(document, stored_version)
    }
}

impl<M: BaseModel> ReadUnit for Lenient<'_, M> {
    fn decode(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError> {
        self.reader.decode(raw, cx)
    }

    fn is_lenient(&self) -> bool {
        true
    }

    fn miss(&mut self, reason: Error) -> Result<()> {
        self.missed.push((self.reader.pending(), reason));
        Ok(())
    }

    fn preload(&self) -> BoxFuture<'_, Result<()>> {
        self.reader.preload()
    }

    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool) {
        let kept = &mut self.kept;
        let mut missed = std::mem::take(&mut self.missed).into_iter().peekable();
        let mut judged = 0;
        self.reader.judge(&mut |allowed, id| {
            while let Some((_, reason)) = missed.next_if(|(before, _)| *before == judged) {
                kept.extend(keep(true, None).then_some(Some(reason)));
            }
            judged += 1;
            let is_kept = keep(allowed, id);
            kept.extend(is_kept.then_some(None));
            is_kept
        });
        for (_, reason) in missed {
            kept.extend(keep(true, None).then_some(Some(reason)));
        }
    }

    fn drop_last(&mut self) {
        if let Some(None) = self.kept.pop() {
            self.reader.drop_last();
        }
    }

    fn discard(&mut self) -> u64 {
        self.reader.discard();
        std::mem::take(&mut self.kept).len() as u64
    }

    fn scope_is_exact(&self) -> bool {
        self.reader.scope_is_exact()
    }
}
