//! Documents that refer to each other: the graph of the registered models, and what a deletion takes along.

pub(in crate::engine) mod along;
pub(in crate::engine) mod batches;
pub(in crate::engine) mod cascade;
pub(in crate::engine) mod dangling;
pub(in crate::engine) mod erase;
pub(in crate::engine) mod graph;
pub(in crate::engine) mod loss;
pub(in crate::engine) mod subject;
