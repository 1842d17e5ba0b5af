use model_core::prelude::*;

#[derive(Debug, Clone, PartialEq, Embedded)]
struct Limits {
    daily: i64,
}

fn main() {}
