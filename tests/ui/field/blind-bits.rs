//! Tokens of few bits are shared: they are not unique, and have a length that makes sense.

use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "people")]
pub struct Person {
    #[model(id)]
    id: Id<Person>,
    #[model(tenant)]
    organization: TenantId,
    #[model(blind_index(unique, bits = 16))]
    city: Encrypted<String>,
    #[model(blind_index(bits = 2))]
    street: Encrypted<String>,
    #[model(legacy_plaintext(until = "2026-02-30"), old_format)]
    house: Encrypted<String>,
    #[model(old_format("librechat", till = "2026-02-28"))]
    door: Encrypted<String>,
    #[model(old_format("librechat"))]
    name: String,
}

fn main() {}
