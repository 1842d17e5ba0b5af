use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(version = 1, version = 2)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(trim, trim)]
    name: String,
    #[model(hidden)]
    #[model(hidden)]
    note: String,
}

fn main() {}
