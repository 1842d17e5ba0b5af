use model_core::DeletePlan;
use model_core::prelude::*;

use super::Tier;
use crate::person::{Door, Person};

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub struct Branding {
    #[model(url)]
    pub logo: Option<String>,
    pub primary_color: Option<String>,
    pub secondary_color: Option<String>,
    pub font_family: Option<String>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct TenantConfig {
    pub allowed_providers: Vec<String>,
    #[model(default = "gpt-4o")]
    pub default_model: String,
    #[model(default = 50, range(1..=100_000))]
    pub max_users: i32,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum TenantStatus {
    Active,
    Suspended,
}

/// A customer: everything else belongs to one.
#[derive(Clone, Model)]
#[model(collection = "tenants", id = uuid, rename_all = "camelCase", global, audit(name = subdomain))]
pub struct Tenant {
    pub id: Id<Tenant>,
    #[model(trim, len(1..=120))]
    pub name: String,
    #[model(trim, lowercase, pattern = "^[a-z0-9-]{2,63}$", unique)]
    pub subdomain: String,
    #[model(trim, lowercase, unique)]
    pub custom_domain: Option<String>,
    pub branding: Option<Branding>,
    #[model(default)]
    pub config: TenantConfig,
    pub stripe_customer_id: Option<String>,
    #[model(default = Tier::Free)]
    pub plan: Tier,
    #[model(default = TenantStatus::Active)]
    pub status: TenantStatus,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Tenant {
    // The sign-in page shows its branding.
    policy!(Person, read: true, create, update, delete: is_service);
}

impl Tenant {
    /// What `ON DELETE CASCADE` of every table was: all that belongs to the tenant, then the tenant. How much there was.
    pub async fn close(service: &Door, id: &Id<Tenant>, reason: &str) -> Result<DeletePlan> {
        let inside = service.enter(id).dangerously_bypass_permissions(reason);
        let erased = inside.erase_tenant().await?;
        Self::delete(service, id).await?;
        Ok(erased)
    }
}
