use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
#[model(index(name, name = "a", name = "b"))]
#[model(index(seen, ttl = "1d", ttl = "2d"))]
#[model(index(slug, collation("de"), collation("en")))]
#[model(index(text = text, language = "german", language = "english"))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    name: String,
    slug: String,
    text: String,
    seen: DateTime<Utc>,
}

fn main() {}
