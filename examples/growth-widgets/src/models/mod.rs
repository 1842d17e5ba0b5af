//! The models, one a file, with the functions that the rest of the service calls.

mod existing;
pub mod ids;
mod my_resource;
mod resource_snapshot;
mod widget;

pub use existing::*;
pub use ids::Project;
pub use my_resource::*;
pub use resource_snapshot::*;
pub use widget::*;
