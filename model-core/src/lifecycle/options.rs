//! What a sync may do, what it tells, what it has done.

use super::plan::{IndexOrigin, IndexStep};

/// What [`Db::sync_indexes`](crate::Db::sync_indexes) may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SyncOptions {
    drop_extra: bool,
    drop_foreign: bool,
    hide_first: bool,
}

impl SyncOptions {
    /// Creates indexes, changes in place what can be, and drops what a declared index `replaces`, nothing else.
    pub const fn new() -> Self {
        Self {
            drop_extra: false,
            drop_foreign: false,
            hide_first: false,
        }
    }

    /// Whether indexes are dropped that an earlier sync has made, and that are no longer declared or whose declaration
    /// has changed. The index over `_id` never is.
    #[must_use]
    pub const fn drop_extra(mut self, drop: bool) -> Self {
        self.drop_extra = drop;
        self
    }

    /// Whether indexes that others have made, and that are not declared, are dropped too.
    #[must_use]
    pub const fn drop_foreign(mut self, drop: bool) -> Self {
        self.drop_foreign = drop;
        self
    }

    /// Whether an index that is to be dropped is hidden at first, and dropped by a later sync: no query uses a hidden
    /// index, and it comes back in no time if one turns out to need it.
    #[must_use]
    pub const fn hide_first(mut self, hide: bool) -> Self {
        self.hide_first = hide;
        self
    }

    pub(super) const fn hides_first(self) -> bool {
        self.hide_first
    }

    pub(super) const fn drops(self, origin: IndexOrigin) -> bool {
        match origin {
            IndexOrigin::Ours => self.drop_extra,
            IndexOrigin::Superseded => true,
            IndexOrigin::Foreign => self.drop_foreign,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// The steps that were carried out.
    pub done: Vec<IndexStep>,
    /// The steps whose index was hidden, to be dropped by a later sync.
    pub hidden: Vec<IndexStep>,
    /// The steps that were not, since they drop an index and dropping was not asked for.
    pub left: Vec<IndexStep>,
}

/// What a sync tells while it is at work.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SyncEvent<'a> {
    /// A step begins.
    Begun {
        /// Which.
        step: &'a IndexStep,
        /// Its number, from 1.
        number: usize,
        /// The number of steps in the plan; those that drop an index may be left out.
        of: usize,
    },
    /// A step was carried out.
    Done {
        /// Which.
        step: &'a IndexStep,
    },
    /// A step failed; the error comes when all is done.
    Failed {
        /// Which.
        step: &'a IndexStep,
    },
}
