use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    _rev: String,
    #[model(rename = "_sv")]
    a: String,
    #[model(rename = "$set")]
    b: String,
    #[model(rename = "x.y")]
    c: String,
    #[model(rename = "")]
    d: String,
    _deleted_at: Option<DateTime<Utc>>,
}

fn main() {}
