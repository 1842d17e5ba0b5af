use model_core::ModelExt;
use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    embedding: Vector<3>,
    name: String,
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

async fn nearest(ctx: &GlobalContext<User>, two: Vector<2>, three: Vector<3>) -> Result<()> {
    let _ = Widget::query(ctx).nearest(|w| &w.embedding, &two, 5).await?;
    let _ = Widget::query(ctx).nearest(|w| &w.name, &three, 5).await?;
    Ok(())
}

fn main() {}
