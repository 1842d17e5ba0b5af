//! The audit log: who did what to which document, with a redacted before and after.

mod entry;
mod identity;
mod request;
mod schema;
mod sink;

pub(crate) use entry::EntryHead;
pub use entry::{AuditChange, AuditEntry};
pub use identity::{ActorIdentity, ActorKind};
pub use request::RequestMeta;
pub(crate) use schema::schema;
pub use sink::AuditSink;

/// The collection of the default audit log.
pub(crate) const COLLECTION: &str = "audit_log";
