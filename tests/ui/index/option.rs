use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(name, nme = "by_name"), index(uniqe))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
}

fn main() {}
