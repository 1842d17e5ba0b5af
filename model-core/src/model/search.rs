//! `search`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::TryStreamExt as _;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;

use super::query::Query;
use super::scored::{Scored, ScoredBatches};
use super::stream;
use super::unit::Reader;
use crate::error::Result;
use crate::policy::{BaseModel, Searchable};
use crate::query::{Filter, Node, SortKey, Words};

/// A search for words among the documents that the actor may read: awaited, it gives them with their scores, the best
/// first.
#[must_use = "a search does nothing until it is awaited, or one of its ends is called"]
pub struct Search<'a, M: BaseModel> {
    query: Query<'a, M>,
    words: Words,
}

impl<'a, M: BaseModel> Query<'a, M> {
    /// Only documents that have any of these words, by the model's text index; the best first, unless an order was asked for
    /// before. It stands inside the tenant, scope and filter like any query, and the index begins with the tenant.
    ///
    /// The text goes to the server as it is given, in the server's syntax: `"blue widget"` in quotation marks has to stand in
    /// the document, a word after `-` must not. Nothing else in it is special, so it may come from outside: all that a
    /// stranger can do with it is to find other documents of those that the actor may read. Words are compared by their
    /// stems (`running` finds `runs`) in the language of the index, without regard to case and accents; a text of stop words
    /// (`the`) finds nothing.
    ///
    /// The embedded store knows no stems and no stop words: there, words are found as they are written, without regard to
    /// case and accents all the same, in whatever language. Scores are made by the server's formula.
    ///
    /// # Errors
    /// As awaiting a query; `Invalid` for a text of more than 4 KiB, and where the index holds a field that `hidden_from` keeps
    /// from the actor (its words could be guessed); `Store` if the server lacks the index.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// for text in ["Buy oat milk", "Buy soy milk", "Milk, milk, milk", "Call Bob"] {
    ///     Note::create(&ctx, note(text)).await?;
    /// }
    /// let found = Note::query(&ctx).filter(|n| n.done.eq(false)).search("milk -soy").limit(10).await?;
    /// assert_eq!((&*found[0].item.text, found.len()), ("Milk, milk, milk", 2));
    /// assert!(found[0].score > found[1].score);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A model without a text index has no search:
    ///
    /// ```compile_fail,E0277
    /// # use model_core::prelude::*;
    /// # fn search<M: BaseModel>(query: model_core::Query<'_, M>) {
    /// let found = query.search("milk");
    /// # }
    /// ```
    pub fn search(self, text: impl Into<String>) -> Search<'a, M>
    where
        M: Searchable,
    {
        Search {
            words: Words::new(M::schema(), text.into()),
            query: self,
        }
    }
}

impl<'a, M: BaseModel> Search<'a, M> {
    /// Only documents that satisfy the filter. A second call narrows further.
    pub fn filter(mut self, make: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        self.query = self.query.filter(make);
        self
    }

    /// At most that many documents.
    pub fn limit(mut self, limit: u64) -> Self {
        self.query = self.query.limit(limit);
        self
    }

    /// Without the first documents.
    pub fn skip(mut self, skip: u64) -> Self {
        self.query = self.query.skip(skip);
        self
    }

    /// The words are of this language, not of the index's: `german`, `de`; `none` compares them as they are written. The
    /// server refuses a language that it does not know. The embedded store knows none.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.words.language = Some(language.into());
        self
    }

    /// Upper and lower case differ.
    pub fn case_sensitive(mut self) -> Self {
        self.words.case_sensitive = true;
        self
    }

    /// Letters with and without accents differ.
    pub fn diacritic_sensitive(mut self) -> Self {
        self.words.diacritic_sensitive = true;
        self
    }

    /// The same documents in the same order, as a query without scores: to count them, to select some fields, to group.
    /// Pages do not continue by relevance: sort by a field before `search`, or use `skip` and `limit`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let search = || Note::query(&ctx).sort(|n| n.created_at.desc()).search("milk");
    /// assert_eq!(search().documents().count().await?, 0);
    /// assert!(search().documents().page(20, None).await?.items.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn documents(self) -> Query<'a, M> {
        let mut query = self
            .query
            .matching(Filter::from_node(Node::Words(Box::new(self.words))));
        if query.listing.sort.is_empty() {
            query.listing.sort = vec![SortKey::relevance(), SortKey::by_id()];
        }
        query
    }

    /// The best, if there is any.
    ///
    /// # Errors
    /// Those of [`Query::search`].
    pub async fn first(self) -> Result<Option<Scored<M>>> {
        self.limit(1).stream().try_next().await
    }

    /// One by one, with the memory of one batch.
    pub fn stream(self) -> BoxStream<'a, Result<Scored<M>>> {
        let (ctx, mut listing) = self.documents().into_parts();
        listing.scored = true;
        stream::stream(ScoredBatches::new(
            Reader::<M>::new(ctx),
            listing,
            (M::NAME, "search"),
        ))
    }
}

/// Shows nothing of the words.
impl<M: BaseModel> fmt::Debug for Search<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Search<'a, M> {
    type Output = Result<Vec<Scored<M>>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.stream().try_collect().boxed()
    }
}
