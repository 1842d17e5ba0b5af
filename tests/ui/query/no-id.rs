use model_core::prelude::*;

/// Its key alone names it.
#[derive(Clone, Model)]
#[model(collection = "visits", key(page, day))]
struct Visits {
    #[model(tenant)]
    organization: TenantId,
    page: String,
    day: i64,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Visits {
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

async fn read(ctx: &Context<User>) -> Result<()> {
    let id = Id::<Visits>::parse("x")?;
    Visits::get(ctx, &id).await?;
    Visits::delete(ctx, &id).await?;
    Ok(())
}

fn main() {}
