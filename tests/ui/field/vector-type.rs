use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(vector(similarity = dot))]
    numbers: Vec<f32>,
    name: String,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Widget {
    type Actor = User;

    fn can_read(&self, _: &GlobalContext<User>) -> bool {
        true
    }

    fn can_create(&self, _: &GlobalContext<User>) -> bool {
        true
    }

    fn can_update(&self, _: &GlobalContext<User>, _: &Self) -> bool {
        true
    }

    fn can_delete(&self, _: &GlobalContext<User>) -> bool {
        true
    }
}

fn main() {}
