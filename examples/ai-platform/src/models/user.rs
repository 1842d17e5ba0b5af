use model_core::crypto::{Candidate, Verdict};
use model_core::prelude::*;

use crate::person::{Ctx, Door, Person};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Tier {
    Free,
    Pro,
    Admin,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Role {
    User,
    Admin,
}

/// Who vouches for a user.
#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum SignInProvider {
    Local,
    Google,
    Discord,
    Github,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct Preferences {
    #[model(default = "text-base")]
    pub font_size: String,
    #[model(default = "system")]
    pub theme: String,
    #[model(default = "en-US")]
    pub language: String,
}

/// Somebody who signs in. An e-mail is one user's over all tenants: it is what the tenant is found by.
#[derive(Clone, Model)]
#[model(collection = "users", id = uuid, rename_all = "camelCase", audit(name = email))]
#[model(index(provider, provider_id, unique, exists(provider_id)))]
pub struct User {
    pub id: Id<User>,
    pub tenant_id: TenantId,
    #[model(trim, lowercase, email, unique(global), filterable(eq))]
    pub email: String,
    #[model(default = false)]
    pub email_verified: bool,
    /// None for those who sign in elsewhere.
    pub password: Option<PasswordHash>,
    #[model(trim, len(..=120))]
    pub name: Option<String>,
    #[model(trim)]
    pub username: Option<String>,
    pub avatar: Option<String>,
    #[model(default = Tier::Free)]
    pub tier: Tier,
    #[model(default = Role::User)]
    pub role: Role,
    #[model(default = SignInProvider::Local)]
    pub provider: SignInProvider,
    pub provider_id: Option<String>,
    #[model(default)]
    pub preferences: Preferences,
    #[model(sortable)]
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[model(skip_audit, skip_updated_at)]
    pub last_login_at: Option<DateTime<Utc>>,
}

impl BaseModel for User {
    type Actor = Person;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().owns(&Ref::to(&self.id))
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().is_admin()
    }

    /// People change themselves, but neither their rights nor what they have paid for.
    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        let as_before = after.role == self.role && after.tier == self.tier;
        ctx.actor().is_admin() || (self.can_read(ctx) && as_before)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        self.can_read(ctx)
    }
}

impl User {
    /// The user with this e-mail and password, of whatever tenant; it takes as long without one. A hash of the old service
    /// (bcrypt) gives way to one of today's.
    pub async fn sign_in(service: &Door, email: &str, password: &str) -> Result<Option<Self>> {
        let user = Self::find_unique(service, |u| u.email.lookup(email)).await?;
        let hash = user.as_ref().and_then(|user| user.password.as_ref());
        let candidate = Candidate::new(password.to_owned());
        let verdict = service.verify_and_upgrade(hash, &candidate).await?;
        let (Some(user), Verdict::Match { .. }) = (user, verdict) else {
            return Ok(None);
        };
        let inside = service.enter(user.tenant_id.clone());
        Self::update_with(&inside, &user.id, |u| u.last_login_at.set(inside.now()))
            .await
            .map(Some)
    }
}
