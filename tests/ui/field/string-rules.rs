use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(trim)]
    a: u32,
    #[model(len(..=5))]
    b: bool,
    #[model(pattern = "x")]
    c: Option<f64>,
    #[model(email, url)]
    d: i64,
    #[model(one_of("a"))]
    e: DateTime<Utc>,
    #[model(lowercase)]
    f: Vec<u32>,
}

fn main() {}
