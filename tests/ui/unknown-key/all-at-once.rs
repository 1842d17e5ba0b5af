use model_core::prelude::*;

// Every mistake is reported, in one run.
#[derive(Clone, Model)]
#[model(indx(name), version = 0, index(nam))]
struct Widget {
    #[model(trimm, len(5..=3))]
    name: String,
    #[model(email, trim)]
    count: u32,
}

fn main() {}
