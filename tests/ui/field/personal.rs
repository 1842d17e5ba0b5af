//! Something stands in the place of what is erased, and somebody's data has an end.

use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "persons")]
struct Person {
    #[model(id)]
    id: Id<Person>,
    #[model(tenant)]
    organization: TenantId,
    #[model(pii)]
    name: String,
    #[model(pii(erased = "gone"))]
    mail: String,
    #[model(pii(gone = ""))]
    street: String,
    #[model(pii, default = now)]
    born: DateTime<Utc>,
    #[model(subject)]
    parent: Option<Ref<Person>>,
}

#[derive(Clone, Embedded)]
struct Part {
    #[model(subject, on_delete = cascade)]
    of: Ref<Person>,
}

fn main() {}
