//! A platform for talking to models, with courses and payments, for many tenants: what MongoDB was to be left for.
//!
//! `models/` has one file a model, in the shape of the target system; `legacy/` makes these out of the documents of the
//! system before, which had no tenants.

pub mod legacy;
pub mod models;
pub mod person;

pub use models::*;
pub use person::{Ctx, Door, Person};

use model_core::DbBuilder;

/// All models of the service.
pub fn register(builder: DbBuilder) -> DbBuilder {
    builder
        .model::<Tenant>()
        .model::<User>()
        .model::<Conversation>()
        .model::<Message>()
        .model::<Agent>()
        .model::<File>()
        .model::<DocumentChunk>()
        .model::<Memory>()
        .model::<Course>()
        .model::<Module>()
        .model::<Recording>()
        .model::<Transaction>()
}
