use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(indx(name), colour = "red")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
}

fn main() {}
