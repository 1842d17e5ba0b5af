use model_core::crypto::{Candidate, Verdict};
use model_core::prelude::*;

use crate::{Account, Ctx, Door};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Role {
    Admin,
    Editor,
    Viewer,
}

/// Somebody who signs in; an e-mail belongs to one tenant.
#[derive(Clone, Model)]
#[model(collection = "users", rename_all = "camelCase", audit(name = email), index(created_at = desc))]
#[model(virtuals(display_name: String))]
pub struct User {
    pub id: Id<User>,
    pub tenant_id: TenantId,
    #[model(trim, lowercase, email, unique(global), filterable(eq))]
    pub email: String,
    pub password: PasswordHash,
    #[model(trim, len(1..=80))]
    pub first_name: String,
    #[model(trim, len(..=80))]
    pub last_name: Option<String>,
    #[model(pad = 16)]
    pub phone: Option<Encrypted<String>>,
    #[model(default = Role::Viewer, filterable)]
    pub role: Role,
    #[model(skip_audit, skip_updated_at)]
    pub last_login_at: Option<DateTime<Utc>>,
    #[model(sortable)]
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub revision: Revision,
}

impl BaseModel for User {
    type Actor = Account;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().is_admin()
    }

    /// People change themselves, but for their role.
    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        let own = matches!(ctx.actor(), Account::Person { id, .. } if *id == self.id);
        ctx.actor().is_admin() || (own && after.role == self.role)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().is_admin()
    }
}

impl User {
    /// The virtual `displayName`.
    pub fn display_name(&self) -> String {
        match &self.last_name {
            Some(last) => format!("{} {last}", self.first_name),
            None => self.first_name.clone(),
        }
    }

    /// The user with this e-mail and password, of whatever tenant; it takes as long without one. A bcrypt hash of before gives
    /// way to one of today's.
    pub async fn sign_in(service: &Door, email: &str, password: String) -> Result<Option<Self>> {
        let user = Self::find_unique(service, |u| u.email.lookup(email)).await?;
        let hash = user.as_ref().map(|user| &user.password);
        let verdict = service
            .verify_and_upgrade(hash, &Candidate::new(password))
            .await?;
        let (Some(user), Verdict::Match { .. }) = (user, verdict) else {
            return Ok(None);
        };
        let ctx = service.enter(user.tenant_id.clone());
        Self::update_with(&ctx, &user.id, |u| u.last_login_at.set(ctx.now()))
            .await
            .map(Some)
    }
}
