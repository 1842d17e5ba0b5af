//! Documents with how well they fit what was asked for.

use futures_util::future::{BoxFuture, FutureExt};

use super::stream::{Batches, Keeps, Progress};
use crate::engine::{self, Listing, Open};
use crate::error::Result;

/// A document, and how well it fits what was asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scored<T> {
    /// The document.
    pub item: T,
    /// The better it fits, the higher; it compares with the other scores of the same search, and with nothing else.
    pub score: f64,
}

impl<T> Scored<T> {
    /// The same score of something else, say of a view.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create(&ctx, note("Buy oat milk")).await?;
    /// let found = Note::query(&ctx).search("milk").await?;
    /// let views: Vec<_> = found.into_iter().map(|found| found.map(|note| note.into_view(&ctx))).collect();
    /// assert!(views[0].score > 0.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn map<U>(self, each: impl FnOnce(T) -> U) -> Scored<U> {
        Scored {
            item: each(self.item),
            score: self.score,
        }
    }
}

/// The batches of a query whose documents come with their scores.
pub(super) struct ScoredBatches<U: Keeps> {
    reader: U,
    progress: Progress<Open>,
    ready: Vec<Scored<U::Item>>,
    /// The model and the verb, for errors.
    named: (&'static str, &'static str),
}

impl<U: Keeps> ScoredBatches<U> {
    pub(super) fn new(reader: U, listing: Listing, named: (&'static str, &'static str)) -> Self {
        Self {
            reader,
            progress: Progress::Asked(Box::new(listing)),
            ready: Vec::new(),
            named,
        }
    }

    async fn advance(&mut self) -> Result<bool> {
        if let Progress::Asked(listing) = &mut self.progress {
            let listing = std::mem::take(&mut **listing);
            self.progress = Progress::Open(engine::open(&mut self.reader, listing).await?);
        }
        let Progress::Open(open) = &mut self.progress else {
            return Ok(false);
        };
        let mut scores = Vec::new();
        let more = engine::pull_scored(&mut self.reader, open, &mut scores).await;
        let items = self.reader.take().into_iter().zip(scores);
        self.ready = items.map(|(item, score)| Scored { item, score }).collect();
        more
    }
}

impl<U: Keeps> Batches for ScoredBatches<U> {
    type Item = Scored<U::Item>;

    fn pull(&mut self) -> BoxFuture<'_, Result<bool>> {
        let (model, verb) = self.named;
        let pulled = self.advance();
        pulled
            .map(move |outcome| outcome.map_err(|error| error.at_model(model, verb)))
            .boxed()
    }

    fn take(&mut self) -> Vec<Scored<U::Item>> {
        std::mem::take(&mut self.ready)
    }
}
