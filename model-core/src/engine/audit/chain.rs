//! The hash chain of the audit log: each entry of a tenant holds the hash of the one before, so that none can be changed,
//! taken out or put in between unseen. The last link stands in a document of its own, so that the end is not cut off
//! unseen either. Who can write the database can compute the whole chain anew: only a link kept elsewhere tells of that.
//!
//! `hash = SHA-256("model-core/audit-chain/1\0" ‖ previous hash ‖ number, 64 bits big-endian ‖ the entry as BSON without its
//! `chain`)`; the first entry's previous hash is 32 zero bytes.

use std::sync::Arc;

use bson::{Bson, RawDocumentBuf, doc};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::codec::{DecodeError, Elements, RawValue, Writer, read_bson};
use crate::engine::ports::Ports;
use crate::engine::read::load;
use crate::engine::transaction::Patience;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, SortKey, Test};
use crate::schema::Direction;
use crate::store::{Find, Operations, Selection, StoreError, StoreResult, UpdateOne, into_error};

/// The last link of each tenant's chain.
const HEADS: &str = "audit_chain";
/// The field of an entry.
const CHAIN: &str = "chain";

/// One link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) number: i64,
    pub(crate) hash: [u8; 32],
}

/// Before the first entry.
const START: Link = Link {
    number: 0,
    hash: [0; 32],
};

impl Link {
    /// The link of the entry that follows.
    fn next(self, entry: &[u8]) -> Self {
        let number = self.number.saturating_add(1);
        let mut hash = Sha256::new();
        hash.update(b"model-core/audit-chain/1\0");
        hash.update(self.hash);
        hash.update(number.to_be_bytes());
        hash.update(entry);
        Self {
            number,
            hash: hash.finalize().into(),
        }
    }

    fn write(self, previous: Self, out: &mut Writer<'_>) {
        out.i64("number", self.number);
        out.binary("previous", 0, &previous.hash);
        out.binary("hash", 0, &self.hash);
    }

    fn read(raw: &[u8]) -> Option<Self> {
        let number = load::raw_field(raw, "number").ok()??.i64().ok()?;
        let hash = load::raw_field(raw, "hash").ok()??;
        let (_, bytes) = hash.binary().ok()?;
        Some(Self {
            number,
            hash: bytes.try_into().ok()?,
        })
    }
}

/// Inserts entries into the audit log, each linked to the one before where the handle keeps a chain. It must run in a
/// transaction then.
pub(in crate::engine) async fn insert(
    store: &(impl Operations + ?Sized),
    chained: bool,
    entries: &[&[u8]],
) -> StoreResult<()> {
    if chained {
        Box::pin(insert_linked(store, entries)).await
    } else {
        store.insert(audit::COLLECTION, entries).await
    }
}

async fn insert_linked(store: &(impl Operations + ?Sized), entries: &[&[u8]]) -> StoreResult<()> {
    // The entries of one write are of one tenant.
    let Some(head_id) = entries.first().map(|entry| head_id(entry)) else {
        return Ok(());
    };
    let selection = Selection {
        id: Some(("_id", head_id.clone())),
        ..Selection::of(Node::Everything)
    };
    let stored = store.find_one(HEADS, &selection).await?;
    let mut link = match &stored {
        None => START,
        // To begin anew would hide that somebody has been here.
        Some(head) => Link::read(head.as_bytes()).ok_or_else(unreadable)?,
    };
    let mut linked = Vec::with_capacity(entries.len());
    for entry in entries {
        let next = link.next(entry);
        linked.push(with_link(entry, link, next).map_err(|_| unstorable())?);
        link = next;
    }
    let linked: Vec<&[u8]> = linked.iter().map(Vec::as_slice).collect();
    store.insert(audit::COLLECTION, &linked).await?;
    let hash = Bson::Binary(bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: link.hash.to_vec(),
    });
    let mut document = doc! { "number": link.number, "hash": hash };
    if stored.is_none() {
        document.insert("_id", head_id);
        let bytes = document.to_vec().map_err(|_| unstorable())?;
        return store.insert(HEADS, &[&bytes]).await;
    }
    let set = RawDocumentBuf::try_from(&document).map_err(|_| unstorable())?;
    let update = UpdateOne {
        selection,
        set,
        unset: Vec::new(),
    };
    store.update(HEADS, &[&update]).await.map(|_| ())
}

/// Inserts an entry outside of any write, in a transaction of its own where the handle keeps a chain.
pub(in crate::engine) async fn record(ports: &Arc<Ports>, entry: &[u8]) -> Result<()> {
    if !ports.chained {
        return insert(&*ports.store, false, &[entry]).await.map_err(into_error);
    }
    let mut patience = Patience::new();
    loop {
        let transaction = ports.store.begin().await.map_err(into_error)?;
        let done = async {
            insert(&*transaction, true, &[entry]).await?;
            transaction.commit().await
        };
        match done.await {
            Ok(()) => return Ok(()),
            Err(error) => {
                transaction.abort().await;
                let again = matches!(error, StoreError::Transient);
                if !again || !patience.wait().await {
                    return Err(into_error(error));
                }
            }
        }
    }
}

/// The id of the head of the entry's tenant. A tenant's id is never empty.
fn head_id(entry: &[u8]) -> Bson {
    let tenant = load::raw_field(entry, "tenant").ok().flatten();
    tenant
        .and_then(|tenant| read_bson(tenant).ok())
        .unwrap_or_else(|| Bson::String(String::new()))
}

fn unreadable() -> StoreError {
    StoreError::Refused {
        code: 0,
        name: "MalformedAuditChain".to_owned(),
    }
}

fn unstorable() -> StoreError {
    StoreError::Refused {
        code: 0,
        name: "MalformedBson".to_owned(),
    }
}

fn with_link(entry: &[u8], previous: Link, link: Link) -> Result<Vec<u8>> {
    let mut out = Writer::with_capacity(entry.len() + 128);
    copy(entry, &mut out)?;
    out.document(CHAIN, |out| link.write(previous, out));
    out.finish()
}

/// Copies an entry without its link.
fn copy(entry: &[u8], out: &mut Writer<'_>) -> Result<()> {
    let mut elements = Elements::new(entry).map_err(DecodeError::into_error)?;
    while let Some((key, RawValue { tag, bytes })) = elements.next().map_err(DecodeError::into_error)? {
        if key != CHAIN {
            out.raw(key, tag, bytes);
        }
    }
    Ok(())
}

/// What the verification of a chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainReport {
    /// How many entries are in order, from the first on.
    pub entries: u64,
    /// The id of the first entry that does not follow from those before it.
    pub broken: Option<bson::oid::ObjectId>,
    /// Why, or what is missing at the end.
    pub reason: Option<&'static str>,
}

impl ChainReport {
    /// Whether nothing was changed, taken out or put in between.
    pub fn is_intact(&self) -> bool {
        self.reason.is_none()
    }
}

/// Follows the chain of a tenant.
pub(crate) async fn verify(
    store: &dyn Operations,
    tenant: Option<(&'static str, Bson)>,
) -> Result<ChainReport> {
    let head_id = tenant
        .as_ref()
        .map_or_else(|| Bson::String(String::new()), |(_, tenant)| tenant.clone());
    let rest = match tenant {
        Some(_) => Node::Everything,
        None => Node::field("tenant", Test::Exists(false)),
    };
    let selection = Selection {
        tenant,
        ..Selection::of(rest.and(Node::field("chain.number", Test::Exists(true))))
    };
    let mut find = Find::all(audit::COLLECTION, selection);
    find.sort = vec![SortKey {
        path: "chain.number".into(),
        direction: Direction::Ascending,
        outside: false,
    }];
    let mut walk = Walk {
        last: START,
        report: ChainReport {
            entries: 0,
            broken: None,
            reason: None,
        },
    };
    let mut cursor = store.find(&find).await.map_err(into_error)?;
    while walk.report.is_intact() && cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| walk.step(raw))?;
    }
    if walk.report.is_intact() {
        let selection = Selection {
            id: Some(("_id", head_id)),
            ..Selection::of(Node::Everything)
        };
        let head = store.find_one(HEADS, &selection).await.map_err(into_error)?;
        let head = head.and_then(|head| Link::read(head.as_bytes())).unwrap_or(START);
        if head != walk.last {
            walk.report.reason = Some("the last entries are missing, or the end of the chain was changed");
        }
    }
    Ok(walk.report)
}

struct Walk {
    last: Link,
    report: ChainReport,
}

impl Walk {
    /// Takes one entry; false at the first that does not fit.
    fn step(&mut self, raw: &[u8]) -> Result<bool> {
        let mut out = Writer::with_capacity(raw.len());
        copy(raw, &mut out)?;
        let expected = self.last.next(&out.finish()?);
        let chain = load::raw_field(raw, CHAIN)?
            .ok_or_else(|| Error::new(ErrorKind::Decode, "an audit entry without its link"))?;
        let found = Link::read(chain.bytes);
        self.report.reason = match found {
            Some(found) if found == expected => {
                self.last = found;
                self.report.entries += 1;
                return Ok(true);
            }
            Some(found) if found.number != expected.number => Some("entries before it are missing"),
            Some(_) => Some("the entry, or its link, was changed"),
            None => Some("the link is malformed"),
        };
        let id = load::raw_field(raw, "_id")?.and_then(|id| id.object_id().ok());
        self.report.broken = id.map(bson::oid::ObjectId::from_bytes);
        Ok(false)
    }
}
