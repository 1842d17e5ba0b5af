//! The benchmarks of `model-core`: every figure is a ratio to what one would write without it.
//!
//! - [`codec`]: storage and views against serde, by instruction count and by time;
//! - [`server`]: the verbs against the bare driver that sends the same commands, interleaved in one process, by one task and by
//!   sixty-four;
//! - [`populate`]: references against a hand-written `$in`;
//! - [`growth`]: pages, streams, populate, bulk work, tenants and scopes, the large case against the small one;
//! - [`load`]: many tasks on mixed operations, against the same by the bare driver, slice by slice;
//! - [`migration`]: a migration of many documents, against a script that makes the same updates;
//! - [`secrets`]: envelopes against bare AES-GCM, reads of sealed against binary values, logins that wait;
//! - [`compile`]: a hundred models against a hundred serde structs with the same calls by hand, and a crate from nothing.
//!
//! Which flag runs what is told in `README.md`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that does not run has nobody to report to but a terminal"
)]

pub mod codec;
pub mod compile;
pub mod document;
pub mod document_seal;
pub mod growth;
pub mod load;
pub mod migration;
pub mod populate;
pub mod report;
pub mod rounds;
pub mod secrets;
pub mod server;
pub mod stage;
pub mod statistics;
pub mod unrevealed;
pub mod valgrind;
