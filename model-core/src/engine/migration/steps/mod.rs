//! Steps over whole collections, batch by batch: what each batch reads, writes and notes is one transaction, so that a run
//! that is killed has done a batch as a whole or not at all.

mod ids;
mod ledger;
mod references;
mod writes;

use std::fmt;

use bson::{Bson, Document, RawDocumentBuf};

pub(crate) use self::ids::moved_id;
pub(crate) use self::ledger::{Progress, Record, state};
use self::writes::{Writes, carried, difference};
use crate::engine::audit;
use crate::engine::caller::Caller;
use crate::engine::read::{load, scan};
use crate::engine::transaction::Patience;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, SortKey, Test};
use crate::schema::Direction;
use crate::store::{Find, Operations, Selection, StoreError, into_error};

/// After how many documents that failed a step stops.
pub(crate) const MOST_FAILURES: usize = 1_000;

/// What becomes of one document.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Parts {
    /// What stays in its place, under its id; none: it goes away.
    pub(crate) keep: Option<Document>,
    /// What is stored elsewhere, and where.
    pub(crate) put: Vec<(&'static str, Document)>,
}

/// Makes the parts of a document.
pub(crate) type Carry = dyn Fn(Document) -> Result<Parts> + Send + Sync;

/// One piece of work, the documents of one collection after the other.
#[derive(Clone, Copy)]
pub(crate) enum Work<'a> {
    /// Each document becomes its parts; where ids change, that is noted.
    Carry {
        from: &'static str,
        carry: &'a Carry,
        notes_ids: bool,
    },
    /// Ids that have changed are put in the place of the old ones.
    References {
        collection: &'static str,
        path: &'static str,
    },
}

impl fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").finish_non_exhaustive()
    }
}

impl Work<'_> {
    fn collection(&self) -> &'static str {
        match self {
            Self::Carry { from, .. } => from,
            Self::References { collection, .. } => collection,
        }
    }

    fn node(&self) -> Node {
        match self {
            Self::Carry { .. } => Node::Everything,
            Self::References { path, .. } => Node::field(*path, Test::Exists(true)),
        }
    }
}

/// Whether the caller may carry out steps.
///
/// # Errors
/// `Forbidden` without a bypass, `Unsupported` in a transaction or without transactions.
pub(crate) async fn admit(caller: &Caller) -> Result<()> {
    if caller.transaction.is_some() {
        let message = "a step goes batch by batch, and not inside of a transaction";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    if caller.bypass.is_none() {
        let message = "it passes over permissions: use a context from `dangerously_bypass_permissions`";
        return Err(Error::new(ErrorKind::Forbidden, message));
    }
    // Not the check of the whole handle: a step may come before the indexes that it asks for.
    let abilities = caller.ports.store.abilities().await.map_err(into_error)?;
    if !abilities.transactions {
        let message = "a step's batches are transactions, and this server has none: use a replica set";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}

/// Notes in the audit log that a step is run.
pub(crate) async fn note_run(caller: &Caller, step: &str) -> Result<()> {
    audit::note(caller, "step.run", "step", step.to_owned(), Vec::new()).await
}

/// Gives a collection another name; false if there is none.
pub(crate) async fn rename(caller: &Caller, from: &str, to: &str) -> Result<bool> {
    caller.ports.store.rename(from, to).await.map_err(into_error)
}

/// How many documents there are to look at.
pub(crate) async fn count(caller: &Caller, work: Work<'_>) -> Result<u64> {
    let find = Find::all(work.collection(), Selection::of(work.node()));
    caller.ports.store.count(&find).await.map_err(into_error)
}

/// The first documents, and what would become of them; nothing is written.
pub(crate) async fn preview(
    caller: &Caller,
    work: Work<'_>,
    size: u32,
) -> Result<Vec<(String, Result<(Document, Parts)>)>> {
    let Work::Carry { carry, .. } = work else {
        return Ok(Vec::new());
    };
    let documents = documents(&*caller.ports.store, work, None, size).await?;
    let each = documents.into_iter().map(|document| {
        let parts = carried(carry, &document).map(|parts| (document.clone(), parts));
        (ids::text(document.get("_id")), parts)
    });
    Ok(each.collect())
}

/// Does the next batch, and says whether there may be more.
pub(crate) async fn batch(
    caller: &Caller,
    work: Work<'_>,
    record: &mut Record,
    size: u32,
    progress: &mut Progress,
) -> Result<bool> {
    let mut patience = Patience::new();
    // Documents that the store refuses; the others of the batch go on without them.
    let mut refused: Vec<(Bson, Error)> = Vec::new();
    loop {
        let transaction = caller.ports.store.begin().await.map_err(into_error)?;
        let mut next = progress.clone_counts();
        let attempt = Attempt {
            store: &*transaction,
            work,
            step: record.step(),
            refused: &refused,
        };
        let done = attempt.carry_out(record.after(), size, &mut next).await;
        let failure = match done {
            Ok(after) => {
                let more = after.is_some();
                match record.note(caller, &*transaction, after, &next).await {
                    Ok(noted) => match transaction.commit().await {
                        Ok(()) => {
                            record.settle(noted);
                            progress.settle(next, refused.into_iter().map(|(_, error)| error));
                            return Ok(more);
                        }
                        Err(error) => Failure::Store(error),
                    },
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        transaction.abort().await;
        match failure {
            Failure::Store(StoreError::Transient) if patience.wait().await => {}
            Failure::Document(id, error) => refused.push((id, error)),
            Failure::Store(error) => return Err(into_error(error)),
            Failure::Other(error) => return Err(error),
        }
    }
}

/// Why a batch did not take effect.
pub(in crate::engine) enum Failure {
    Store(StoreError),
    /// The store refuses what became of one document.
    Document(Bson, Error),
    Other(Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// One attempt at a batch, inside of its transaction.
struct Attempt<'a> {
    store: &'a dyn Operations,
    work: Work<'a>,
    step: &'a str,
    refused: &'a [(Bson, Error)],
}

impl Attempt<'_> {
    /// Where to go on; none after the last document.
    async fn carry_out(
        &self,
        after: Option<&Bson>,
        size: u32,
        progress: &mut Progress,
    ) -> Result<Option<Bson>, Failure> {
        let documents = documents(self.store, self.work, after, size).await?;
        let last = documents.last().and_then(|document| document.get("_id").cloned());
        let more = documents.len() == size as usize;
        progress.scanned += documents.len() as u64;
        match self.work {
            Work::Carry { carry, notes_ids, .. } => self.carry(carry, notes_ids, documents, progress).await?,
            Work::References { collection, path } => {
                let changed = references::rewrite(self.store, self.step, collection, path, documents);
                progress.rewritten += changed.await?;
            }
        }
        Ok(last.filter(|_| more))
    }

    async fn carry(
        &self,
        carry: &Carry,
        notes_ids: bool,
        documents: Vec<Document>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let from = self.work.collection();
        let mut writes = Writes::default();
        for document in documents {
            let id = document.get("_id").cloned().unwrap_or(Bson::Null);
            if self.refused.iter().any(|(refused, _)| *refused == id) {
                continue;
            }
            let parts = carried(carry, &document);
            let added = parts.and_then(|parts| {
                let note = parts.put.first().filter(|_| notes_ids);
                let note = note.map(|(_, moved)| ids::record(self.step, &id, moved.get("_id")));
                writes.add(&document, &id, parts, note)
            });
            match added {
                Ok(changed) => progress.written += u64::from(changed),
                Err(error) => progress.failed.push(error.at_id(|| ids::text(Some(&id)))),
            }
        }
        writes.carry_out(self.store, from).await
    }
}

/// The next documents in the order of their ids.
async fn documents(
    store: &(impl Operations + ?Sized),
    work: Work<'_>,
    after: Option<&Bson>,
    size: u32,
) -> Result<Vec<Document>> {
    let node = match after {
        Some(last) => work.node().and(scan::after_id(last)?),
        None => work.node(),
    };
    let find = Find {
        sort: vec![SortKey {
            path: "_id".into(),
            direction: Direction::Ascending,
            outside: false,
        }],
        limit: Some(u64::from(size)),
        batch: Some(size),
        ..Find::all(work.collection(), Selection::of(node))
    };
    let mut cursor = store.find(&find).await.map_err(into_error)?;
    let mut found = Vec::new();
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            found.push(load::document(raw)?);
            Ok(true)
        })?;
    }
    Ok(found)
}

fn by_id(id: Bson) -> Selection {
    Selection {
        id: Some(("_id", id)),
        ..Selection::of(Node::Everything)
    }
}

/// A record's values as raw BSON.
fn raw(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|_| Error::internal("a malformed record"))
}

/// The one document with this id.
fn one(id: &str) -> Selection {
    by_id(Bson::String(id.to_owned()))
}
