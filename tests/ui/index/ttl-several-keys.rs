use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(name, expires, ttl = "1h"))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
    expires: DateTime<Utc>,
}

fn main() {}
