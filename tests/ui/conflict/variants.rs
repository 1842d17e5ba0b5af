use model_core::prelude::*;

#[derive(Clone, Embedded)]
#[model(tag = "kind")]
enum Status {
    Open,
    #[model(rename = "Open")]
    Opened,
}

#[derive(Clone, Embedded)]
enum Shape {
    Circle { r#type: String },
    Square { side: u32, #[model(rename = "side")] other: u32 },
}

fn main() {}
