use model_core::prelude::*;

#[derive(Clone, Embedded)]
struct Limits {
    daily: u32,
}

type Token = Encrypted<String>;

#[derive(Clone, Embedded)]
struct Outer {
    #[model(filterable)]
    limits: Limits,
    #[model(sortable)]
    token: Token,
}

fn main() {}
