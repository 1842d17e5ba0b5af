use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "patients", global)]
struct Patient {
    #[model(id)]
    id: Id<Patient>,
    #[model(blind_index(bits = 3))]
    few: Encrypted<String>,
    #[model(blind_index(bits = 65))]
    many: Encrypted<String>,
    #[model(blind_index(bits = "16"))]
    text: Encrypted<String>,
    #[model(blind_index(bits))]
    nothing: Encrypted<String>,
    #[model(blind_index(bits = 300))]
    most: Encrypted<String>,
    #[model(blind_index(unique, bits = 16))]
    unique: Encrypted<String>,
}

fn main() {}
