//! What has to be true of a database before work begins, and how it gets there: declarations that hold, indexes that
//! are as declared, a server that can do what the models need.

mod collections;
mod compare;
mod declared;
mod forms;
mod ledger;
mod manifest;
mod name;
mod options;
mod path;
mod plan;
mod schemas;
mod specs;
mod steps;
mod sync;
#[cfg(test)]
mod tests;
mod validator;
mod verify;

pub use collections::{CollectionPlan, CollectionStep};
pub(crate) use collections::{plan_collections, refuse_collection_drift, sync_collections};
pub(crate) use declared::is_of_id;
pub use manifest::{Manifest, ManifestChange, ManifestDiff};
pub use options::{SyncEvent, SyncOptions, SyncReport};
pub(crate) use plan::plan;
pub use plan::{IndexOrigin, IndexPlan, IndexStep};
pub(crate) use schemas::check_schemas;
pub use steps::{RunSteps, StepPreview, StepReport, StepSample, Steps};
pub use sync::SyncIndexes;
pub(crate) use sync::refuse_drift;
pub use validator::{ValidatorPlan, ValidatorStep};
pub(crate) use validator::{plan_validators, refuse_validator_drift, sync_validators};
pub(crate) use verify::check;
