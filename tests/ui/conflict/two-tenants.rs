use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
    #[model(tenant)]
    team: TenantId,
}

fn main() {}
