use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(len(3..80))]
    a: String,
    #[model(len(80..=3))]
    b: String,
    #[model(len)]
    c: String,
    #[model(len(5))]
    d: String,
    #[model(range(..))]
    e: u32,
    #[model(len(-1..=3))]
    f: String,
    #[model(items("a"..))]
    g: Vec<u32>,
}

fn main() {}
