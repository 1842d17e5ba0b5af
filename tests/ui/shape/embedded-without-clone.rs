use model_core::prelude::*;

#[derive(Embedded)]
struct Limits {
    max: u32,
}

fn main() {}
