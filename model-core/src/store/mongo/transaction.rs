//! Transactions.

use std::sync::Arc;

use bson::{RawDocumentBuf, doc};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use mongodb::error::{ErrorKind, Result as DriverResult, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use mongodb::options::{ReadConcern, ReadPreference, WriteConcern};
use mongodb::raw_batch_cursor::SessionRawBatchCursor;
use mongodb::{ClientSession, Database};
use tokio::sync::Mutex;

use super::super::{
    Cursor, Find, Operations, Selection, StoreError, StoreFuture, StoreResult, Transaction, Unwound,
    UpdateOne,
};
use super::error::store_error;
use super::{command, cursor, group, read, write};
use crate::query::{Branch, Grouping};

/// How often a commit whose outcome is unknown is sent; the driver repeats each one by itself.
const COMMIT_ATTEMPTS: u32 = 3;

/// A transaction under way. Dropped with its last cursor, it is undone by the driver.
pub(super) struct MongoTransaction {
    db: Database,
    running: Arc<Mutex<Running>>,
}

/// The session of a transaction, and how far it has come.
pub(super) struct Running {
    session: ClientSession,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// A commit was sent and its outcome is unknown: it may be sent again, and nothing else.
    Committing,
    Ended,
}

impl Running {
    /// The session of an open transaction. In a session whose transaction has ended the driver would carry an
    /// operation out by itself, outside of any transaction.
    pub(super) fn session(&mut self) -> StoreResult<&mut ClientSession> {
        if self.stage == Stage::Open {
            Ok(&mut self.session)
        } else {
            Err(ended())
        }
    }
}

impl MongoTransaction {
    pub(super) async fn begin(db: &Database) -> StoreResult<Box<dyn Transaction>> {
        let mut session = db
            .client()
            .start_session()
            .await
            .map_err(|error| store_error(&error))?;
        if let Err(error) = start(&mut session).await {
            if !matches!(*error.kind, ErrorKind::Transaction { .. }) {
                return Err(store_error(&error));
            }
            // The driver takes a server that it does not reach for one without transactions. Any command waits for
            // one to be there, or says that there is none.
            db.run_command(doc! { "ping": 1 })
                .await
                .map_err(|error| store_error(&error))?;
            start(&mut session).await.map_err(|error| store_error(&error))?;
        }
        let running = Running {
            session,
            stage: Stage::Open,
        };
        Ok(Box::new(Self {
            db: db.clone(),
            running: Arc::new(Mutex::new(running)),
        }))
    }

    async fn run(&self, command: RawDocumentBuf, batch: Option<u32>) -> StoreResult<SessionRawBatchCursor> {
        let mut running = self.running.lock().await;
        let mut action = self.db.run_raw_cursor_command(command);
        if let Some(batch) = batch {
            action = action.batch_size(batch);
        }
        action
            .session(running.session()?)
            .batch()
            .await
            .map_err(|error| store_error(&error))
    }

    /// What a command finds or makes, batch by batch.
    async fn cursor(&self, command: RawDocumentBuf, batch: Option<u32>) -> StoreResult<Box<dyn Cursor>> {
        let batches = self.run(command, batch).await?;
        Ok(Box::new(cursor::SessionBatches::new(
            batches,
            self.running.clone(),
        )))
    }

    async fn one(&self, command: RawDocumentBuf) -> StoreResult<Option<RawDocumentBuf>> {
        let mut batches = self.run(command, None).await?;
        let mut running = self.running.lock().await;
        match batches.stream(running.session()?).next().await {
            Some(batch) => read::first(&batch.map_err(|error| store_error(&error))?),
            None => Ok(None),
        }
    }
}

impl Operations for MongoTransaction {
    fn find_one<'a>(
        &'a self,
        collection: &'static str,
        selection: &'a Selection,
    ) -> StoreFuture<'a, Option<RawDocumentBuf>> {
        Box::pin(async move { self.one(command::find_one(collection, selection, None)?).await })
    }

    fn find<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let Some((command, batch)) = command::find(find, None)? else {
                return Ok(cursor::empty());
            };
            self.cursor(command, batch).await
        })
    }

    fn count<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let Some(command) = command::count(find, None)? else {
                return Ok(0);
            };
            read::number(self.one(command).await?.as_deref())
        })
    }

    fn distinct<'a>(&'a self, find: &'a Find, field: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { self.cursor(command::distinct(find, field, None)?, None).await })
    }

    fn group<'a>(&'a self, find: &'a Find, grouping: &'a Grouping) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let Some(command) = group::group(find, grouping, None)? else {
                return Ok(cursor::empty());
            };
            self.cursor(command, None).await
        })
    }

    fn facet<'a>(&'a self, find: &'a Find, branches: &'a [Branch]) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { self.cursor(group::facet(find, branches, None)?, None).await })
    }

    fn insert<'a>(&'a self, collection: &'static str, documents: &'a [&'a [u8]]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut running = self.running.lock().await;
            write::insert(&self.db, Some(running.session()?), collection, documents).await
        })
    }

    fn update<'a>(&'a self, collection: &'static str, updates: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let mut running = self.running.lock().await;
            write::update(&self.db, Some(running.session()?), collection, updates).await
        })
    }

    fn delete<'a>(
        &'a self,
        collection: &'static str,
        selections: &'a [&'a Selection],
    ) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let mut running = self.running.lock().await;
            write::delete(&self.db, Some(running.session()?), collection, selections).await
        })
    }
}

impl Transaction for MongoTransaction {
    fn commit(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut running = self.running.lock().await;
            if running.stage == Stage::Ended {
                return Err(ended());
            }
            running.stage = Stage::Committing;
            for _ in 0..COMMIT_ATTEMPTS {
                let Err(error) = running.session.commit_transaction().await else {
                    running.stage = Stage::Ended;
                    return Ok(());
                };
                if !error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
                    running.stage = Stage::Ended;
                    return Err(store_error(&error));
                }
                // The driver has waited for a server as long as it may: another wait would be another time-out.
                if matches!(*error.kind, ErrorKind::ServerSelection { .. }) {
                    break;
                }
            }
            Err(StoreError::UnknownCommit)
        })
    }

    fn abort(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut running = self.running.lock().await;
            if running.stage == Stage::Open {
                running.stage = Stage::Ended;
                // The server undoes by itself what it is not told to undo.
                let _ = running.session.abort_transaction().await;
            }
        })
    }
}

async fn start(session: &mut ClientSession) -> DriverResult<()> {
    session
        .start_transaction()
        .read_concern(ReadConcern::snapshot())
        .write_concern(WriteConcern::majority())
        // Whatever the client's own preference is: a transaction reads from the primary only.
        .selection_criteria(ReadPreference::Primary.into())
        .await
}

fn ended() -> StoreError {
    StoreError::Refused {
        code: 0,
        name: "TransactionEnded".to_owned(),
    }
}
