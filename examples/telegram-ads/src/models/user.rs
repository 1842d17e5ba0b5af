use model_core::prelude::*;

use crate::operator::Operator;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Role {
    Admin,
    Operator,
}

/// Somebody who may sign in.
#[derive(Clone, Model)]
#[model(collection = "users", rename_all = "camelCase", global, audit(name = email))]
pub struct User {
    pub id: Id<User>,
    #[model(trim, lowercase, email, unique)]
    pub email: String,
    #[model(trim, len(1..=80))]
    pub name: String,
    #[model(default = Role::Operator)]
    pub role: Role,
    #[model(skip_audit)]
    pub last_login_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for User {
    policy!(Operator, read: true, create, update, delete: is_admin);
}
