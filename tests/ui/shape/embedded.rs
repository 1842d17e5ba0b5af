use model_core::prelude::*;

#[derive(Clone, Embedded)]
struct Pair(u32, u32);

#[derive(Clone, Embedded)]
struct Nothing;

#[derive(Clone, Embedded)]
enum Never {}

#[derive(Clone, Embedded)]
struct Held<T> {
    value: T,
}

#[derive(Clone, Embedded)]
enum Shape {
    Rectangle(u32, u32),
    Empty(),
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
struct Email(#[model(trim)] String);

fn main() {}
