//! The models, one file each.

mod agent;
mod conversation;
mod course;
mod document_chunk;
mod file;
mod memory;
mod message;
mod module;
mod recording;
mod tenant;
mod transaction;
mod user;

pub use agent::*;
pub use conversation::*;
pub use course::*;
pub use document_chunk::*;
pub use file::*;
pub use memory::*;
pub use message::*;
pub use module::*;
pub use recording::*;
pub use tenant::*;
pub use transaction::*;
pub use user::*;
