use model_core::prelude::*;

#[derive(Clone, Copy, Embedded)]
enum Mode {
    Fast,
}

#[derive(Clone, Embedded)]
#[model(defaults)]
struct Rights {
    write: bool,
    mode: Mode,
}

fn main() {}
