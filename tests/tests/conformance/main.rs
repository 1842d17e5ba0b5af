//! The contract, line by line, on both stores.

#![allow(dead_code, reason = "not every test looks at every field of the models")]

mod harness;
mod models;

mod build;
mod create;
mod indexes;
mod rules;
mod types;
mod virtuals;
mod delete;
mod global;
mod input;
mod read;
mod secrets;
mod update;
