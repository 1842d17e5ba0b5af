//! GrowthBook's guide to its `BaseModel`, section by section, and its complete example.

pub mod models;
pub mod req_context;

pub use models::*;
pub use req_context::{Logger, Member, Notifier, Permissions, ReqContext, SdkCache};

use model_core::DbBuilder;

/// All models, with the services that their hooks reach.
pub fn register(builder: DbBuilder) -> DbBuilder {
    ids::register(builder)
        .model::<Widget>()
        .model::<MyResource>()
        .model::<ResourceSnapshot>()
        .model::<ExistingWidget>()
        .state(Logger::default())
        .state(SdkCache::default())
        .state(Notifier::default())
}
