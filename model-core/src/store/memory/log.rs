//! The last changes of a collection's documents, and those who wait for the next one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::collection::{Collection, Stored};
use super::tree::Tree;
use super::{Shared, lock};
use crate::query::{Node, Test, matches};
use crate::schema::IdKind;
use crate::store::{Changes, StoreError, StoreFuture, StoreResult, StoredChange, WatchFrom};
use crate::value::IdValue;

/// How many changes are remembered.
const MOST: u64 = 4_096;

/// How long a watch waits before it says that nothing came: as long as the server does.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Entry {
    before: Option<Stored>,
    after: Option<Stored>,
}

/// What has happened, the oldest of it forgotten. It is part of the collection, so that a snapshot holds its own, and a
/// transaction that comes to nothing leaves no trace.
#[derive(Clone)]
pub(super) struct Log {
    /// Which log it is: a place in another says nothing about this one.
    name: Arc<str>,
    entries: Tree<u64, Entry>,
    /// The number of the next entry.
    next: u64,
    bell: Arc<Notify>,
}

impl Log {
    pub(super) fn new() -> Self {
        #[allow(clippy::disallowed_methods)] // a name that no other log has
        let name = IdValue::generate(IdKind::ObjectId).to_string();
        Self {
            name: name.into(),
            entries: Tree::default(),
            next: 0,
            bell: Arc::default(),
        }
    }

    pub(super) fn note(&mut self, before: Option<Stored>, after: Option<Stored>) {
        self.entries.insert(self.next, Entry { before, after });
        self.next += 1;
        if let Some(forgotten) = self.next.checked_sub(MOST + 1) {
            self.entries.remove(&forgotten);
        }
        // Who wakes up waits for the lock that this write holds.
        self.bell.notify_waiters();
    }

    /// The number of the oldest entry that is still there.
    fn first(&self) -> u64 {
        self.next.saturating_sub(MOST)
    }
}

/// A watch over one collection.
pub(super) struct Watching {
    shared: Shared,
    collection: &'static str,
    tenant: Option<Node>,
    log: Arc<str>,
    bell: Arc<Notify>,
    /// The number of the entry to look at next.
    next: u64,
}

impl Watching {
    pub(super) fn open(shared: Shared, from: &WatchFrom) -> StoreResult<Box<dyn Changes>> {
        let snapshot = lock(&shared).get(from.collection).cloned();
        let log = snapshot.as_ref().and_then(|snapshot| snapshot.log());
        let log = log.ok_or(StoreError::HistoryLost)?;
        let next = match &from.after {
            None => log.next,
            Some(place) => parse(place, &log.name).ok_or(StoreError::HistoryLost)?,
        };
        if next < log.first() || next > log.next {
            return Err(StoreError::HistoryLost);
        }
        let tenant = from.tenant.clone();
        Ok(Box::new(Self {
            collection: from.collection,
            tenant: tenant.map(|(field, tenant)| Node::field(field, Test::Eq(tenant))),
            log: Arc::clone(&log.name),
            bell: Arc::clone(&log.bell),
            next,
            shared,
        }))
    }

    fn snapshot(&self) -> Option<Arc<Collection>> {
        lock(&self.shared).get(self.collection).cloned()
    }

    /// The next change that is there already.
    fn take(&mut self) -> StoreResult<Option<StoredChange>> {
        let snapshot = self.snapshot();
        let log = snapshot.as_ref().and_then(|snapshot| snapshot.log());
        let log = log
            .filter(|log| log.name == self.log && self.next >= log.first())
            .ok_or(StoreError::HistoryLost)?;
        while self.next < log.next {
            let entry = log.entries.get(&self.next);
            self.next += 1;
            if let Some(entry) = entry.filter(|entry| self.is_about(entry)) {
                let owned = |side: &Option<Stored>| side.as_ref().map(|stored| (**stored).clone());
                return Ok(Some(StoredChange {
                    before: owned(&entry.before),
                    after: owned(&entry.after),
                }));
            }
        }
        Ok(None)
    }

    fn is_about(&self, entry: &Entry) -> bool {
        let Some(tenant) = &self.tenant else { return true };
        let mut sides = [&entry.before, &entry.after].into_iter().flatten();
        sides.any(|stored| matches(tenant, stored))
    }
}

impl Changes for Watching {
    fn next(&mut self) -> StoreFuture<'_, Option<StoredChange>> {
        Box::pin(async move {
            let bell = Arc::clone(&self.bell);
            let end = tokio::time::Instant::now() + PATIENCE;
            loop {
                let mut rung = std::pin::pin!(bell.notified());
                // From here on no ring is missed.
                rung.as_mut().enable();
                if let Some(change) = self.take()? {
                    return Ok(Some(change));
                }
                if tokio::time::timeout_at(end, rung).await.is_err() {
                    return Ok(None);
                }
            }
        })
    }

    fn place(&self) -> Option<Vec<u8>> {
        Some(format!("{}:{}", self.log, self.next).into_bytes())
    }
}

/// The number of the entry to go on with, if the place lies in that log.
fn parse(place: &[u8], log: &str) -> Option<u64> {
    let (name, number) = std::str::from_utf8(place).ok()?.split_once(':')?;
    if name == log { number.parse().ok() } else { None }
}
