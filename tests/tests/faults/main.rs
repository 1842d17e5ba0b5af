//! Faults on a real server. Whatever happens, what was acknowledged is there, and a document and its audit entries tell
//! the same story.
//!
//! The sizes are small; `MODEL_TEST_SIZE=full` is for `.ci/soak`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod client;
mod commands;
mod ledger;
mod load;
mod model;
mod servers;

/// The small size, or the one of a soak.
fn sized(small: usize, full: usize) -> usize {
    match std::env::var("MODEL_TEST_SIZE").as_deref() {
        Ok("full") => full,
        _ => small,
    }
}
