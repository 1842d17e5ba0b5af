use model_core::prelude::*;

#[derive(Model)]
#[model(collection = "widgets", global)]
union Widget {
    a: u32,
}

#[derive(Embedded)]
union Limits {
    a: u32,
}

fn main() {}
