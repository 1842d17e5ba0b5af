//! How a read is carried out: what does not change which documents it is about.

use std::time::Duration;

use super::sort::SortKey;

/// Which members of a replica set a read may go to. The embedded store has one copy, and a transaction reads from the
/// primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadPreference {
    /// The primary only.
    Primary,
    /// The primary, or a secondary while there is none.
    PrimaryPreferred,
    /// A secondary only: what it has may be older.
    Secondary,
    /// A secondary, or the primary while there is none.
    SecondaryPreferred,
    /// Whichever answers fastest.
    Nearest,
}

/// How durable and how current what a read sees must be. The embedded store has one copy, and a transaction a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadConcern {
    /// What the member has.
    Local,
    /// What the member has, orphaned documents of a sharded cluster included.
    Available,
    /// What a majority of the members has acknowledged.
    Majority,
    /// What was acknowledged by a majority before the read began; for one document, from the primary.
    Linearizable,
    /// One point in time for all of the read.
    Snapshot,
}

/// How strings compare and sort, by the rules of a language.
///
/// It would apply to the tenant's condition and to `read_scope` too, so it is refused where the tenant is a string, and
/// where the scope alone decides. The embedded store has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collation {
    pub(crate) locale: String,
    pub(crate) strength: Option<u8>,
    pub(crate) numeric: bool,
}

impl Collation {
    /// The rules of a language, named as ICU does: `en`, `de`, `fr_CA`.
    pub fn new(locale: impl Into<String>) -> Self {
        Self {
            locale: locale.into(),
            strength: None,
            numeric: false,
        }
    }

    /// What counts: 1 base letters, 2 accents too, 3 case too (the server's default), up to 5.
    pub fn strength(mut self, strength: u8) -> Self {
        self.strength = Some(strength);
        self
    }

    /// Digits count as numbers: `n10` after `n9`.
    pub fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }
}

/// How a read is carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadOptions {
    pub(crate) preference: Option<ReadPreference>,
    pub(crate) concern: Option<ReadConcern>,
    /// The keys of an index, with the tenant.
    pub(crate) hint: Option<Vec<SortKey>>,
    pub(crate) max_time: Option<Duration>,
    pub(crate) comment: Option<String>,
    pub(crate) collation: Option<Collation>,
}
