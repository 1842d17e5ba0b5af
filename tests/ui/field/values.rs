use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(trim = true)]
    a: String,
    #[model(pattern)]
    b: String,
    #[model(rename = name)]
    c: String,
    #[model(one_of())]
    d: String,
    #[model(default_with = "one")]
    e: u32,
    #[model(validate)]
    f: String,
    #[model(email("x"))]
    g: String,
    #[model(default =)]
    h: u32,
}

fn main() {}
