use model_core::prelude::*;

#[derive(Clone, Embedded)]
#[model(flat)]
enum Status {
    Open,
    Closed,
}

fn main() {}
