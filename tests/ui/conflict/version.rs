use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(version = "2")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
}

fn main() {}
