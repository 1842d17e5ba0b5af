//! The models, one a file.

mod audit_log;
mod campaign;
mod casino;
mod creative;
mod creator;
mod deal;
mod magic_link;
mod post_history;
mod scheduled_post;
mod session;
mod settings;
mod telegram_group;
mod user;

pub use audit_log::*;
pub use campaign::*;
pub use casino::*;
pub use creative::*;
pub use creator::*;
pub use deal::*;
pub use magic_link::*;
pub use post_history::*;
pub use scheduled_post::*;
pub use session::*;
pub use settings::*;
pub use telegram_group::*;
pub use user::*;
