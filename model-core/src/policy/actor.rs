//! Who acts.

use crate::audit::ActorIdentity;

/// The application's actor: its user, its API key, its job.
///
/// What a policy needs to know (roles, memberships) is loaded into it once, so that the `can_*` methods stay pure.
pub trait Actor: Send + Sync + 'static {
    /// Who it is, for the audit log.
    fn identity(&self) -> ActorIdentity;
}
