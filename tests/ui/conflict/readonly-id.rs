use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id, readonly)]
    id: Id<Widget>,
}

fn main() {}
