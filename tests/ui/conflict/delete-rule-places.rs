//! Inside of an embedded type a delete rule does what its type allows, too.

use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "teams")]
struct Team {
    #[model(id)]
    id: Id<Team>,
    #[model(tenant)]
    organization: TenantId,
}

#[derive(Clone, Embedded)]
struct Seat {
    #[model(on_delete = nullify)]
    taken_by: Ref<Team>,
    #[model(on_delete = pull)]
    row: i32,
}

#[derive(Clone, Embedded)]
struct Row {
    #[model(readonly, on_delete = pull)]
    guests: Vec<Ref<Team>>,
}

#[derive(Clone, Embedded)]
enum Owner {
    Human {
        #[model(on_delete = cascade)]
        name: String,
    },
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
