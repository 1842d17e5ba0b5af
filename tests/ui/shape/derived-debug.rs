use model_core::prelude::*;

// The derive brings a `Debug` that prints no secret.
#[derive(Clone, Debug, Embedded)]
struct Limits {
    max: u32,
}

fn main() {}
