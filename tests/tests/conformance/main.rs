//! The contract, line by line, on both stores.

#![allow(dead_code, reason = "not every test looks at every field of the models")]
#![allow(
    clippy::duplicated_attributes,
    reason = "it takes two indexes over one field for a repetition"
)]

mod harness;
mod models;

mod attacks;
mod blind;
mod build;
mod create;
mod delete;
mod elements;
mod global;
mod indexes;
mod input;
mod keys;
mod legacy;
mod read;
mod reencrypt;
mod rules;
mod secrets;
mod tokens;
mod types;
mod update;
mod virtuals;
