//! Where audit entries go, when not into the audit collection.

use async_trait::async_trait;

use super::entry::AuditEntry;
use crate::error::Result;

/// A destination of the application's own for audit entries.
///
/// The default is a collection that is written in the document's own transaction. A sink is told after the write took
/// effect: an entry can be lost if the process dies in between. If it fails, the operation's error says
/// [`is_after_write`](crate::Error::is_after_write).
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Records one entry.
    async fn record(&self, entry: &AuditEntry) -> Result<()>;
}
