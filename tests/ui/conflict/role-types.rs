use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: String,
    #[model(tenant)]
    organization: Option<TenantId>,
    #[model(created_at)]
    created_at: u64,
    #[model(updated_at)]
    updated_at: String,
    #[model(revision)]
    revision: i64,
}

fn main() {}
