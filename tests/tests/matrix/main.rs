//! The matrix: every public write against every guarantee, every public read against every guarantee. There is no second
//! path: what a single update promises, the bulk verb promises too. A verb that is not in the table fails `complete`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]
#![allow(clippy::duplicate_mod, reason = "the same tests hold for ids of either form")]

mod complete;
mod verbs;

/// Of a model whose id is its `_id`.
#[path = "."]
mod by_underscore_id {
    /// Where the id is stored.
    const ID: &str = "_id";

    macro_rules! with_its_id {
        ($($model:item)*) => { $($model)* };
    }

    mod hooks;
    mod model;
    pub(super) mod reads;
    mod revisions;
    mod singleton;
    pub(super) mod writes;
}

/// Of a model whose id stands beside an `_id` that nobody sees.
#[path = "."]
mod by_own_id {
    /// Where the id is stored.
    const ID: &str = "id";

    macro_rules! with_its_id {
        ($(#[$outer:meta])* $vis:vis struct $name:ident { #[model(id)] $($rest:tt)* }) => {
            $(#[$outer])*
            $vis struct $name {
                #[model(id, stored_as = "id")]
                $($rest)*
            }
        };
    }

    mod hooks;
    mod model;
    pub(super) mod reads;
    mod revisions;
    mod singleton;
    pub(super) mod writes;
}
