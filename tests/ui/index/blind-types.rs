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
    #[model(blind_index)]
    insured: Encrypted<bool>,
    #[model(blind_index)]
    blood: Option<Encrypted<Blood>>,
    #[model(blind_index)]
    name: String,
    #[model(blind_index(allow_low_entropy))]
    allowed: Encrypted<bool>,
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
