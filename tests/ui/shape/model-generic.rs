use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget<T> {
    #[model(id)]
    id: Id<Widget<T>>,
    value: T,
}

fn main() {}
