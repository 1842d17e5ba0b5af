use model_core::prelude::*;

#[derive(Clone, Embedded)]
enum Body {
    Text { words: String },
    Image { url: String },
}

#[derive(Clone, Model)]
#[model(collection = "posts", index(body.text.url))]
struct Post {
    #[model(id)]
    id: Id<Post>,
    #[model(tenant)]
    organization: TenantId,
    body: Body,
}

fn filters(p: &'static PostFields) {
    let _ = p.body.image.words.eq("x");
    let _ = p.body.url.eq("x");
    let _ = p.body.eq("text");
}

fn main() {}
