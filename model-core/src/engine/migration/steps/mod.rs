//! Steps over whole collections, batch by batch: what each batch reads, writes and notes is one transaction, so that a run
//! that is killed has done a batch as a whole or not at all.

mod ids;
mod ledger;
mod references;

use std::collections::BTreeMap;
use std::fmt;

use bson::{Bson, Document, RawDocumentBuf};

pub(crate) use self::ids::moved_id;
pub(crate) use self::ledger::{Progress, Record, state};
use crate::audit::AuditEntry;
use crate::engine::audit::{self, chain};
use crate::engine::caller::Caller;
use crate::engine::ports::AuditTarget;
use crate::engine::read::load;
use crate::engine::transaction::Patience;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, SortKey, Test};
use crate::schema::{Direction, reserved};
use crate::store::{Find, Operations, Selection, StoreError, UpdateOne, into_error};

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
    if !caller.ports.abilities().await?.transactions {
        let message = "a step's batches are transactions, and this server has none: use a replica set";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}

/// Notes in the audit log that a step is run.
pub(crate) async fn note_run(caller: &Caller, step: &str) -> Result<()> {
    let bare = audit::bare(
        &caller.actor,
        "step.run".to_owned(),
        "step",
        step.to_owned(),
        caller.ports.now(),
    );
    let entry = AuditEntry {
        tenant: caller.tenant.clone(),
        request: caller.request.clone(),
        bypass_reason: caller.bypass.as_deref().map(str::to_owned),
        ..bare
    };
    match &caller.ports.audit {
        AuditTarget::Sink(sink) => sink.record(&entry).await,
        AuditTarget::Collection => {
            let document = entry.to_document().to_vec();
            let document = document.map_err(|_| Error::internal("an audit entry that cannot be stored"))?;
            chain::record(&caller.ports, vec![document]).await
        }
    }
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

/// The writes of a batch, by their kinds.
#[derive(Default)]
struct Writes {
    /// By collection: documents, and the id of the one that each comes from.
    inserts: BTreeMap<&'static str, Vec<(Vec<u8>, Bson)>>,
    updates: Vec<UpdateOne>,
    deletes: Vec<Selection>,
}

impl Writes {
    /// Takes in what becomes of one document; whether anything does.
    fn add(&mut self, document: &Document, id: &Bson, parts: Parts, note: Option<Document>) -> Result<bool> {
        let mut inserts = Vec::with_capacity(parts.put.len() + 1);
        for (collection, part) in parts.put {
            inserts.push((collection, bytes(&part)?));
        }
        if let Some(note) = note {
            inserts.push((ids::COLLECTION, bytes(&note)?));
        }
        let mut changed = !inserts.is_empty();
        match parts.keep {
            None => {
                self.deletes.push(by_id(id.clone()));
                changed = true;
            }
            Some(kept) => {
                if let Some((set, unset)) = difference(document, &kept)? {
                    let selection = by_id(id.clone());
                    self.updates.push(UpdateOne {
                        selection,
                        set,
                        unset,
                    });
                    changed = true;
                }
            }
        }
        for (collection, bytes) in inserts {
            self.inserts
                .entry(collection)
                .or_default()
                .push((bytes, id.clone()));
        }
        Ok(changed)
    }

    async fn carry_out(self, store: &dyn Operations, from: &'static str) -> Result<(), Failure> {
        for (collection, documents) in &self.inserts {
            let bytes: Vec<&[u8]> = documents.iter().map(|(bytes, _)| bytes.as_slice()).collect();
            if let Err(error) = store.insert(collection, &bytes).await {
                let position = match &error {
                    StoreError::Statement { position, error } if is_duplicate(error) => *position,
                    error if is_duplicate(error) => 0,
                    _ => return Err(error.into()),
                };
                return Err(match documents.get(position) {
                    Some((_, id)) => {
                        Failure::Document(id.clone(), into_error(error).at_id(|| ids::text(Some(id))))
                    }
                    None => error.into(),
                });
            }
        }
        if !self.updates.is_empty() {
            let updates: Vec<&UpdateOne> = self.updates.iter().collect();
            store.update(from, &updates).await?;
        }
        if !self.deletes.is_empty() {
            let deletes: Vec<&Selection> = self.deletes.iter().collect();
            store.delete(from, &deletes).await?;
        }
        Ok(())
    }
}

fn is_duplicate(error: &StoreError) -> bool {
    matches!(error, StoreError::Duplicate { .. })
}

fn by_id(id: Bson) -> Selection {
    Selection {
        id: Some(id),
        ..Selection::of(Node::Everything)
    }
}

/// The parts of a document, which are storable.
fn carried(carry: &Carry, document: &Document) -> Result<Parts> {
    let id = document.get("_id");
    let parts = carry(document.clone())?;
    if parts.keep.as_ref().is_some_and(|kept| kept.get("_id") != id) {
        return Err(Error::refused(
            "an `_id` cannot change in its place: move the document",
        ));
    }
    for (_, part) in &parts.put {
        if part.get("_id").is_none() {
            return Err(Error::refused("what is stored elsewhere needs an `_id`"));
        }
        if part.values().any(is_sealed) {
            return Err(Error::refused(
                "a sealed value is bound to its collection and document, and would not open elsewhere",
            ));
        }
    }
    Ok(parts)
}

/// Whether an envelope of this crate lies in the value.
fn is_sealed(value: &Bson) -> bool {
    match value {
        Bson::Binary(binary) => {
            binary.subtype == bson::spec::BinarySubtype::Sensitive && binary.bytes.first() == Some(&0xE1)
        }
        Bson::Array(values) => values.iter().any(is_sealed),
        Bson::Document(document) => document.values().any(is_sealed),
        _ => false,
    }
}

/// What to set and to unset; nothing if the documents are the same.
pub(in crate::engine) fn difference(
    before: &Document,
    after: &Document,
) -> Result<Option<(RawDocumentBuf, Vec<String>)>> {
    let changed = after.iter().filter(|(key, value)| before.get(key) != Some(value));
    let mut set: Document = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
    let unset: Vec<String> = before
        .keys()
        .filter(|key| !after.contains_key(key))
        .cloned()
        .collect();
    if set.is_empty() && unset.is_empty() {
        return Ok(None);
    }
    if set
        .keys()
        .chain(&unset)
        .any(|key| key.contains('.') || key.starts_with('$'))
    {
        return Err(Error::refused(
            "a field whose name has a dot cannot be changed in its place",
        ));
    }
    // Who has read the document before must not write on what it was.
    if let Ok(revision) = before.get_i64(reserved::REVISION) {
        set.insert(reserved::REVISION, revision.wrapping_add(1));
    }
    let set = RawDocumentBuf::try_from(&set).map_err(|_| Error::internal("a malformed document"))?;
    Ok(Some((set, unset)))
}

fn bytes(document: &Document) -> Result<Vec<u8>> {
    document
        .to_vec()
        .map_err(|_| Error::refused("what the step made of the document cannot be stored"))
}

/// The next documents in the order of their ids.
async fn documents(
    store: &(impl Operations + ?Sized),
    work: Work<'_>,
    after: Option<&Bson>,
    size: u32,
) -> Result<Vec<Document>> {
    let node = match after {
        Some(last) => work.node().and(ids::after(last)?),
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

/// A record's values as raw BSON.
fn raw(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|_| Error::internal("a malformed record"))
}

/// The one document with this id.
fn one(id: &str) -> Selection {
    by_id(Bson::String(id.to_owned()))
}
