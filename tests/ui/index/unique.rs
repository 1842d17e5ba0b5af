use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id, unique)]
    id: Id<Widget>,
    #[model(unique(tenant))]
    name: String,
}

fn main() {}
