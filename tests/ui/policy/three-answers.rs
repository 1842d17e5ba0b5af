use model_core::prelude::*;

#[derive(Clone)]
struct Person;

impl Actor for Person {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

#[derive(Clone, Model)]
#[model(collection = "diaries", global)]
struct Diary {
    id: Id<Diary>,
    owner: String,
}

impl BaseModel for Diary {
    policy!(Person, read: true, create: true, update: owns(owner));
}

fn main() {}
