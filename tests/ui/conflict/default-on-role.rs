use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id, default)]
    id: Id<Widget>,
    #[model(tenant, default_with = TenantId::new)]
    organization: TenantId,
    #[model(created_at, default)]
    created_at: DateTime<Utc>,
    #[model(updated_at, skip_audit, trim)]
    updated_at: DateTime<Utc>,
}

fn main() {}
