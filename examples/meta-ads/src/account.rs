//! Who acts, and what each may do.

use model_core::prelude::*;

use crate::{Role, User};

/// A context of one tenant, and one before the tenant is known.
pub type Ctx = Context<Account>;
pub type Door = GlobalContext<Account>;

/// Who acts.
#[derive(Clone)]
pub enum Account {
    Person {
        id: Id<User>,
        role: Role,
    },
    /// Signs people up and in, and talks to Meta.
    Service,
}

impl Actor for Account {
    fn identity(&self) -> ActorIdentity {
        match self {
            Self::Person { id, .. } => ActorIdentity::user(id),
            Self::Service => ActorIdentity::system("meta-ads"),
        }
    }

    fn can_read_audit_log(&self) -> bool {
        self.is_admin()
    }
}

impl Account {
    pub fn person(user: &User) -> Self {
        Self::Person {
            id: user.id.clone(),
            role: user.role,
        }
    }

    pub fn is_admin(&self) -> bool {
        matches!(
            self,
            Self::Service
                | Self::Person {
                    role: Role::Admin,
                    ..
                }
        )
    }

    pub fn is_editor(&self) -> bool {
        self.is_admin()
            || matches!(
                self,
                Self::Person {
                    role: Role::Editor,
                    ..
                }
            )
    }

    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service)
    }
}
