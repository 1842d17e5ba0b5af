use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
#[model(index(organization, name))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant, index)]
    organization: TenantId,
    name: String,
}

fn main() {}
