//! Who may do what: contexts, actors, and the policy that every model has.

mod actor;
mod answers;
mod audit_log;
mod base_model;
mod change;
mod context;
mod erase;
mod erase_subject;
mod export;
mod model;
mod projection;
mod registry;
mod scope;
mod transaction;

pub use actor::Actor;
pub use audit_log::AuditLog;
pub use base_model::{BaseModel, MigrateInfo, ReadScope};
pub(crate) use base_model::{hidden_fields, hidden_names, top_names};
pub use change::Change;
pub use context::{Context, GlobalContext};
pub use erase::EraseTenant;
pub use erase_subject::EraseSubject;
pub use export::{ExportSubject, ExportTenant};
pub use model::{Model, Mutable, Searchable, Singleton, Stamp, Watchable};
pub use projection::Projection;
pub use registry::Registry;
pub use scope::{AnyContext, ContextFor, GlobalScope, Reaches, Scope, TenantScope};
