//! The matrix: every public write against every guarantee, every public read against every guarantee. There is no second
//! path: what a single update promises, the bulk verb promises too. A verb that is not in the table fails `complete`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod complete;
mod hooks;
mod model;
mod reads;
mod revisions;
mod singleton;
mod verbs;
mod writes;
