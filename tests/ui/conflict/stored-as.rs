use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id, stored_as = "_id")]
    id: Id<Widget>,
    #[model(stored_as = "title")]
    name: String,
}

#[derive(Clone, Model)]
#[model(collection = "gadgets", global)]
struct Gadget {
    #[model(id, stored_as = "a.b", index)]
    id: Id<Gadget>,
    #[model(rename = "_id")]
    other: String,
}

#[derive(Clone, Model)]
#[model(collection = "parts", global)]
struct Part {
    #[model(id, stored_as = "name")]
    id: Id<Part>,
    name: String,
}

fn main() {}
