//! Who acts.

use model_core::prelude::*;
use model_core::query::Field;

use crate::models::{Role, User};

/// Somebody who signed in, or the service itself.
#[derive(Clone, Debug)]
pub enum Person {
    /// Signs people in, takes Stripe's calls, and runs migrations.
    Service,
    /// A user of the tenant that the context is of.
    User {
        /// Who.
        id: Id<User>,
        /// The users' administrator reads and changes what belongs to others, inside of the tenant.
        admin: bool,
    },
}

/// A context in a tenant, and one outside of any.
pub type Ctx = Context<Person>;
pub type Door = GlobalContext<Person>;

impl Actor for Person {
    fn identity(&self) -> ActorIdentity {
        match self {
            Self::Service => ActorIdentity::system("service"),
            Self::User { id, .. } => ActorIdentity::user(id),
        }
    }

    fn can_read_audit_log(&self) -> bool {
        self.is_admin()
    }
}

impl Person {
    pub fn of(user: &User) -> Self {
        Self::User {
            id: user.id.clone(),
            admin: user.role == Role::Admin,
        }
    }

    /// Who it is; the service is nobody.
    pub fn id(&self) -> Option<&Id<User>> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::Service => None,
        }
    }

    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Service | Self::User { admin: true, .. })
    }

    /// Whether a document that belongs to this user is one's own, or in an administrator's hands.
    pub fn owns(&self, user: &Ref<User>) -> bool {
        match self {
            Self::Service => true,
            Self::User { id, admin } => *admin || user == id,
        }
    }

    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service)
    }

    /// The same on the server, so that lists, counts and pages are of one's own documents.
    pub fn own<M: Model>(&self, user: &Field<M, Ref<User>>) -> Filter<M> {
        self.confined_to().map_or_else(Filter::all, |id| user.eq(id))
    }

    /// Administrators see what they make for everybody, and others what of it is published.
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "a policy hands fields over by reference"
    )]
    pub fn sees(&self, published: &bool) -> bool {
        *published || self.is_admin()
    }

    /// The same on the server.
    pub fn seen<M: Model>(&self, published: &Field<M, bool>) -> Filter<M> {
        if self.is_admin() {
            Filter::all()
        } else {
            published.eq(true)
        }
    }

    /// The user whose documents alone the actor sees; none if it sees everybody's.
    pub fn confined_to(&self) -> Option<&Id<User>> {
        match self {
            Self::User { id, admin: false } => Some(id),
            _ => None,
        }
    }
}
