//! What has to be true of a database before work begins, and how it gets there: declarations that hold, indexes that
//! are as declared, a server that can do what the models need.

mod compare;
mod declared;
mod name;
mod path;
mod plan;
mod schemas;
mod sync;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use plan::plan;
pub use plan::{IndexPlan, IndexStep};
pub(crate) use schemas::check_schemas;
pub(crate) use sync::sync;
pub use sync::{SyncOptions, SyncReport};
pub(crate) use verify::check;
