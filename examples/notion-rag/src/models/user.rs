use model_core::crypto::{Candidate, Verdict};
use model_core::prelude::*;

use crate::session::Door;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum UserStatus {
    Active,
    Inactive,
    Suspended,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum UserRole {
    User,
    Admin,
}

/// Somebody who signs in; in any number of workspaces.
#[derive(Clone, Model)]
#[model(collection = "users", rename_all = "camelCase", global)]
pub struct User {
    pub id: Id<User>,
    #[model(unique, lowercase, trim)]
    pub email: String,
    pub password: PasswordHash,
    #[model(trim)]
    pub name: String,
    #[model(default = UserStatus::Active)]
    pub status: UserStatus,
    #[model(default = UserRole::User)]
    pub role: UserRole,
    #[model(legacy_plaintext)]
    pub refresh_token: Option<Encrypted<String>>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for User {
    type Actor = crate::session::Session;

    fn can_read(&self, ctx: &Door) -> bool {
        ctx.actor().admin || ctx.actor().user == self.id
    }

    fn can_create(&self, ctx: &Door) -> bool {
        ctx.actor().admin
    }

    fn can_update(&self, ctx: &Door, after: &Self) -> bool {
        ctx.actor().admin
            || (ctx.actor().user == self.id && after.role == self.role && after.status == self.status)
    }

    fn can_delete(&self, ctx: &Door) -> bool {
        ctx.actor().admin
    }
}

impl User {
    /// `user.comparePassword(candidate)`
    pub async fn compare_password(&self, ctx: &Door, candidate: &Candidate) -> Result<bool> {
        let verdict = ctx.verify_password(Some(&self.password), candidate).await?;
        Ok(matches!(verdict, Verdict::Match { .. }))
    }

    /// The active user with this e-mail and password; it takes as long without one. A bcrypt hash of the
    /// old service gives way to one of today's.
    pub async fn sign_in(service: &Door, email: &str, candidate: &Candidate) -> Result<Option<Self>> {
        let user = Self::get_by(service, |u| u.email.eq(email)).await?;
        let hash = user.as_ref().map(|user| &user.password);
        let verdict = service.verify_and_upgrade(hash, candidate).await?;
        match (user, verdict) {
            (Some(user), Verdict::Match { .. }) if user.status == UserStatus::Active => {
                Self::update_with(service, &user.id, |u| u.last_login_at.set(service.now()))
                    .await
                    .map(Some)
            }
            _ => Ok(None),
        }
    }
}
