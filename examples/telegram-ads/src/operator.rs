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

    /// Everybody who is signed in.
    pub fn is_anybody(&self) -> bool {
        true
    }
}

/// The four answers of a model that some read and some write.
macro_rules! policy {
    (read: $read:ident, write: $write:ident, delete: $delete:ident) => {
        type Actor = $crate::Operator;

        fn can_read(&self, ctx: &$crate::Ctx) -> bool {
            ctx.actor().$read()
        }

        fn can_create(&self, ctx: &$crate::Ctx) -> bool {
            ctx.actor().$write()
        }

        fn can_update(&self, ctx: &$crate::Ctx, _after: &Self) -> bool {
            ctx.actor().$write()
        }

        fn can_delete(&self, ctx: &$crate::Ctx) -> bool {
            ctx.actor().$delete()
        }
    };
}

pub(crate) use policy;
