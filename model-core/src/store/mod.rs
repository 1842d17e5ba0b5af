//! The port to a database: what the engine asks of a store. Two stores stand behind it.

#![cfg_attr(
    not(feature = "mongo"),
    allow(
        dead_code,
        reason = "the embedded store needs no hints, and is always reached"
    )
)]

pub(crate) mod memory;
#[cfg(feature = "mongo")]
pub(crate) mod mongo;

pub(crate) use self::memory::update::updated;

use std::borrow::Cow;

use async_trait::async_trait;
use bson::{Document, RawDocumentBuf};

use crate::error::{Error, ErrorKind};
use crate::query::{Branch, Grouping, Node, ReadOptions, SortKey};

/// A filter as the engine composes it: the tenant's equality stands alone at the top level, everything else below.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The stored tenant field and the tenant's BSON value, in a tenant model.
    pub(crate) tenant: Option<(&'static str, bson::Bson)>,
    /// The stored id field and the document's id, for an operation on one document.
    pub(crate) id: Option<(&'static str, bson::Bson)>,
    /// The revision that the document must have.
    pub(crate) revision: Guard,
    /// Everything else.
    pub(crate) rest: Node,
}

impl Selection {
    /// What `rest` selects, in a collection without tenants.
    pub(crate) fn of(rest: Node) -> Self {
        Self {
            tenant: None,
            id: None,
            revision: Guard::None,
            rest,
        }
    }
}

/// What a document's revision must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Any.
    None,
    /// The document has none: only other writers have written it.
    Unwritten,
    /// This one.
    Is(i64),
}

/// A read of many documents.
#[derive(Debug)]
pub(crate) struct Find {
    pub(crate) collection: &'static str,
    pub(crate) selection: Selection,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) skip: u64,
    pub(crate) limit: Option<u64>,
    /// How many documents the reader expects to need; a hint for the first batch.
    pub(crate) batch: Option<u32>,
    /// Whether the reader goes on to the end, so that a batch may be fetched before it is asked for.
    pub(crate) whole: bool,
    /// The stored names of the fields that are needed, `_id` aside: a store may send all; none are all.
    pub(crate) fields: Vec<&'static str>,
    pub(crate) shape: Shape,
    pub(crate) options: ReadOptions,
    /// Whether each document comes with its [`reserved::SCORE`](crate::schema::reserved::SCORE); of a `find` by words alone.
    pub(crate) scored: bool,
    /// What each document comes with; of a `find` alone.
    pub(crate) join: Option<Box<Join>>,
}

/// Documents of another collection: those that `find` finds among the ones whose `foreign` path has a value that the `local`
/// path has. Each document of the read has them in an array, as its field [`reserved::JOINED`](crate::schema::reserved::JOINED).
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) local: Cow<'static, str>,
    pub(crate) foreign: Cow<'static, str>,
    /// Its selection admits no document without a value at the foreign path.
    pub(crate) find: Find,
}

/// What of a selection is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) enum Shape {
    /// All of it.
    #[default]
    All,
    /// The first few for each of several values, in the order of the read: a store may send more.
    Each(FirstOfEach),
    /// What is reached from one document, in no order.
    Walk(Walk),
    /// What an index over vectors finds, the nearest first, each with its score; not every server has one.
    Vectors(VectorSearch),
}

/// A search in an index over vectors.
#[derive(Debug, Clone)]
pub(crate) struct VectorSearch {
    /// The index's name.
    pub(crate) index: String,
    /// The stored path of the vectors.
    pub(crate) path: String,
    pub(crate) vector: Vec<f32>,
    /// How many the index looks at, of which the selection then leaves some.
    pub(crate) candidates: u32,
}

/// The first documents for each value of a field.
#[derive(Debug, Clone)]
pub(crate) struct FirstOfEach {
    /// The stored path of the field.
    pub(crate) path: String,
    /// Whether an array lies there, whose elements are meant.
    pub(crate) array: bool,
    pub(crate) values: Vec<bson::Bson>,
    /// How many for each.
    pub(crate) count: u64,
}

/// A way through a collection: the documents that have the last document's `next` in their `matching`, and so on.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// The stored id field and the id of the document that it begins with: there is nothing to find if it is not there.
    pub(crate) from: (&'static str, bson::Bson),
    pub(crate) next: String,
    pub(crate) matching: String,
    /// How many steps; none: all.
    pub(crate) depth: Option<u32>,
}

impl Find {
    /// All documents of a selection, in no order.
    pub(crate) fn all(collection: &'static str, selection: Selection) -> Self {
        Self {
            collection,
            selection,
            sort: Vec::new(),
            skip: 0,
            limit: None,
            batch: None,
            whole: false,
            fields: Vec::new(),
            shape: Shape::All,
            options: ReadOptions::default(),
            scored: false,
            join: None,
        }
    }
}

/// A stored path, and the arrays on it whose elements are meant.
#[derive(Debug)]
pub(crate) struct Unwound {
    pub(crate) path: String,
    /// The paths of the arrays, the outermost first; an array of arrays stands there twice.
    pub(crate) arrays: Vec<String>,
}

/// A change of one document.
#[derive(Debug)]
pub(crate) struct UpdateOne {
    pub(crate) selection: Selection,
    /// Stored paths and values, as one raw document whose keys are dotted paths.
    pub(crate) set: RawDocumentBuf,
    /// Stored paths to remove.
    pub(crate) unset: Vec<String>,
}

/// How a collection lies on a cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sharding {
    /// There is no cluster.
    NoCluster,
    /// On one shard.
    Whole,
    /// On several, by this key.
    By(Document),
}

/// What a store can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Abilities {
    /// Several documents change together or not at all.
    pub(crate) transactions: bool,
    /// The data lives no longer than the handle: nobody but the handle can have made its indexes.
    pub(crate) ephemeral: bool,
}

impl Abilities {
    pub(crate) const fn new(transactions: bool) -> Self {
        Self {
            transactions,
            ephemeral: false,
        }
    }

    pub(crate) const fn ephemeral(mut self) -> Self {
        self.ephemeral = true;
        self
    }
}

/// How a store failed. Texts never carry a stored value.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// A unique index has the key already.
    Duplicate {
        /// The index's name.
        index: String,
    },
    /// One of several documents of a write failed.
    Statement {
        /// Which, counted from 0.
        position: usize,
        /// How.
        error: Box<StoreError>,
    },
    /// A transaction ran into another; the same work may be tried again.
    Transient,
    /// It is not known whether a commit took effect; committing again is safe.
    UnknownCommit,
    /// The store did not answer within its time-out.
    Unavailable {
        /// What was waited for.
        what: &'static str,
    },
    /// The store cannot do this.
    Unsupported {
        /// What it cannot do.
        what: &'static str,
    },
    /// A watch cannot go on where it was left: what happened since is not, or no longer, known.
    HistoryLost,
    /// The store refused with a code of its own.
    Refused {
        /// The server's error code; 0 where there is none.
        code: i32,
        /// The server's name for the code, or what failed.
        name: String,
    },
}

impl StoreError {
    /// The failure of one of `many` documents of a write.
    pub(crate) fn of_statement(self, position: usize, many: usize) -> Self {
        match self {
            // The whole transaction may be tried again, whichever document it was.
            Self::Transient => Self::Transient,
            error if many < 2 => error,
            error => Self::Statement {
                position,
                error: Box::new(error),
            },
        }
    }
}

/// The result of a store's operations.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// Documents on their way in, batch by batch.
#[async_trait]
pub(crate) trait Cursor: Send {
    /// Fetches the next batch; false at the end.
    async fn advance(&mut self) -> StoreResult<bool>;

    /// Hands each document of the current batch to `each`, which says whether to go on.
    ///
    /// # Errors
    /// What `each` returns comes back.
    fn each(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>) -> Result<bool, Error>;
}

/// What can be done inside and outside of a transaction.
#[async_trait]
pub(crate) trait Operations: Send + Sync {
    /// The one document of the selection.
    async fn find_one(
        &self,
        collection: &'static str,
        selection: &Selection,
    ) -> StoreResult<Option<RawDocumentBuf>>;

    /// Many documents.
    async fn find(&self, find: &Find) -> StoreResult<Box<dyn Cursor>>;

    /// How many documents; the limit stops the counting. Order and skip do not count.
    async fn count(&self, find: &Find) -> StoreResult<u64>;

    /// The values that a field has, each as a document with the value as its `_id`; a missing one is null. Values may come
    /// more than once. Order, skip and limit do not count.
    async fn distinct(&self, find: &Find, field: &Unwound) -> StoreResult<Box<dyn Cursor>>;

    /// The rows of the documents of a read put together.
    async fn group(&self, find: &Find, grouping: &Grouping) -> StoreResult<Box<dyn Cursor>>;

    /// Several branches over the documents of a read whose limit is not zero: one document, in which each branch has an array under
    /// its place, counted from 0.
    async fn facet(&self, find: &Find, branches: &[Branch]) -> StoreResult<Box<dyn Cursor>>;

    /// Inserts documents, in this order; the first that fails ends it.
    async fn insert(&self, collection: &'static str, documents: &[&[u8]]) -> StoreResult<()>;

    /// Changes documents, each statement the one that it selects; how many were selected.
    async fn update(&self, collection: &'static str, updates: &[&UpdateOne]) -> StoreResult<u64>;

    /// Deletes documents, each selection one; how many were selected.
    async fn delete(&self, collection: &'static str, selections: &[&Selection]) -> StoreResult<u64>;
}

/// Where a watch begins, and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct WatchFrom {
    pub(crate) collection: &'static str,
    /// The stored tenant field and the tenant: only documents that have it, before or after, are told of.
    pub(crate) tenant: Option<(&'static str, bson::Bson)>,
    /// What else such a document satisfies: a store may tell of others.
    pub(crate) rest: Node,
    /// By which sides of a change it is told: a store may tell of others.
    pub(crate) told: Told,
    /// The place to go on after, as [`Changes::place`] told it; none: from now on.
    pub(crate) after: Option<Vec<u8>>,
}

/// Which changes are told, by the sides that satisfy a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// Only what is after does.
    pub(crate) after: bool,
    /// Both do.
    pub(crate) both: bool,
    /// Only what was before does.
    pub(crate) before: bool,
}

impl Told {
    /// All that is of any concern.
    pub(crate) const ALL: Self = Self {
        after: true,
        both: true,
        before: true,
    };

    /// Whether a change is told of which these sides satisfy the filter.
    pub(crate) fn has(self, before: bool, after: bool) -> bool {
        match (before, after) {
            (true, true) => self.both,
            (true, false) => self.before,
            (false, true) => self.after,
            (false, false) => false,
        }
    }
}

/// What a document was, and what it became: one of them at least.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoredChange {
    pub(crate) before: Option<RawDocumentBuf>,
    pub(crate) after: Option<RawDocumentBuf>,
}

/// Changes as they happen.
#[async_trait]
pub(crate) trait Changes: Send {
    /// Waits for the next change: none if there was none for a while.
    ///
    /// # Errors
    /// The last that there is: what comes after it is found by watching anew.
    async fn next(&mut self) -> StoreResult<Option<StoredChange>>;

    /// The place after the change handed out last, or further on where nothing came since.
    fn place(&self) -> Option<Vec<u8>>;
}

/// Work that takes effect as a whole, or not at all. Dropped without a commit, it is undone.
#[async_trait]
pub(crate) trait Transaction: Operations {
    /// Makes it take effect.
    async fn commit(&self) -> StoreResult<()>;

    /// Undoes it.
    async fn abort(&self);
}

/// An operation that looked at every document of a collection.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) collection: String,
    pub(crate) verb: String,
    /// The fields that its filter names.
    pub(crate) paths: Vec<String>,
}

/// A database.
#[async_trait]
pub(crate) trait Store: Operations {
    /// Where the documents are, for messages: `memory`, `mongodb`.
    fn name(&self) -> &'static str;

    /// What it can do; asked once, by `build()`.
    async fn abilities(&self) -> StoreResult<Abilities>;

    /// Begins a transaction.
    async fn begin(&self) -> StoreResult<Box<dyn Transaction>>;

    /// The indexes of a collection as the server describes them; none if there is no such collection.
    async fn list_indexes(&self, collection: &str) -> StoreResult<Vec<Document>>;

    /// Creates an index from its description (`key`, `name` and options).
    async fn create_index(&self, collection: &str, index: &Document) -> StoreResult<()>;

    /// Changes the time to live of an index in place.
    async fn set_index_ttl(&self, collection: &str, name: &str, seconds: i64) -> StoreResult<()>;

    /// Drops an index.
    async fn drop_index(&self, collection: &str, name: &str) -> StoreResult<()>;

    /// Whether it can hold an index of this form at all.
    fn knows_index(&self, index: &Document) -> bool;

    /// Keeps queries from an index, or lets them use it again.
    async fn set_index_hidden(&self, collection: &str, name: &str, hidden: bool) -> StoreResult<()>;

    /// Documents that have one key in an index which is to be unique: two ids of each such group, of `limit` groups.
    async fn duplicates(
        &self,
        collection: &str,
        index: &Document,
        limit: u32,
    ) -> StoreResult<Vec<[bson::Bson; 2]>>;

    /// Gives a collection another name; false if there is none of the old name.
    async fn rename(&self, from: &str, to: &str) -> StoreResult<bool>;

    /// One of the crate's own records.
    async fn record(&self, collection: &str, id: &str) -> StoreResult<Option<Document>>;

    /// Stores one of the crate's own records, in place of the one with its `_id`.
    async fn put_record(&self, collection: &str, record: &Document) -> StoreResult<()>;

    /// The options `validator`, `validationLevel` and `validationAction` of a collection; none if there is no such
    /// collection.
    async fn validator(&self, collection: &str) -> StoreResult<Option<Document>>;

    /// The options of a collection as the server lists them; none if there is no such collection.
    async fn collection_options(&self, collection: &str) -> StoreResult<Option<Document>>;

    /// Makes a collection with these options: a time series or a capped one.
    async fn create_collection(&self, collection: &str, options: &Document) -> StoreResult<()>;

    /// Changes options of a time series or a capped collection in place, as `collMod` takes them.
    async fn change_collection(&self, collection: &str, changes: &Document) -> StoreResult<()>;

    /// Deletes all measurements of a time series that have this value at the path, which lies in its `metaField`.
    async fn delete_measurements(&self, collection: &str, path: &str, value: &bson::Bson) -> StoreResult<()>;

    /// Whether what was before each change of the collection's documents is kept.
    async fn images(&self, collection: &str) -> StoreResult<bool>;

    /// Keeps it from now on, or no more; makes the collection if there is none.
    async fn keep_images(&self, collection: &str, keep: bool) -> StoreResult<()>;

    /// How the collection lies on the cluster, if there is one.
    async fn sharding(&self, _collection: &str) -> StoreResult<Sharding> {
        Ok(Sharding::NoCluster)
    }

    /// Spreads a collection over the shards of the cluster.
    async fn shard(&self, _collection: &str, _key: &Document) -> StoreResult<()> {
        Err(StoreError::Unsupported {
            what: "there is no cluster",
        })
    }

    /// Opens what happens to the documents of a collection whose images are kept.
    async fn watch(&self, from: &WatchFrom) -> StoreResult<Box<dyn Changes>>;

    /// Begins to note the operations that look at every document of a collection.
    #[cfg(feature = "testing")]
    async fn watch_scans(&self) -> StoreResult<()> {
        Err(StoreError::Unsupported { what: "a query plan" })
    }

    /// Ends it, and tells which there were.
    #[cfg(feature = "testing")]
    async fn take_scans(&self) -> StoreResult<Vec<Scan>> {
        Ok(Vec::new())
    }

    /// Sets these options, and makes the collection if there is none.
    async fn set_validator(&self, collection: &str, options: &Document) -> StoreResult<()>;
}

/// A store's failure as the crate's error.
pub(crate) fn into_error(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate { index } => Error::new(ErrorKind::Duplicate, "").at_index(index),
        StoreError::Statement { position, error } => into_error(*error).at_position(position),
        StoreError::Transient => Error::new(
            ErrorKind::Store,
            "the transaction ran into another, several times over",
        )
        .retryable(),
        StoreError::UnknownCommit => Error::new(
            ErrorKind::Unavailable,
            "it is not known whether the transaction took effect",
        ),
        StoreError::Unavailable { what } => {
            Error::new(ErrorKind::Unavailable, format!("no answer from {what}")).retryable()
        }
        StoreError::Unsupported { what } => Error::new(ErrorKind::Unsupported, what),
        StoreError::HistoryLost => Error::new(
            ErrorKind::HistoryLost,
            "the server no longer knows what happened since: read what is stored now, and watch anew",
        ),
        StoreError::Refused { code, name } => Error::new(
            ErrorKind::Store,
            format!("the store refused with {name} ({code})"),
        ),
    }
}
