use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(rename_all = "camelCase")]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    first_name: String,
    #[model(rename = "firstName")]
    name: String,
    #[model(rename = "_id")]
    other: String,
    #[model(rename = "id")]
    third: String,
}

fn main() {}
