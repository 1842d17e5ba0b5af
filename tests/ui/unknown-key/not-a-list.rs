use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model]
    name: String,
    #[model = "trim"]
    note: String,
}

fn main() {}
