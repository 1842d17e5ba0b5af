use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(audit(name = nam))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
}

fn main() {}
