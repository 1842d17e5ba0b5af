//! A bounded cache with a time to live, least recently used out first.

use core::borrow::Borrow;
use core::hash::Hash;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Reads take a shared lock and no more; values are cheap to clone.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    inner: RwLock<Inner<K, V>>,
    clock: AtomicU64,
    capacity: usize,
    ttl: Duration,
    grace: Duration,
}

#[derive(Debug)]
struct Inner<K, V> {
    entries: HashMap<K, Entry<V>>,
    purged: Instant,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    stored: Instant,
    used: AtomicU64,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// For `grace` after `ttl` an entry is kept, but only [`Cache::get_stale`] sees it.
    pub(crate) fn new(capacity: usize, ttl: Duration, grace: Duration) -> Self {
        let inner = Inner {
            entries: HashMap::new(),
            purged: Instant::now(),
        };
        Self {
            inner: RwLock::new(inner),
            clock: AtomicU64::new(0),
            capacity: capacity.max(1),
            ttl,
            grace,
        }
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get_within(key, self.ttl)
    }

    /// Also an entry that has expired, while its grace lasts.
    pub(crate) fn get_stale<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get_within(key, self.ttl.saturating_add(self.grace))
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        let now = Instant::now();
        let entry = Entry {
            value,
            stored: now,
            used: AtomicU64::new(self.tick()),
        };
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let full = inner.entries.len() >= self.capacity && !inner.entries.contains_key(&key);
        if full || now.duration_since(inner.purged) >= self.ttl {
            inner.purge(now, self.ttl.saturating_add(self.grace));
        }
        if full && inner.entries.len() >= self.capacity {
            inner.evict();
        }
        inner.entries.insert(key, entry);
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.inner
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entries
            .remove(key);
    }

    /// Drops the entries whose value does not pass.
    pub(crate) fn retain(&self, keep: impl Fn(&V) -> bool) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.entries.retain(|_, entry| keep(&entry.value));
    }

    fn get_within<Q: Hash + Eq + ?Sized>(&self, key: &Q, age: Duration) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let entry = inner
            .entries
            .get(key)
            .filter(|entry| entry.stored.elapsed() < age)?;
        entry.used.store(self.tick(), Ordering::Relaxed);
        Some(entry.value.clone())
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

impl<K: Hash + Eq, V> Inner<K, V> {
    fn purge(&mut self, now: Instant, age: Duration) {
        self.entries
            .retain(|_, entry| now.duration_since(entry.stored) < age);
        self.purged = now;
    }

    /// Drops the least recently used sixteenth: a scan per eviction of one would make a full cache quadratic.
    fn evict(&mut self) {
        let mut used: Vec<u64> = self
            .entries
            .values()
            .map(|entry| entry.used.load(Ordering::Relaxed))
            .collect();
        let rank = used.len() / 16;
        if rank < used.len() {
            let (_, threshold, _) = used.select_nth_unstable(rank);
            let threshold = *threshold;
            self.entries
                .retain(|_, entry| entry.used.load(Ordering::Relaxed) > threshold);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn bounded_and_least_recently_used_goes_first() {
        let cache = Cache::new(32, HOUR, Duration::ZERO);
        for key in 0..32 {
            cache.insert(key, key);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.insert(32, 32);
        assert_eq!(cache.get(&0), Some(0));
        assert_eq!(cache.get(&1), None);
        for key in 0..10_000 {
            cache.insert(key, key);
            assert!(cache.inner.read().unwrap().entries.len() <= 32);
        }
    }

    #[test]
    fn expired_entries_are_stale_then_gone() {
        let cache = Cache::new(4, Duration::ZERO, HOUR);
        cache.insert("a", 1);
        assert_eq!(cache.get("a"), None);
        assert_eq!(cache.get_stale("a"), Some(1));
        let cache = Cache::new(4, Duration::ZERO, Duration::ZERO);
        cache.insert("a", 1);
        cache.insert("b", 2);
        assert_eq!(cache.get_stale("a"), None);
        assert_eq!(cache.inner.read().unwrap().entries.len(), 1);
    }
}
