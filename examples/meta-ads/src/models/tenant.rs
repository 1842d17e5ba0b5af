use model_core::prelude::*;

use crate::Account;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Plan {
    Free,
    Pro,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum TenantStatus {
    Active,
    Suspended,
}

/// A customer: what `tenantId` names everywhere.
#[derive(Clone, Model)]
#[model(collection = "tenants", rename_all = "camelCase", global, audit(name = name), index(created_at = desc))]
pub struct Tenant {
    pub id: Id<Tenant>,
    #[model(trim, len(1..=120))]
    pub name: String,
    #[model(trim, lowercase, pattern = "^[a-z0-9-]{2,40}$", unique, readonly)]
    pub slug: String,
    #[model(default = Plan::Free)]
    pub plan: Plan,
    #[model(default = TenantStatus::Active)]
    pub status: TenantStatus,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Tenant {
    policy!(Account, read, create, update, delete: is_service);
}
