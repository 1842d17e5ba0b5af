use model_core::prelude::*;

#[derive(Clone)]
struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
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

async fn follow(ctx: &Context<User>) {
    let _ = Widget::watch(ctx);
}

fn main() {}
