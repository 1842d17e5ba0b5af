//! Facets: several answers about the same documents.

use super::filter::Node;
use super::group::Grouping;
use super::sort::SortKey;

/// One of several answers about the same documents.
#[derive(Debug)]
pub(crate) enum Branch {
    /// Rows that they are put together into.
    Rows(Grouping),
    /// Some of them.
    Picked(Picked),
}

/// Which of the documents, in which order, and what of them.
#[derive(Debug)]
pub(crate) struct Picked {
    pub(crate) filter: Node,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) skip: u64,
    pub(crate) limit: Option<u64>,
    /// The stored names of the fields that are needed, `_id` aside: a store may give all.
    pub(crate) fields: Vec<&'static str>,
}
