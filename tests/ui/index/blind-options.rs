use model_core::prelude::*;

#[derive(Clone, Copy, PartialEq, Embedded)]
enum Blood {
    A,
    B,
}

#[derive(Clone, Model)]
#[model(collection = "patients", global)]
struct Patient {
    #[model(id)]
    id: Id<Patient>,
    #[model(blind_index(uniqe))]
    email: Encrypted<String>,
    #[model(blind_index(normalize = "mail"))]
    other: Encrypted<String>,
    #[model(blind_index(scope = "world"))]
    third: Encrypted<String>,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Patient {
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
