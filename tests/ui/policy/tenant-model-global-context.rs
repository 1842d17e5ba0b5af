use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
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

async fn find(ctx: &GlobalContext<User>, id: &Id<Widget>) -> Result<Option<Widget>> {
    Widget::get(ctx, id).await
}

fn main() {}
