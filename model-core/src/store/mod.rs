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

use bson::{Document, RawDocumentBuf};
use futures_util::future::BoxFuture;

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

/// What a store's operations give. The traits name it themselves, where `async_trait` would bound the lifetimes of each method: under
/// bounds the compiler asks of all the driver's types anew whether they are `Send`, near a third of this crate's check.
pub(crate) type StoreFuture<'a, T> = BoxFuture<'a, StoreResult<T>>;

/// Documents on their way in, batch by batch.
pub(crate) trait Cursor: Send {
    /// Fetches the next batch; false at the end.
    fn advance(&mut self) -> StoreFuture<'_, bool>;

    /// Hands each document of the current batch to `each`, which says whether to go on.
    ///
    /// # Errors
    /// What `each` returns comes back.
    fn each(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>) -> Result<bool, Error>;
}

/// What can be done inside and outside of a transaction.
pub(crate) trait Operations: Send + Sync {
    /// The one document of the selection.
    fn find_one<'a>(
        &'a self,
        collection: &'static str,
        selection: &'a Selection,
    ) -> StoreFuture<'a, Option<RawDocumentBuf>>;

    /// Many documents.
    fn find<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>>;

    /// How many documents; the limit stops the counting. Order and skip do not count.
    fn count<'a>(&'a self, find: &'a Find) -> StoreFuture<'a, u64>;

    /// The values that a field has, each as a document with the value as its `_id`; a missing one is null. Values may come
    /// more than once. Order, skip and limit do not count.
    fn distinct<'a>(&'a self, find: &'a Find, field: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>>;

    /// The rows of the documents of a read put together.
    fn group<'a>(&'a self, find: &'a Find, grouping: &'a Grouping) -> StoreFuture<'a, Box<dyn Cursor>>;

    /// Several branches over the documents of a read whose limit is not zero: one document, in which each branch has an array under
    /// its place, counted from 0.
    fn facet<'a>(&'a self, find: &'a Find, branches: &'a [Branch]) -> StoreFuture<'a, Box<dyn Cursor>>;

    /// Inserts documents, in this order; the first that fails ends it.
    fn insert<'a>(&'a self, collection: &'static str, documents: &'a [&'a [u8]]) -> StoreFuture<'a, ()>;

    /// Changes documents, each statement the one that it selects; how many were selected.
    fn update<'a>(&'a self, collection: &'static str, updates: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64>;

    /// Deletes documents, each selection one; how many were selected.
    fn delete<'a>(
        &'a self,
        collection: &'static str,
        selections: &'a [&'a Selection],
    ) -> StoreFuture<'a, u64>;
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
pub(crate) trait Changes: Send {
    /// Waits for the next change: none if there was none for a while.
    ///
    /// # Errors
    /// The last that there is: what comes after it is found by watching anew.
    fn next(&mut self) -> StoreFuture<'_, Option<StoredChange>>;

    /// The place after the change handed out last, or further on where nothing came since.
    fn place(&self) -> Option<Vec<u8>>;
}

/// Work that takes effect as a whole, or not at all. Dropped without a commit, it is undone.
pub(crate) trait Transaction: Operations {
    /// Makes it take effect.
    fn commit(&self) -> StoreFuture<'_, ()>;

    /// Undoes it.
    fn abort(&self) -> BoxFuture<'_, ()>;
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
pub(crate) trait Store: Operations {
    /// Where the documents are, for messages: `memory`, `mongodb`.
    fn name(&self) -> &'static str;

    /// What it can do; asked once, by `build()`.
    fn abilities(&self) -> StoreFuture<'_, Abilities>;

    /// Begins a transaction.
    fn begin(&self) -> StoreFuture<'_, Box<dyn Transaction>>;

    /// The indexes of a collection as the server describes them; none if there is no such collection.
    fn list_indexes<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Vec<Document>>;

    /// Creates an index from its description (`key`, `name` and options).
    fn create_index<'a>(&'a self, collection: &'a str, index: &'a Document) -> StoreFuture<'a, ()>;

    /// Changes the time to live of an index in place.
    fn set_index_ttl<'a>(&'a self, collection: &'a str, name: &'a str, seconds: i64) -> StoreFuture<'a, ()>;

    /// Drops an index.
    fn drop_index<'a>(&'a self, collection: &'a str, name: &'a str) -> StoreFuture<'a, ()>;

    /// Whether it can hold an index of this form at all.
    fn knows_index(&self, index: &Document) -> bool;

    /// Keeps queries from an index, or lets them use it again.
    fn set_index_hidden<'a>(
        &'a self,
        collection: &'a str,
        name: &'a str,
        hidden: bool,
    ) -> StoreFuture<'a, ()>;

    /// Documents that have one key in an index which is to be unique: two ids of each such group, of `limit` groups.
    fn duplicates<'a>(
        &'a self,
        collection: &'a str,
        index: &'a Document,
        limit: u32,
    ) -> StoreFuture<'a, Vec<[bson::Bson; 2]>>;

    /// Gives a collection another name; false if there is none of the old name.
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> StoreFuture<'a, bool>;

    /// One of the crate's own records.
    fn record<'a>(&'a self, collection: &'a str, id: &'a str) -> StoreFuture<'a, Option<Document>>;

    /// Stores one of the crate's own records, in place of the one with its `_id`.
    fn put_record<'a>(&'a self, collection: &'a str, record: &'a Document) -> StoreFuture<'a, ()>;

    /// The options `validator`, `validationLevel` and `validationAction` of a collection; none if there is no such
    /// collection.
    fn validator<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Option<Document>>;

    /// The options of a collection as the server lists them; none if there is no such collection.
    fn collection_options<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Option<Document>>;

    /// Makes a collection with these options: a time series or a capped one.
    fn create_collection<'a>(&'a self, collection: &'a str, options: &'a Document) -> StoreFuture<'a, ()>;

    /// Changes options of a time series or a capped collection in place, as `collMod` takes them.
    fn change_collection<'a>(&'a self, collection: &'a str, changes: &'a Document) -> StoreFuture<'a, ()>;

    /// Deletes all measurements of a time series that have this value at the path, which lies in its `metaField`.
    fn delete_measurements<'a>(
        &'a self,
        collection: &'a str,
        path: &'a str,
        value: &'a bson::Bson,
    ) -> StoreFuture<'a, ()>;

    /// Whether what was before each change of the collection's documents is kept.
    fn images<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, bool>;

    /// Keeps it from now on, or no more; makes the collection if there is none.
    fn keep_images<'a>(&'a self, collection: &'a str, keep: bool) -> StoreFuture<'a, ()>;

    /// How the collection lies on the cluster, if there is one.
    fn sharding<'a>(&'a self, _collection: &'a str) -> StoreFuture<'a, Sharding> {
        Box::pin(async move { Ok(Sharding::NoCluster) })
    }

    /// Spreads a collection over the shards of the cluster.
    fn shard<'a>(&'a self, _collection: &'a str, _key: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            Err(StoreError::Unsupported {
                what: "there is no cluster",
            })
        })
    }

    /// Opens what happens to the documents of a collection whose images are kept.
    fn watch<'a>(&'a self, from: &'a WatchFrom) -> StoreFuture<'a, Box<dyn Changes>>;

    /// Begins to note the operations that look at every document of a collection.
    #[cfg(feature = "testing")]
    fn watch_scans(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { Err(StoreError::Unsupported { what: "a query plan" }) })
    }

    /// Ends it, and tells which there were.
    #[cfg(feature = "testing")]
    fn take_scans(&self) -> StoreFuture<'_, Vec<Scan>> {
        Box::pin(async move { Ok(Vec::new()) })
    }

    /// Sets these options, and makes the collection if there is none.
    fn set_validator<'a>(&'a self, collection: &'a str, options: &'a Document) -> StoreFuture<'a, ()>;
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
