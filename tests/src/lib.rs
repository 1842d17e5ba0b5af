//! What the tests, benchmarks and examples of `model-core` share: a real MongoDB and a record of what is sent to it.
//!
//! [`server`] starts one MongoDB for a test process and hands out databases on it; [`events`] records the commands
//! that a client sends. The binary `with-mongod` runs any command with `MONGODB_URI` pointing at such a server.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "test support: a failure here is a failed test, and a panic is how a test says so"
)]

pub mod depot;
pub mod events;
pub mod server;
