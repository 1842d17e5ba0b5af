//! Index declarations.

/// The direction of an index key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// `1`
    Ascending,
    /// `-1`
    Descending,
}

/// One key of an index: a stored path and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexKey {
    /// The stored path, dotted.
    pub path: &'static str,
    /// Its direction.
    pub direction: Direction,
}

impl IndexKey {
    /// An ascending key.
    pub const fn ascending(path: &'static str) -> Self {
        Self {
            path,
            direction: Direction::Ascending,
        }
    }

    /// A descending key.
    pub const fn descending(path: &'static str) -> Self {
        Self {
            path,
            direction: Direction::Descending,
        }
    }
}

/// Whether the tenant goes first in an index of a tenant model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TenantPrefix {
    /// The tenant is the first key (the default).
    First,
    /// The index spans all tenants.
    Global,
}

/// One declared index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexSpec {
    /// The keys as declared, without the tenant.
    pub keys: &'static [IndexKey],
    /// A name of the user's own.
    pub name: Option<&'static str>,
    /// No two documents have the same key.
    pub unique: bool,
    /// Seconds after the date in its only key at which the server deletes a document.
    pub expire_after_seconds: Option<u64>,
    /// Only documents in which all of these stored fields exist are indexed.
    pub exists: &'static [&'static str],
    /// Whether the tenant goes first.
    pub tenant: TenantPrefix,
}

impl IndexSpec {
    /// An index over `keys`.
    pub const fn new(keys: &'static [IndexKey]) -> Self {
        Self {
            keys,
            name: None,
            unique: false,
            expire_after_seconds: None,
            exists: &[],
            tenant: TenantPrefix::First,
        }
    }

    /// Sets a name of the user's own.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Makes the index unique.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Makes the server delete documents that many seconds after the date in the key.
    pub const fn expire_after_seconds(mut self, seconds: u64) -> Self {
        self.expire_after_seconds = Some(seconds);
        self
    }

    /// Indexes only documents in which these stored fields exist.
    pub const fn exists(mut self, fields: &'static [&'static str]) -> Self {
        self.exists = fields;
        self
    }

    /// Lets the index span all tenants.
    pub const fn global(mut self) -> Self {
        self.tenant = TenantPrefix::Global;
        self
    }
}
