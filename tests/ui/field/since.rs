use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global, version = 2)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(since = 3)]
    later: String,
    #[model(since = 1)]
    first: String,
    #[model(since = "2")]
    text: String,
}

fn main() {}
