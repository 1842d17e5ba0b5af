//! A delete rule does to the field what its type allows.

use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "teams")]
struct Team {
    #[model(id)]
    id: Id<Team>,
    #[model(tenant)]
    organization: TenantId,
    #[model(on_delete = cascade)]
    name: String,
    #[model(on_delete = nullify)]
    parent: Ref<Team>,
    #[model(on_delete = pull)]
    friend: Option<Ref<Team>>,
    #[model(on_delete = cascade)]
    friends: Vec<Ref<Team>>,
    #[model(subject, on_delete = pull)]
    members: Vec<Ref<Team>>,
    #[model(on_delete = restrict)]
    rival: Id<Team>,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

impl BaseModel for Team {
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
