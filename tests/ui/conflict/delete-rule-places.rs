//! Inside of an embedded type a delete rule does what its type allows, too.

use model_core::prelude::*;

#[derive(Clone, Embedded)]
struct Seat {
    #[model(on_delete = nullify)]
    taken_by: Ref<Seat>,
    #[model(on_delete = pull)]
    row: i32,
    #[model(readonly, on_delete = pull)]
    guests: Vec<Ref<Seat>>,
}

#[derive(Clone, Embedded)]
enum Owner {
    Human {
        #[model(on_delete = cascade)]
        name: String,
    },
}

fn main() {}
