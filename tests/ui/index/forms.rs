use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
#[model(index(title = txt), index(title = text(0)), index(title, partial(count != 1)))]
#[model(index(title, partial(!exists(note))), index(title, collation("en", strenght = 2)))]
struct Spelling {
    #[model(id)]
    id: Id<Spelling>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    note: Option<String>,
    count: i32,
}

#[derive(Clone, Model)]
#[model(collection = "gadgets")]
#[model(index(title = text, unique), index(count = hashed, note = hashed), index(labels.*, count))]
#[model(index(note = text, title, count = text), index(title, note, sparse), index(title, count, language = "german"))]
#[model(index(note, name = "mine", replaces = "mine"), index(note = text, collation("en"), global))]
#[model(index(title, global, sparse, exists(note)))]
struct Rules {
    #[model(id)]
    id: Id<Rules>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    note: Option<String>,
    count: i32,
    language: String,
    labels: std::collections::BTreeMap<String, String>,
}

fn main() {}
