use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(trim)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(collection = "names")]
    name: String,
    #[model(tag = "kind")]
    note: String,
}

#[derive(Clone, Embedded)]
#[model(collection = "limits")]
struct Limits {
    #[model(index)]
    max: u32,
    #[model(unique, ttl = "1d")]
    min: u32,
    #[model(tenant)]
    owner: String,
    #[model(created_at)]
    since: DateTime<Utc>,
}

#[derive(Clone, Embedded)]
#[model(version = 2, virtuals(name: String))]
enum Shape {
    Circle {
        #[model(readonly, skip_audit, skip_updated_at)]
        radius: u32,
    },
    #[model(trim)]
    Nothing,
}

fn main() {}
