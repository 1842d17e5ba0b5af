use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(id_prefix = "w.$")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
}

fn main() {}
