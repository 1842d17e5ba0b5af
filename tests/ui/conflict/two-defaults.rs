use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(default = 1, default_with = one)]
    count: u32,
}

fn one() -> u32 {
    1
}

fn main() {}
