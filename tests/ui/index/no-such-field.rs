use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
#[model(index(project, enabld), index(nme = desc))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
    project: String,
    enabled: bool,
    name: String,
}

fn main() {}
