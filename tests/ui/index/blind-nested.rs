use model_core::prelude::*;

#[derive(Clone, Embedded)]
struct Contact {
    #[model(blind_index(unique, normalize = "email"))]
    email: Encrypted<String>,
    #[model(blind_index)]
    phones: Vec<Encrypted<String>>,
    #[model(blind_index)]
    insured: Encrypted<bool>,
    #[model(blind_index)]
    name: String,
}

#[derive(Clone, Embedded)]
enum Channel {
    Mail {
        #[model(blind_index)]
        to: Encrypted<String>,
    },
}

fn main() {}
