use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(name, exists(emal)))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
    email: Option<String>,
}

fn main() {}
