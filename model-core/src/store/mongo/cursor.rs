//! Documents as slices of the server's own batches.

use std::mem::replace;
use std::sync::Arc;
use std::task::Poll;

use bson::RawBsonRef;
use futures_util::{StreamExt, poll};
use mongodb::error::Result as DriverResult;
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor, SessionRawBatchCursor};
use tokio::sync::Mutex;
use tokio::task::yield_now;

use super::super::{Cursor, StoreFuture, into_error};
use super::error::store_error;
use super::read::malformed;
use super::transaction::Running;
use crate::error::Error;

/// How often the runtime's other tasks get a turn before a batch is decoded: those of the driver's pool that hand out a connection
/// are among them, and without one the request for the next batch does not leave.
const TURNS: usize = 3;

/// The batches of a read outside of transactions.
pub(super) struct Batches {
    rest: RawBatchCursor,
    current: Option<RawBatch>,
    /// Whether the next batch is asked for before the current one is decoded, so that the server works meanwhile.
    ahead: bool,
    /// What came before it was asked for.
    early: Poll<Option<DriverResult<RawBatch>>>,
}

impl Batches {
    pub(super) fn new(rest: RawBatchCursor, ahead: bool) -> Self {
        Self {
            rest,
            current: None,
            ahead,
            early: Poll::Pending,
        }
    }

    /// Sends the request for the next batch. The cursor holds what is under way, so nothing is lost between two polls.
    async fn look_ahead(&mut self) {
        for _ in 0..TURNS {
            self.early = poll!(self.rest.next());
            if self.early.is_ready() {
                return;
            }
            yield_now().await;
        }
    }
}

impl Cursor for Batches {
    fn advance(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let batch = match replace(&mut self.early, Poll::Pending) {
                Poll::Ready(early) => early,
                Poll::Pending => self.rest.next().await,
            };
            self.current = batch.transpose().map_err(|error| store_error(&error))?;
            if self.ahead && self.current.is_some() {
                self.look_ahead().await;
            }
            Ok(self.current.is_some())
        })
    }

    fn each(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>) -> Result<bool, Error> {
        hand_out(self.current.as_ref(), each)
    }
}

/// The batches of a read inside a transaction, whose session it shares.
pub(super) struct SessionBatches {
    batches: SessionRawBatchCursor,
    current: Option<RawBatch>,
    running: Arc<Mutex<Running>>,
}

impl SessionBatches {
    pub(super) fn new(batches: SessionRawBatchCursor, running: Arc<Mutex<Running>>) -> Self {
        Self {
            batches,
            current: None,
            running,
        }
    }
}

impl Cursor for SessionBatches {
    fn advance(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut running = self.running.lock().await;
            let batch = self.batches.stream(running.session()?).next().await;
            self.current = batch.transpose().map_err(|error| store_error(&error))?;
            Ok(self.current.is_some())
        })
    }

    fn each(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>) -> Result<bool, Error> {
        hand_out(self.current.as_ref(), each)
    }
}

/// The cursor of a read that asks for nothing.
pub(super) fn empty() -> Box<dyn Cursor> {
    Box::new(Empty)
}

struct Empty;

impl Cursor for Empty {
    fn advance(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(false) })
    }

    fn each(&mut self, _each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>) -> Result<bool, Error> {
        Ok(true)
    }
}

fn hand_out(
    batch: Option<&RawBatch>,
    each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let Some(batch) = batch else { return Ok(true) };
    let documents = batch
        .doc_slices()
        .map_err(|error| into_error(store_error(&error)))?;
    for document in documents {
        let document = document.ok().and_then(RawBsonRef::as_document);
        let document = document.ok_or_else(|| into_error(malformed()))?;
        if !each(document.as_bytes())? {
            return Ok(false);
        }
    }
    Ok(true)
}
