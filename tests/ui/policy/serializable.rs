//! A model must not serialise: its view does.

use model_core::prelude::*;

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

#[derive(Model, serde::Serialize)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    #[serde(skip)]
    id: Id<Widget>,
    #[model(tenant)]
    tenant: TenantId,
    name: String,
}

impl BaseModel for Widget {
    type Actor = User;

    fn can_read(&self, _: &Context<User>) -> bool {
        true
    }

    fn can_create(&self, _: &Context<User>) -> bool {
        true
    }

    fn can_update(&self, _: &Context<User>, _: &Self) -> bool {
        true
    }

    fn can_delete(&self, _: &Context<User>) -> bool {
        true
    }
}

fn main() {}
