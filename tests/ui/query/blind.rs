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
    email: Encrypted<String>,
    note: Encrypted<String>,
    session: TokenDigest,
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

fn main() {
    let token = Token::presented("x");
    let _ = Patient::filter(|p| p.email.gt("a"));
    let _ = Patient::filter(|p| p.email.starts_with("a"));
    let _ = Patient::filter(|p| p.note.eq("a"));
    let _ = Patient::filter(|p| p.session.eq("a"));
    let _ = token == token;
    let _ = format!("{token}");
    let _ = serde_json::to_string(&token);
}
