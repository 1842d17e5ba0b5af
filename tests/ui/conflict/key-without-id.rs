use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "visits", key(page, reader), id = string, id_prefix = "vis_")]
struct Visits {
    #[model(tenant)]
    organization: TenantId,
    #[model(hidden)]
    page: String,
    #[model(pii(erased = "gone"))]
    reader: String,
    #[model(rename = "_id")]
    own: String,
}

fn main() {}
