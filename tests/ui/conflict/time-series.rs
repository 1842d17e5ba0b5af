//! What the server cannot do in a time series is not declared of one.
use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "points", time_series(time = at, meta(org, at, source, source, nobody)), audit, soft_delete, watch, validator)]
struct Point {
    #[model(id)]
    id: Id<Point>,
    #[model(tenant)]
    org: TenantId,
    #[model(unique)]
    source: String,
    #[model(ttl = "90d")]
    at: DateTime<Utc>,
    #[model(pii)]
    name: Option<String>,
}

#[derive(Clone, Model)]
#[model(collection = "points", global, time_series(granularity = "days"))]
struct Timeless {
    #[model(id)]
    id: Id<Timeless>,
}

#[derive(Clone, Model)]
#[model(collection = "points", global, time_series(time = at), index(text = text), index(at, sparse))]
struct Sometimes {
    #[model(id)]
    id: Id<Sometimes>,
    at: Option<DateTime<Utc>>,
    text: String,
}

fn main() {}
