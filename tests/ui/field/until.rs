use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "letters", global)]
struct Letter {
    #[model(id)]
    id: Id<Letter>,
    #[model(legacy_plaintext(until = "2027-13-01"))]
    month: Encrypted<String>,
    #[model(legacy_plaintext(until = "2027-02-29"))]
    day: Encrypted<String>,
    #[model(legacy_plaintext(until = "27-2-9"))]
    digits: Encrypted<String>,
    #[model(legacy_plaintext(until = 2027))]
    number: Encrypted<String>,
    #[model(legacy_plaintext(untill = "2027-03-31"))]
    name: Encrypted<String>,
    #[model(legacy_plaintext(until))]
    nothing: Encrypted<String>,
    #[model(old_format("aes", until = "tomorrow"))]
    word: Encrypted<String>,
    #[model(old_format("", until = "2027-03-31"))]
    unnamed: Encrypted<String>,
    #[model(old_format(until = "2027-03-31"))]
    formless: Encrypted<String>,
}

fn main() {}
