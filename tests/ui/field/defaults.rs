use model_core::prelude::*;

#[derive(Clone, Embedded)]
#[model(defaults)]
struct Rights {
    #[model(default = true)]
    read: bool,
    write: bool,
    #[model(default = now)]
    since: DateTime<Utc>,
}

#[derive(Clone, Embedded)]
#[model(defaults)]
enum Level {
    Low,
}

#[derive(Clone, Model)]
#[model(collection = "widgets", global)]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(default = now)]
    name: String,
}

fn main() {}
