use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
    #[model(readonly)]
    project: String,
    name: String,
    #[model(created_at)]
    created_at: DateTime<Utc>,
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

fn patches(id: Id<Widget>, tenant: TenantId) {
    let _ = WidgetPatch { id: Set(id), ..Default::default() };
    let _ = WidgetPatch { organization: Set(tenant), ..Default::default() };
    let _ = WidgetPatch { project: Set("other".to_owned()), ..Default::default() };
    let _ = WidgetPatch { created_at: Keep, ..Default::default() };
}

fn main() {}
