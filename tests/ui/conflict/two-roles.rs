use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant, created_at)]
    organization: TenantId,
}

fn main() {}
