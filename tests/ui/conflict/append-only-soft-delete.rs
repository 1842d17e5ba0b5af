use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "events", append_only, soft_delete)]
struct Event {
    #[model(id)]
    id: Id<Event>,
    #[model(tenant)]
    organization: TenantId,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Event {
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
