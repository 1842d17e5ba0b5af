//! For the tests of a service: a clock that stands still, keys that need no set-up, a sink that collects, and the raw
//! documents behind a handle.

mod coverage;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bson::{Document, RawDocumentBuf};
use chrono::{DateTime, TimeDelta, Utc};

pub use self::coverage::IndexCoverage;
use crate::audit::{AuditEntry, AuditSink};
use crate::crypto::{HashPolicy, Keyring, Limits, LocalKek};
use crate::db::{Db, DbBuilder};
use crate::engine::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Node;
use crate::store::{Find, Guard, Selection, into_error};

/// A clock that stands still until it is moved. Clones share one time.
///
/// ```
/// use model_core::Clock;
/// use model_core::testing::FixedClock;
/// let clock = FixedClock::at("2026-01-31T12:00:00Z");
/// let start = clock.now();
/// clock.advance(chrono::TimeDelta::seconds(5));
/// assert_eq!(clock.now() - start, chrono::TimeDelta::seconds(5));
/// ```
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl FixedClock {
    /// A clock at an instant of RFC 3339; at the Unix epoch if the text is none.
    pub fn at(instant: &str) -> Self {
        let instant =
            DateTime::parse_from_rfc3339(instant).map_or(DateTime::UNIX_EPOCH, |date| date.to_utc());
        Self(Arc::new(Mutex::new(instant)))
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects audit entries in memory. Clones share one collection.
#[derive(Debug, Clone, Default)]
pub struct CollectingSink(Arc<Mutex<Vec<AuditEntry>>>);

impl CollectingSink {
    /// A sink without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the entries that were collected since the last call.
    pub fn take(&self) -> Vec<AuditEntry> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl AuditSink for CollectingSink {
    async fn record(&self, entry: &AuditEntry) -> Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry.clone());
        Ok(())
    }
}

/// A keyring whose key-encryption key is always the same, and known to everybody: for tests only.
///
/// # Errors
/// None in practice; the signature is that of the real thing.
pub fn keyring() -> Result<Keyring> {
    // The digits of pi: known to everybody, and no pattern that the check for weak keys refuses.
    const KEY: [u8; 32] = [
        0x24, 0x3f, 0x6a, 0x88, 0x85, 0xa3, 0x08, 0xd3, 0x13, 0x19, 0x8a, 0x2e, 0x03, 0x70, 0x73, 0x44, 0xa4,
        0x09, 0x38, 0x22, 0x29, 0x9f, 0x31, 0xd0, 0x08, 0x2e, 0xfa, 0x98, 0xec, 0x4e, 0x6c, 0x89,
    ];
    Ok(Keyring::builder()
        .realm("test")
        .wrapper(LocalKek::new(&KEY)?)
        .build()?)
}

/// The cheapest password hashing that the policy allows: a test that hashes is not to take a second.
pub fn fast_passwords() -> (HashPolicy, Limits) {
    let policy = HashPolicy {
        memory_kib: 64,
        passes: 1,
        ..HashPolicy::default()
    };
    let limits = Limits::for_policy(&policy);
    (policy, limits)
}

/// The builder of another handle over the database of `db`, the embedded one too: what another process would have.
pub fn another_process(db: &Db) -> DbBuilder {
    db.sibling()
}

/// The raw documents of a collection, in the order of their ids: what a backup or another client sees.
///
/// # Errors
/// Those of the store.
pub async fn stored(db: &Db, collection: &'static str) -> Result<Vec<Document>> {
    let selection = Selection {
        tenant: None,
        id: None,
        revision: Guard::None,
        rest: Node::Everything,
    };
    let sort = vec![crate::query::SortKey {
        path: "_id".into(),
        direction: crate::schema::Direction::Ascending,
        outside: false,
    }];
    let find = Find {
        sort,
        ..Find::all(collection, selection)
    };
    let mut cursor = db.ports().store.find(&find).await.map_err(into_error)?;
    let mut documents = Vec::new();
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            documents.push(
                Document::from_reader(raw).map_err(|_| Error::new(ErrorKind::Decode, "malformed BSON"))?,
            );
            Ok(true)
        })?;
    }
    Ok(documents)
}

/// Stores a raw document, as another client would.
///
/// # Errors
/// `Duplicate`, and those of the store.
pub async fn store_raw(db: &Db, collection: &'static str, document: &Document) -> Result<()> {
    let raw = RawDocumentBuf::try_from(document)
        .map_err(|_| Error::new(ErrorKind::Invalid, "the document cannot be stored"))?;
    db.ports()
        .store
        .insert(collection, &[raw.as_bytes()])
        .await
        .map_err(into_error)
}
