//! The contract, line by line, on both stores.

#![allow(dead_code, reason = "not every test looks at every field of the models")]
#![allow(
    clippy::duplicated_attributes,
    reason = "it takes two indexes over one field for a repetition"
)]

mod harness;
mod models;

mod audit;
mod build;
mod bulk;
mod claim;
mod create;
mod delete;
mod global;
mod indexes;
mod input;
mod lives;
mod operators;
mod outbox;
mod outside;
mod read;
mod rules;
mod scopes;
mod secrets;
mod transaction;
mod types;
mod update;
mod upsert;
mod virtuals;
