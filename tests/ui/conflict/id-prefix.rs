use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(id_prefix = "wgt_", id = uuid)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
}

fn main() {}
