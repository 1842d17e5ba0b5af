//! Who acts.

use model_core::prelude::*;

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

    /// The user whose documents alone the actor sees; none if it sees everybody's.
    pub fn confined_to(&self) -> Option<&Id<User>> {
        match self {
            Self::User { id, admin: false } => Some(id),
            _ => None,
        }
    }
}

/// The policy of what belongs to one user: that user's, and the administrators'. It names the reference to the user.
macro_rules! owned {
    ($model:ident by $user:ident $(, $rest:item)*) => {
        impl BaseModel for $model {
            type Actor = Person;
            const READ_SCOPE: ReadScope = ReadScope::Exact;

            fn can_read(&self, ctx: &Ctx) -> bool {
                ctx.actor().owns(&self.$user)
            }

            fn can_create(&self, ctx: &Ctx) -> bool {
                ctx.actor().owns(&self.$user)
            }

            fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
                ctx.actor().owns(&self.$user) && ctx.actor().owns(&after.$user)
            }

            fn can_delete(&self, ctx: &Ctx) -> bool {
                ctx.actor().owns(&self.$user)
            }

            /// On the server, so that lists, counts and pages are of one's own documents.
            fn read_scope(ctx: &Ctx) -> Filter<Self> {
                match ctx.actor().confined_to() {
                    Some(id) => Self::filter(|m| m.$user.eq(id)),
                    None => Filter::all(),
                }
            }

            $($rest)*
        }
    };
}

pub(crate) use owned;

/// The policy of what administrators make for everybody: they see all of it, and others what is published.
macro_rules! published {
    ($model:ident) => {
        impl BaseModel for $model {
            type Actor = Person;
            const READ_SCOPE: ReadScope = ReadScope::Exact;

            fn can_read(&self, ctx: &Ctx) -> bool {
                self.published || ctx.actor().is_admin()
            }

            fn can_create(&self, ctx: &Ctx) -> bool {
                ctx.actor().is_admin()
            }

            fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
                ctx.actor().is_admin()
            }

            fn can_delete(&self, ctx: &Ctx) -> bool {
                ctx.actor().is_admin()
            }

            fn read_scope(ctx: &Ctx) -> Filter<Self> {
                if ctx.actor().is_admin() {
                    Filter::all()
                } else {
                    Self::filter(|m| m.published.eq(true))
                }
            }
        }
    };
}

pub(crate) use published;
