use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    count: i32,
}

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Widget {
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

#[derive(Clone, Projection)]
#[projection(of = Widget)]
struct Line {
    id: Id<Widget>,
    name: String,
}

async fn save(ctx: &Context<User>, line: Line) -> Result<()> {
    Line::create(ctx, line.clone()).await?;
    Line::replace(ctx, &line.id, line.clone()).await?;
    line.save(ctx).await?;
    Line::delete(ctx, &line.id).await?;
    Ok(())
}

fn main() {}
