use model_core::prelude::*;

#[derive(Clone, Embedded)]
#[model(tag = "kind")]
enum Status {
    Open,
    Closed,
}

fn main() {}
