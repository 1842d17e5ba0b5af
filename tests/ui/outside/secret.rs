use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant, filterable)]
    tenant: TenantId,
    #[model(hidden, filterable, default)]
    score: f64,
    #[model(hidden, sortable, default)]
    rank: f64,
    #[model(filterable(eq))]
    token: Encrypted<String>,
    #[model(sortable)]
    password: Option<PasswordHash>,
    #[model(rename = "or", filterable)]
    either: bool,
}

fn main() {}
