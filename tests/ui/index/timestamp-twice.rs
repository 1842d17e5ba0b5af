use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(timestamp), index(timestamp, ttl = "90d"))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    timestamp: DateTime<Utc>,
}

fn main() {}
