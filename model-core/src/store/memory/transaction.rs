//! Transactions: snapshot isolation, and the first to commit wins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bson::RawDocumentBuf;
use futures_util::future::BoxFuture;

use super::collection::{Collection, Collections, Stored, to_store};
use super::group;
use super::{Shared, in_order, lock, read, refused, suspend, update};
use crate::query::{Branch, Grouping};
use crate::store::{
    Cursor, Find, Operations, Selection, StoreError, StoreFuture, StoreResult, Transaction, Unwound,
    UpdateOne,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Committed,
    Aborted,
}

/// What a transaction has seen and done.
struct Work {
    /// The snapshot.
    base: Collections,
    /// The snapshot, and the transaction's own writes.
    own: Collections,
    /// The slots written, by collection.
    written: BTreeMap<&'static str, BTreeSet<u64>>,
    stage: Stage,
}

/// A transaction of the embedded store. As on the server, a write that fails ends it.
pub(super) struct MemoryTransaction {
    shared: Shared,
    work: Mutex<Work>,
}

impl MemoryTransaction {
    pub(super) fn begin(shared: Shared) -> Box<dyn Transaction> {
        let base = lock(&shared).clone();
        let own = base.clone();
        Box::new(Self {
            shared,
            work: Mutex::new(Work {
                base,
                own,
                written: BTreeMap::new(),
                stage: Stage::Open,
            }),
        })
    }

    fn snapshot(&self, collection: &str) -> StoreResult<Option<Arc<Collection>>> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.check_open()?;
        Ok(work.own.get(collection).cloned())
    }

    fn write<T>(&self, write: impl FnOnce(&mut Work, &Shared) -> StoreResult<T>) -> StoreResult<T> {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.check_open()?;
        let result = write(&mut work, &self.shared);
        if result.is_err() {
            work.stage = Stage::Aborted;
        }
        result
    }
}

impl Work {
    fn check_open(&self) -> StoreResult<()> {
        if self.stage == Stage::Open {
            Ok(())
        } else {
            Err(refused(251, "NoSuchTransaction"))
        }
    }

    /// Whether somebody else has changed the document since the snapshot.
    fn is_changed(&self, now: &Collections, collection: &str, slot: u64) -> bool {
        let at = |all: &Collections| all.get(collection).and_then(|found| found.get(slot).cloned());
        let in_snapshot = self
            .base
            .get(collection)
            .is_some_and(|base| slot < base.next_slot());
        in_snapshot
            && match (at(&self.base), at(now)) {
                (Some(before), Some(now)) => !Arc::ptr_eq(&before, &now),
                (before, now) => before.is_some() || now.is_some(),
            }
    }

    /// Puts a document into a slot of the transaction's own view.
    fn put(
        &mut self,
        shared: &Shared,
        collection: &'static str,
        slot: u64,
        stored: Stored,
    ) -> StoreResult<()> {
        let own = self.own.get_mut(collection);
        if let Some(clash) = own.clash(slot, &stored)? {
            // The key is taken in the snapshot; if its holder has changed since, the next attempt may fare better.
            let stale = self.is_changed(&lock(shared), collection, clash.holder);
            return Err(if stale {
                StoreError::Transient
            } else {
                StoreError::Duplicate { index: clash.index }
            });
        }
        own.put(slot, stored)?;
        self.written.entry(collection).or_default().insert(slot);
        Ok(())
    }

    /// The selected document, if nobody else has changed it since the snapshot.
    fn select(
        &self,
        shared: &Shared,
        collection: &'static str,
        selection: &Selection,
    ) -> StoreResult<Option<(u64, Stored)>> {
        let found = self
            .own
            .get(collection)
            .and_then(|own| read::first(own, selection));
        match found {
            Some((slot, _)) if self.is_changed(&lock(shared), collection, slot) => Err(StoreError::Transient),
            found => Ok(found),
        }
    }

    /// The collections after this transaction, if it does not collide with what has happened since its snapshot.
    fn apply_to(&self, now: &Collections) -> StoreResult<Collections> {
        let mut after = now.clone();
        for (name, slots) in &self.written {
            if slots.iter().any(|slot| self.is_changed(now, name, *slot)) {
                return Err(StoreError::Transient);
            }
            let Some(own) = self.own.get(name) else { continue };
            let first_new = self.base.get(name).map_or(0, |base| base.next_slot());
            let target = after.get_mut(name);
            // All old keys go before new ones come: a key may have moved from one document to another.
            let mut lifted = BTreeMap::new();
            for slot in slots.range(..first_new) {
                lifted.insert(*slot, target.lift(*slot));
            }
            for slot in slots {
                let before = lifted.remove(slot).flatten();
                let Some(stored) = own.get(*slot) else {
                    // What was made and deleted inside of the transaction has never been there.
                    if before.is_some() {
                        target.note(before, None);
                    }
                    continue;
                };
                let slot = if *slot < first_new {
                    *slot
                } else {
                    target.next_slot()
                };
                target.place(slot, stored.clone()).map_err(|error| match error {
                    // The transaction's own view had no such key: it came with another's commit.
                    StoreError::Duplicate { .. } => StoreError::Transient,
                    error => error,
                })?;
                target.note(before, Some(stored.clone()));
            }
        }
        Ok(after)
    }
}

impl Operations for MemoryTransaction {
    fn find_one<'a>(
        &'a self,
        collection: &'static str,
        selection: &'a Selection,
    ) -> StoreFuture<'a, Option<RawDocumentBuf>> {
        Box::pin(async move {
            let own = self.snapshot(collection)?;
            Ok(own
                .and_then(|own| read::first(&own, selection))
                .map(|(_, stored)| (*stored).clone()))
        })
    }

    fn find<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move {
            let joined = find.join.as_ref();
            let joined = joined
                .map(|join| self.snapshot(join.find.collection))
                .transpose()?;
            read::find(self.snapshot(find.collection)?.as_ref(), find, joined.flatten())
        })
    }

    fn count<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, u64> {
        Box::pin(async move { read::count(self.snapshot(find.collection)?.as_ref(), find) })
    }

    fn distinct<'a>(&'a self, find: &'a Find, field: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { read::distinct(self.snapshot(find.collection)?.as_ref(), find, field) })
    }

    fn group<'a>(&'a self, find: &'a Find, grouping: &'a Grouping) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { group::group(self.snapshot(find.collection)?.as_ref(), find, grouping) })
    }

    fn facet<'a>(&'a self, find: &'a Find, branches: &'a [Branch]) -> StoreFuture<'a, Box<dyn Cursor>> {
        Box::pin(async move { group::facet(self.snapshot(find.collection)?.as_ref(), find, branches) })
    }

    fn insert<'a>(&'a self, collection: &'static str, documents: &'a [&'a [u8]]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            suspend().await;
            self.write(|work, shared| {
                in_order(documents, |document| {
                    let stored = to_store(document)?;
                    let slot = work.own.get_mut(collection).next_slot();
                    work.put(shared, collection, slot, stored).map(|()| true)
                })
                .map(|_| ())
            })
        })
    }

    fn update<'a>(&'a self, collection: &'static str, updates: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            suspend().await;
            self.write(|work, shared| {
                in_order(updates, |update| {
                    let Some((slot, stored)) = work.select(shared, collection, &update.selection)? else {
                        return Ok(false);
                    };
                    let stored = update::updated(&stored, &update.set, &update.unset)?;
                    work.put(shared, collection, slot, Arc::new(stored))
                        .map(|()| true)
                })
            })
        })
    }

    fn delete<'a>(
        &'a self,
        collection: &'static str,
        selections: &'a [&'a Selection],
    ) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            suspend().await;
            self.write(|work, shared| {
                in_order(selections, |selection| {
                    let Some((slot, _)) = work.select(shared, collection, selection)? else {
                        return Ok(false);
                    };
                    work.own.get_mut(collection).take(slot);
                    work.written.entry(collection).or_default().insert(slot);
                    Ok(true)
                })
            })
        })
    }
}

impl Transaction for MemoryTransaction {
    fn commit(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            suspend().await;
            let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            if work.stage == Stage::Committed {
                return Ok(());
            }
            work.check_open()?;
            let mut now = lock(&self.shared);
            let after = work.apply_to(&now);
            work.stage = if after.is_ok() {
                Stage::Committed
            } else {
                Stage::Aborted
            };
            *now = after?;
            Ok(())
        })
    }

    fn abort(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            if work.stage == Stage::Open {
                work.stage = Stage::Aborted;
            }
        })
    }
}
