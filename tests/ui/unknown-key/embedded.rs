use model_core::prelude::*;

#[derive(Clone, Embedded)]
#[model(rename_al = "camelCase")]
struct Limits {
    #[model(readonyl)]
    max: u32,
}

#[derive(Clone, Embedded)]
#[model(tga = "kind")]
enum Shape {
    #[model(renam = "circle")]
    Circle {
        #[model(rnge(0..))]
        radius: u32,
    },
}

fn main() {}
