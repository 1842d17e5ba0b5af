//! Who acts.

use model_core::prelude::*;

use crate::models::{Role, User};

/// Somebody at the dashboard, or the bot.
#[derive(Clone)]
pub enum Operator {
    Person {
        id: Id<User>,
        role: Role,
    },
    /// Posts, measures, and signs people in.
    Bot,
}

/// There is one dashboard, and so no tenant.
pub type Ctx = GlobalContext<Operator>;

impl Actor for Operator {
    fn identity(&self) -> ActorIdentity {
        match self {
            Self::Person { id, .. } => ActorIdentity::user(id),
            Self::Bot => ActorIdentity::system("bot"),
        }
    }

    fn can_read_audit_log(&self) -> bool {
        self.is_admin()
    }
}

impl Operator {
    pub fn person(user: &User) -> Self {
        Self::Person {
            id: user.id.clone(),
            role: user.role,
        }
    }

    pub fn id(&self) -> Option<&Id<User>> {
        match self {
            Self::Person { id, .. } => Some(id),
            Self::Bot => None,
        }
    }

    pub fn is_admin(&self) -> bool {
        matches!(
            self,
            Self::Bot
                | Self::Person {
                    role: Role::Admin,
                    ..
                }
        )
    }

    pub fn is_bot(&self) -> bool {
        matches!(self, Self::Bot)
    }

    /// Whether an entry that names this user is the operator's to write.
    pub fn speaks_for(&self, user: &Option<Id<User>>) -> bool {
        self.is_bot() || self.id() == user.as_ref()
    }
}
