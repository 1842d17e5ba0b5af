//! Audit entries inside of the document's own write, for servers without transactions; a relay moves them to where they
//! belong, and may be killed anywhere: an entry is there before it leaves the document, and an entry that is there already
//! is not moved twice.

use std::sync::Arc;

use bson::{Bson, Document, RawDocumentBuf};

use super::{Entry, chain};
use crate::audit::{self, AuditEntry};
use crate::codec::{DecodeError, Elements, RawValue, Writer, read_bson, tag};
use crate::engine::ports::{AuditTarget, Ports};
use crate::engine::read::load;
use crate::engine::write::commit::{Effect, Kind};
use crate::engine::write::stored::Stored;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::{ModelSchema, reserved};
use crate::store::{Find, Guard, Selection, UpdateOne, into_error};

/// Where a document says that it leaves with its last entry.
pub(in crate::engine) const PURGE_PATH: &str = "_outbox.purge";

/// When a waiting entry was written.
const TIME_PATH: &str = "_outbox.entry.at";

/// How many documents the relay looks at together.
const BATCH: u64 = 100;

/// Puts the entry of an effect into its document, where the model has an outbox. A delete becomes a mark: the relay
/// removes the document when it has moved the entry.
pub(in crate::engine) fn embed(
    schema: &'static ModelSchema,
    effect: &mut Effect,
    stored: Option<&Stored>,
) -> Result<()> {
    if !schema.has_outbox() {
        return Ok(());
    }
    let Some(entry) = effect.entry.take() else {
        return Ok(());
    };
    let Entry::Stored(entry) = entry else {
        return Err(Error::internal("an entry that is not for the outbox"));
    };
    let mut item = Writer::with_capacity(entry.len() + 64);
    item.raw("entry", tag::DOCUMENT, &entry);
    item.bool("purge", matches!(effect.kind, Kind::Delete(_)));
    let item = &item.finish()?;
    let waiting = match stored {
        Some(stored) => load::raw_field(stored.raw.as_bytes(), reserved::OUTBOX)?,
        None => None,
    };
    match &mut effect.kind {
        Kind::Insert => effect.after = with_item(&effect.after, None, item)?,
        Kind::Update(update) => {
            let set = with_item(update.set.as_bytes(), waiting, item)?;
            update.set = raw(set)?;
        }
        Kind::Delete(selection) => {
            let revision = stored
                .and_then(|stored| stored.revision)
                .unwrap_or_default()
                .next();
            let mut set = Writer::with_capacity(512);
            set.i64(reserved::REVISION, revision.to_i64());
            let update = UpdateOne {
                selection: selection.clone(),
                set: raw(with_item(&set.finish()?, waiting, item)?)?,
                unset: Vec::new(),
            };
            effect.kind = Kind::Update(update);
        }
    }
    Ok(())
}

fn malformed() -> Error {
    Error::new(ErrorKind::Decode, "the outbox is malformed").at_path(reserved::OUTBOX)
}

fn raw(bytes: Vec<u8>) -> Result<RawDocumentBuf> {
    RawDocumentBuf::from_bytes(bytes).map_err(|_| Error::internal("a malformed update"))
}

/// The document with one item more in its outbox.
fn with_item(document: &[u8], waiting: Option<RawValue<'_>>, item: &[u8]) -> Result<Vec<u8>> {
    let mut items = Vec::new();
    if let Some(waiting) = waiting {
        // What waits there must not be lost, so that what cannot be read is not written over.
        let mut waiting = waiting.array().map_err(|_| malformed())?;
        while let Some((_, value)) = waiting.next().map_err(|_| malformed())? {
            items.push(value);
        }
    }
    items.push(RawValue {
        tag: tag::DOCUMENT,
        bytes: item,
    });
    let mut out = Writer::with_capacity(document.len() + 512);
    let mut elements = Elements::new(document).map_err(DecodeError::into_error)?;
    while let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? {
        if key != reserved::OUTBOX {
            out.raw(key, value.tag, value.bytes);
        }
    }
    out.array(reserved::OUTBOX, &items, |out, index, item| {
        out.raw(index, item.tag, item.bytes);
    });
    out.finish()
}

/// Moves the entries of a model that wait by now; how many. What is written while it runs may wait for the next run, so
/// that it ends however fast others write.
pub(crate) async fn relay(ports: &Arc<Ports>, schema: &'static ModelSchema) -> Result<u64> {
    let begun = bson::DateTime::from_chrono(ports.now());
    let mut moved = 0;
    loop {
        let mut find = Find::all(schema.collection, Selection::of(waiting(begun)));
        find.limit = Some(BATCH);
        let mut documents = Vec::new();
        let mut cursor = ports.store.find(&find).await.map_err(into_error)?;
        while cursor.advance().await.map_err(into_error)? {
            cursor.each(&mut |raw| {
                documents.push(Waiting::read(raw)?);
                Ok(true)
            })?;
        }
        if documents.is_empty() {
            return Ok(moved);
        }
        let mut settled = 0;
        for document in &documents {
            let (entries, left) = document.deliver(ports, schema).await?;
            moved += entries;
            settled += u64::from(left);
        }
        if settled == 0 {
            // Somebody writes each of them faster than they are moved: their entries are safe where they are.
            return Ok(moved);
        }
    }
}

/// Documents with entries that wait since `begun` or longer, by the index that the derive declares for them. An entry
/// without a time is malformed, and no reason to pass over its document.
fn waiting(begun: bson::DateTime) -> Node {
    let either = vec![Bson::Boolean(false), Bson::Boolean(true)];
    let due = Node::field(TIME_PATH, Test::Lte(begun.into()));
    let untold = Node::field(TIME_PATH, Test::Exists(false));
    Node::field(reserved::OUTBOX, Test::Exists(true))
        .and(Node::field(PURGE_PATH, Test::In(either)))
        .and(Node::Or(vec![due, untold]))
}

/// A document with entries that wait.
struct Waiting {
    id: Bson,
    revision: Guard,
    entries: Vec<Document>,
    purge: bool,
}

impl Waiting {
    fn read(raw: &[u8]) -> Result<Self> {
        let items = load::raw_field(raw, reserved::OUTBOX)?.ok_or_else(malformed)?;
        if items.tag != tag::ARRAY {
            return Err(malformed());
        }
        let Ok(Bson::Array(items)) = read_bson(items) else {
            return Err(malformed());
        };
        let mut entries = Vec::with_capacity(items.len());
        let mut purge = false;
        for item in items {
            let Bson::Document(mut item) = item else {
                return Err(malformed());
            };
            purge |= item.get_bool("purge").unwrap_or_default();
            match item.remove("entry") {
                Some(Bson::Document(entry)) => entries.push(entry),
                _ => return Err(malformed()),
            }
        }
        let revision = load::raw_field(raw, reserved::REVISION)?.and_then(|value| value.i64().ok());
        Ok(Self {
            id: load::raw_field(raw, reserved::ID)?
                .and_then(|id| read_bson(id).ok())
                .ok_or_else(malformed)?,
            revision: revision.map_or(Guard::Unwritten, Guard::Is),
            entries,
            purge,
        })
    }

    /// Brings the entries to where they belong, then takes them out of the document. The second is false if the
    /// document has changed since: its entries are looked at again.
    async fn deliver(&self, ports: &Arc<Ports>, schema: &'static ModelSchema) -> Result<(u64, bool)> {
        let mut moved = 0;
        for entry in &self.entries {
            moved += u64::from(deliver(ports, entry).await?);
        }
        let selection = Selection {
            id: Some((reserved::ID, self.id.clone())),
            revision: self.revision,
            ..Selection::of(Node::Everything)
        };
        let left = if self.purge {
            ports.store.delete(schema.collection, &[&selection]).await
        } else {
            // The revision stays: no reader sees a difference, and a writer that has read the entries before puts back
            // what is moved already.
            let set = Writer::new().finish()?;
            let update = UpdateOne {
                selection,
                set: raw(set)?,
                unset: vec![reserved::OUTBOX.to_owned()],
            };
            ports.store.update(schema.collection, &[&update]).await
        };
        Ok((moved, left.map_err(into_error)? == 1))
    }
}

/// Brings one entry to the audit log, if it is not there.
async fn deliver(ports: &Arc<Ports>, entry: &Document) -> Result<bool> {
    if let AuditTarget::Sink(sink) = &ports.audit {
        sink.record(&AuditEntry::from_document(entry)?).await?;
        return Ok(true);
    }
    let there = Selection {
        id: entry.get(reserved::ID).map(|id| (reserved::ID, id.clone())),
        ..Selection::of(Node::Everything)
    };
    let found = ports.store.find_one(audit::COLLECTION, &there).await;
    if found.map_err(into_error)?.is_some() {
        return Ok(false);
    }
    let bytes = entry
        .to_vec()
        .map_err(|_| Error::internal("an audit entry that cannot be stored"))?;
    chain::record(ports, &bytes).await?;
    Ok(true)
}
