use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "system.users", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
}

fn main() {}
