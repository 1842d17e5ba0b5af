use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(expires, ttl = "5x"))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(ttl = "90 days")]
    expires: DateTime<Utc>,
    #[model(ttl = "soon")]
    other: DateTime<Utc>,
    #[model(ttl = 99999999999)]
    last: DateTime<Utc>,
}

fn main() {}
