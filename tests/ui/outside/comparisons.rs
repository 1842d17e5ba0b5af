use model_core::prelude::*;

#[derive(Clone, Embedded)]
struct Limits {
    #[model(filterable(starts_with))]
    daily: u32,
    #[model(filterable(contains))]
    note: String,
    #[model(filterable(eq, eq))]
    twice: bool,
    #[model(filterable())]
    nothing: bool,
}

fn main() {}
