use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(indx)]
    name: String,
    #[model(colour = "red")]
    note: String,
}

fn main() {}
