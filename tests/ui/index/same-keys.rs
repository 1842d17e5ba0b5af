use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(name, unique))]
#[model(index(name))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
    #[model(index, unique)]
    email: String,
}

fn main() {}
