use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "users", global)]
struct User {
    #[model(id)]
    id: Id<User>,
    token: Encrypted<String>,
    password: PasswordHash,
}

struct Admin;

impl Actor for Admin {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for User {
    type Actor = Admin;

    fn can_read(&self, _: &GlobalContext<Admin>) -> bool {
        true
    }

    fn can_create(&self, _: &GlobalContext<Admin>) -> bool {
        true
    }

    fn can_update(&self, _: &GlobalContext<Admin>, _: &Self) -> bool {
        true
    }

    fn can_delete(&self, _: &GlobalContext<Admin>) -> bool {
        true
    }
}

fn orders() {
    let _ = User::fields().token.asc();
    let _ = User::fields().password.desc();
}

fn main() {}
