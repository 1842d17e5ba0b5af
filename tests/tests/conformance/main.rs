//! The contract, line by line, on both stores.

#![allow(dead_code, reason = "not every test looks at every field of the models")]
#![allow(
    clippy::duplicated_attributes,
    reason = "it takes two indexes over one field for a repetition"
)]

mod harness;
mod models;

mod build;
mod create;
mod delete;
mod global;
mod index_forms;
mod index_sync;
mod indexes;
mod input;
mod json_schema;
mod manifest;
mod read;
mod rules;
mod secrets;
mod types;
mod update;
mod validators;
mod virtuals;
