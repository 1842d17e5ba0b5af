//! Who acts.

use crate::audit::ActorIdentity;

/// The application's actor: its user, its API key, its job.
///
/// What a policy needs to know (roles, memberships) is loaded into it once, so that the `can_*` methods stay pure.
pub trait Actor: Send + Sync + 'static {
    /// Who it is, for the audit log.
    fn identity(&self) -> ActorIdentity;

    /// Whether this actor may read the audit log of the tenant it acts for. Nobody may, unless the application says so.
    fn can_read_audit_log(&self) -> bool {
        false
    }
}
