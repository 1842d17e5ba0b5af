use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(vector(similarity = cosin))]
    misspelt: Vector<3>,
    #[model(vector(metric = cosine))]
    unknown: Vector<3>,
    #[model(vector)]
    nothing: Vector<3>,
}

fn main() {}
