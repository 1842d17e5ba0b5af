use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "events", append_only)]
struct Event {
    #[model(id)]
    id: Id<Event>,
    #[model(tenant)]
    organization: TenantId,
    what: String,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Event {
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

async fn tamper(ctx: &Context<User>, id: &Id<Event>) -> Result<()> {
    Event::update(ctx, id, EventPatch::default()).await?;
    Event::delete(ctx, id).await?;
    Event::delete_many(ctx, |e| e.what.eq("x")).await?;
    Event::update_with(ctx, id, |e| e.what.set("y")).await?;
    Event::singleton(ctx, || NewEvent { what: "z".into() }).await?;
    Ok(())
}

fn main() {}
