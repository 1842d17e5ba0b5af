//! Stored names that belong to the crate: a file format. A model cannot declare a field under one of them.

/// What the database itself calls a document by: the id of a model, unless that is stored under another name.
pub(crate) const ID: &str = "_id";
/// The revision: 64-bit integer, changed by every write.
pub(crate) const REVISION: &str = "_rev";
/// The schema version that wrote the document: 32-bit integer; absent means 1.
pub(crate) const SCHEMA_VERSION: &str = "_sv";
/// The blind-index tokens: document of arrays of binary, by stored field.
pub(crate) const BLIND_INDEX: &str = "_bi";
/// The seal over a document: binary, subtype 8.
pub(crate) const SEAL: &str = "_seal";
/// Audit entries that wait for the relay: array of documents `{ entry, purge }`.
pub(crate) const OUTBOX: &str = "_outbox";
/// The instant of a soft delete: date.
pub(crate) const DELETED_AT: &str = "_deleted_at";

/// The fields that tell whose a measurement is, put together: document, by stored names.
pub(crate) const META: &str = "_meta";

/// What a lookup puts beside the fields of a document on its way in; never stored.
pub(crate) const JOINED: &str = "_joined";
/// How well a document fits the words of a search, on its way in: double; never stored.
pub(crate) const SCORE: &str = "_score";

/// All of them; the derive refuses the same list.
pub(crate) const ALL: [&str; 9] = [
    REVISION,
    SCHEMA_VERSION,
    BLIND_INDEX,
    SEAL,
    OUTBOX,
    DELETED_AT,
    META,
    JOINED,
    SCORE,
];
