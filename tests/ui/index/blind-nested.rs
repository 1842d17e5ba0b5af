use model_core::prelude::*;

#[derive(Clone, Embedded)]
struct Contact {
    #[model(blind_index(unique, normalize = "email"))]
    email: Encrypted<String>,
}

#[derive(Clone, Embedded)]
enum Channel {
    Mail {
        #[model(blind_index)]
        to: Encrypted<String>,
    },
}

fn main() {}
