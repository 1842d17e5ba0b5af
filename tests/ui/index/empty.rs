use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(unique), index())]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
}

fn main() {}
