//! The application's transactions: what `ctx.transaction` opens, and every operation of its context goes through.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::RawDocumentBuf;
use futures_util::future::BoxFuture;

use crate::engine::ports::Ports;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Branch, Grouping};
use crate::store::{
    Cursor, Find, Operations, Selection, StoreError, StoreFuture, StoreResult, Transaction, Unwound,
    UpdateOne, into_error,
};

/// How long a transaction that runs into others is begun anew: the driver specification's figure.
const PATIENCE: Duration = Duration::from_mins(2);

/// The longest pause before a transaction is begun anew.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long a transaction that ran into another is begun anew.
pub(super) struct Patience {
    begun: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            pause: Duration::from_millis(1),
        }
    }

    /// Waits before the next attempt, each time a little longer; false if it has been long enough.
    pub(super) async fn wait(&mut self) -> bool {
        if self.begun.elapsed() >= PATIENCE {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

tokio::task_local! {
    /// The transaction whose closure this task is in: an operation of another context of the same handle is a slip.
    static CURRENT: Arc<Open>;
}

/// What has become of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    /// An operation failed: the server has undone it, or half of a batch lies in it.
    Failed,
    /// It ran into another: the same work may be done again.
    Again,
    Ended,
}

/// A transaction of the application's own.
pub(crate) struct Open {
    /// The handle that opened it, by its address: it outlives the transaction.
    owner: usize,
    inner: Box<dyn Transaction>,
    fate: Mutex<Fate>,
    /// What is to be done when it has taken effect: after-hooks, sinks.
    after: Mutex<Vec<BoxFuture<'static, Result<()>>>>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open")
            .field("fate", &self.fate())
            .finish_non_exhaustive()
    }
}

impl Open {
    fn fate(&self) -> Fate {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet(&self, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }

    /// Lets nothing of it take effect any more.
    pub(super) fn doom(&self) {
        if self.fate() == Fate::Open {
            self.meet(Fate::Failed);
        }
    }

    /// Puts off what has to wait until it has taken effect.
    pub(super) fn defer(&self, work: BoxFuture<'static, Result<()>>) {
        self.after
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(work);
    }

    /// Notes how an operation ended.
    fn noted<T>(&self, result: StoreResult<T>) -> StoreResult<T> {
        match &result {
            Ok(_) => {}
            // What the server has undone, it no longer knows, and says so as if to begin anew would help.
            Err(StoreError::Transient) if self.fate() == Fate::Open => self.meet(Fate::Again),
            Err(_) => self.doom(),
        }
        result
    }

    pub(super) fn check_open(&self) -> Result<()> {
        match self.fate() {
            Fate::Ended => Err(Error::new(
                ErrorKind::Configuration,
                "the transaction has ended: its context is of no more use",
            )),
            _ => Ok(()),
        }
    }

    async fn abort(&self) {
        self.meet(Fate::Ended);
        self.inner.abort().await;
    }
}

impl Operations for Open {
    fn find_one<'a>(
        &'a self,
        collection: &'static str,
        selection: &'a Selection,
    ) -> StoreFuture<'a, Option<RawDocumentBuf>> {
        Box::pin(async move { self.noted(self.inner.find_one(collection, selection).await) })
    }

    fn find<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { self.noted(self.inner.find(find).await) })
    }

    fn count<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, u64> {
        Box::pin(async move { self.noted(self.inner.count(find).await) })
    }

    fn distinct<'a>(&'a self, find: &'a Find, field: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { self.noted(self.inner.distinct(find, field).await) })
    }

    fn group<'a>(&'a self, find: &'a Find, grouping: &'a Grouping) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { self.noted(self.inner.group(find, grouping).await) })
    }

    fn facet<'a>(&'a self, find: &'a Find, branches: &'a [Branch]) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { self.noted(self.inner.facet(find, branches).await) })
    }

    fn insert<'a>(&'a self, collection: &'static str, documents: &'a [&'a [u8]]) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.noted(self.inner.insert(collection, documents).await) })
    }

    fn update<'a>(&'a self, collection: &'static str, updates: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64> {
        Box::pin(async move { self.noted(self.inner.update(collection, updates).await) })
    }

    fn delete<'a>(
        &'a self,
        collection: &'static str,
        selections: &'a [&'a Selection],
    ) -> StoreFuture<'a, u64> {
        Box::pin(async move { self.noted(self.inner.delete(collection, selections).await) })
    }
}

/// Refuses an operation that would slip past the transaction in whose closure it is made.
pub(super) fn check_outside(ports: &Arc<Ports>) -> Result<()> {
    let slips = CURRENT.try_with(|open| open.owner == Arc::as_ptr(ports) as usize);
    if slips.unwrap_or(false) {
        return Err(Error::new(
            ErrorKind::Configuration,
            "an operation outside of the transaction, made inside of its closure: use the context that the closure is given",
        ));
    }
    Ok(())
}

/// Runs `work` in a transaction, anew as long as it runs into others, and what it put off when it has taken effect.
pub(crate) async fn in_transaction<T, E, F>(
    ports: &Arc<Ports>,
    mut work: impl FnMut(Arc<Open>) -> F,
) -> Result<T, E>
where
    E: From<Error>,
    F: Future<Output = Result<T, E>>,
{
    check_outside(ports)?;
    if !ports.abilities().await?.transactions {
        return Err(E::from(Error::new(
            ErrorKind::Unsupported,
            "this server has no transactions: use a replica set",
        )));
    }
    let mut patience = Patience::new();
    loop {
        let open = Arc::new(begin(ports).await?);
        let result = CURRENT.scope(Arc::clone(&open), work(Arc::clone(&open))).await;
        let value = match settle(&open, result).await {
            Settled::Done(value) => value,
            Settled::Again(_) if patience.wait().await => continue,
            Settled::Again(error) | Settled::Failed(error) => return Err(error),
        };
        let put_off = std::mem::take(&mut *open.after.lock().unwrap_or_else(PoisonError::into_inner));
        let mut first = None;
        for work in put_off {
            if let Err(error) = work.await {
                first.get_or_insert(error);
            }
        }
        return match first {
            Some(error) => Err(E::from(error.after_write())),
            None => Ok(value),
        };
    }
}

async fn begin(ports: &Arc<Ports>) -> Result<Open> {
    Ok(Open {
        owner: Arc::as_ptr(ports) as usize,
        inner: ports.store.begin().await.map_err(into_error)?,
        fate: Mutex::new(Fate::Open),
        after: Mutex::default(),
    })
}

enum Settled<T, E> {
    Done(T),
    Failed(E),
    Again(E),
}

/// Commits what went well, and undoes the rest.
async fn settle<T, E: From<Error>>(open: &Open, result: Result<T, E>) -> Settled<T, E> {
    let fate = open.fate();
    let value = match (result, fate) {
        (Ok(value), Fate::Open) => value,
        (Ok(_), Fate::Again) => {
            open.abort().await;
            return Settled::Again(E::from(into_error(StoreError::Transient)));
        }
        (Ok(_), _) => {
            open.abort().await;
            return Settled::Failed(E::from(Error::new(
                ErrorKind::Store,
                "an operation of the transaction failed and its error was passed over: nothing was written",
            )));
        }
        (Err(error), fate) => {
            open.abort().await;
            return match fate {
                Fate::Again => Settled::Again(error),
                _ => Settled::Failed(error),
            };
        }
    };
    open.meet(Fate::Ended);
    match open.inner.commit().await {
        Ok(()) => Settled::Done(value),
        Err(StoreError::Transient) => Settled::Again(E::from(into_error(StoreError::Transient))),
        Err(error) => Settled::Failed(E::from(into_error(error))),
    }
}
