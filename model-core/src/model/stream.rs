//! Streams: what is read batch by batch, handed out one by one.

use std::collections::VecDeque;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::engine::{self, Listing, Open, ReadUnit};
use crate::error::Result;

/// What comes in batches.
pub(super) trait Batches: Send {
    /// One of a batch.
    type Item: Send;

    /// Reads the next batch; false at the end. The first call opens the query.
    fn pull(&mut self) -> BoxFuture<'_, Result<bool>>;

    /// What was read since the last call.
    fn take(&mut self) -> Vec<Self::Item>;
}

/// A reading unit that hands out what it keeps.
pub(super) trait Keeps: ReadUnit {
    type Item: Send;

    fn take(&mut self) -> Vec<Self::Item>;
}

/// A query that is not yet open, or is.
pub(super) enum Progress<O> {
    Asked(Box<Listing>),
    Open(O),
}

/// The batches of one unit.
pub(super) struct Unit<U> {
    reader: U,
    progress: Progress<Open>,
    /// The model and the verb, for errors.
    named: (&'static str, &'static str),
}

impl<U: Keeps> Unit<U> {
    pub(super) fn new(reader: U, listing: Listing, named: (&'static str, &'static str)) -> Self {
        Self {
            reader,
            progress: Progress::Asked(Box::new(listing)),
            named,
        }
    }

    async fn advance(&mut self) -> Result<bool> {
        if let Progress::Asked(listing) = &mut self.progress {
            let listing = std::mem::take(&mut **listing);
            self.progress = Progress::Open(engine::open(&mut self.reader, listing).await?);
        }
        match &mut self.progress {
            Progress::Open(open) => engine::pull(&mut self.reader, open).await,
            Progress::Asked(_) => Ok(false),
        }
    }
}

impl<U: Keeps> Batches for Unit<U> {
    type Item = U::Item;

    fn pull(&mut self) -> BoxFuture<'_, Result<bool>> {
        let (model, verb) = self.named;
        let pulled = self.advance();
        pulled
            .map(move |outcome| outcome.map_err(|error| error.at_model(model, verb)))
            .boxed()
    }

    fn take(&mut self) -> Vec<U::Item> {
        self.reader.take()
    }
}

/// One by one. What was read before an error is handed out before the error, which ends the stream.
pub(super) fn stream<'a, B: Batches + 'a>(batches: B) -> BoxStream<'a, Result<B::Item>> {
    let state = Streaming {
        batches,
        ready: VecDeque::new(),
        end: None,
    };
    stream::try_unfold(state, Streaming::next).boxed()
}

/// Where a stream stands.
struct Streaming<B: Batches> {
    batches: B,
    ready: VecDeque<B::Item>,
    end: Option<Result<()>>,
}

impl<B: Batches> Streaming<B> {
    async fn next(mut self) -> Result<Option<(B::Item, Self)>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some((item, self)));
            }
            if let Some(end) = self.end {
                return end.map(|()| None);
            }
            self.end = match self.batches.pull().await {
                Ok(true) => None,
                Ok(false) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            };
            self.ready = self.batches.take().into();
        }
    }
}
