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
mod group;
mod indexes;
mod input;
mod pages;
mod preload;
mod projection;
mod read;
mod rules;
mod secrets;
mod selected;
mod types;
mod update;
mod virtuals;
