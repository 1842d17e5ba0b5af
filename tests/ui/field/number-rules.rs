use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(range(0..=5))]
    a: String,
    #[model(items(1..))]
    b: String,
}

fn main() {}
