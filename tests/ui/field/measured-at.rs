//! The time of a measurement is a date.
use model_core::prelude::*;

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("test")
    }
}

#[derive(Clone, Model)]
#[model(collection = "points", global, time_series(time = at))]
struct Point {
    #[model(id)]
    id: Id<Point>,
    at: i64,
}

impl BaseModel for Point {
    type Actor = User;

    fn can_read(&self, _ctx: &GlobalContext<User>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &GlobalContext<User>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &GlobalContext<User>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &GlobalContext<User>) -> bool {
        true
    }
}

async fn change(ctx: &GlobalContext<User>, id: &Id<Point>) {
    let _ = Point::delete(ctx, id).await;
}

fn main() {}
