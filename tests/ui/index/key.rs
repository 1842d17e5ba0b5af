use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "metrics", key(feature, dya, note, hits))]
struct Metric {
    #[model(id)]
    id: Id<Metric>,
    #[model(tenant)]
    organization: TenantId,
    feature: String,
    day: i32,
    note: Option<String>,
    #[model(default = 0)]
    hits: i64,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Metric {
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
