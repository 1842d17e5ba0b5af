use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(name = down))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(index = dsc)]
    name: String,
}

fn main() {}
