//! The models, one a file.

mod analytics;
mod conversation;
mod document_source;
mod message;
mod notion_workspace;
mod sync_job;
mod user;

pub use analytics::*;
pub use conversation::*;
pub use document_source::*;
pub use message::*;
pub use notion_workspace::*;
pub use sync_job::*;
pub use user::*;
