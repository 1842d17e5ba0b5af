use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(readonly)]
    project: String,
    token: Option<Encrypted<String>>,
    password: PasswordHash,
    enabled: bool,
    name: String,
    count: i32,
    tags: Vec<String>,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
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

fn operators() {
    let _ = Widget::fields().token.set("secret");
    let _ = Widget::fields().password.set("secret");
}

fn main() {}
