//! A collection of fixed size has no tenants, and its documents are written once.
use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "lines", capped(size = 1_000), time_series(time = at), audit)]
struct Line {
    #[model(id)]
    id: Id<Line>,
    #[model(tenant)]
    org: TenantId,
    at: DateTime<Utc>,
}

#[derive(Clone, Model)]
#[model(collection = "lines", global, capped(max = 0))]
struct Endless {
    #[model(id)]
    id: Id<Endless>,
}

fn main() {}
