//! The models, one a file.

mod campaign;
mod meta_connection;
mod performance_snapshot;
mod session;
mod tenant;
mod user;

pub use campaign::*;
pub use meta_connection::*;
pub use performance_snapshot::*;
pub use session::*;
pub use tenant::*;
pub use user::*;
