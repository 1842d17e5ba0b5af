//! A chat over the pages of Notion workspaces: users, workspaces, their conversations, documents and jobs.
//!
//! One file a model, in the shape of the Mongoose models that the service had before.

#![allow(
    clippy::disallowed_methods,
    reason = "elements of arrays have ids of their own, as Mongoose gives them"
)]

pub mod models;
pub mod session;

pub use models::*;
pub use session::{Ctx, Door, Entered, Seat, Session};

use model_core::DbBuilder;

/// All models of the service.
pub fn register(builder: DbBuilder) -> DbBuilder {
    builder
        .model::<User>()
        .model::<NotionWorkspace>()
        .model::<Conversation>()
        .model::<Message>()
        .model::<DocumentSource>()
        .model::<SyncJob>()
        .model::<Analytics>()
}
