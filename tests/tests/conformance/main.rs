//! The contract, line by line, on both stores.

#![allow(dead_code, reason = "not every test looks at every field of the models")]
#![allow(
    clippy::duplicated_attributes,
    reason = "it takes two indexes over one field for a repetition"
)]

mod harness;
mod models;

mod attacks;
mod audit;
mod blind;
mod build;
mod bulk;
mod check;
mod claim;
mod composite;
mod coverage;
mod create;
mod defaults;
mod delete;
mod delete_rules;
mod discriminators;
mod elements;
mod facet;
mod fields;
mod flat;
mod global;
mod group;
mod hooks;
mod identity;
mod ids;
mod index_forms;
mod index_sync;
mod indexes;
mod input;
mod json_schema;
mod keyed;
mod keys;
mod legacy;
mod limited;
mod literal;
mod lives;
mod logins;
mod lookup;
mod manifest;
mod migrate;
mod nested_blind;
mod old_formats;
mod old_shapes;
mod older;
mod operators;
mod outbox;
mod outside;
mod own_id;
mod pages;
mod personal;
mod preload;
mod projection;
mod read;
mod reencrypt;
mod references;
mod results;
mod rules;
mod scopes;
mod seals;
mod search;
mod secrets;
mod selected;
mod series;
mod sinks;
mod spelled;
mod steps;
mod tokens;
mod transaction;
mod transfer;
mod truncated;
mod types;
mod update;
mod upsert;
mod validators;
mod variants;
mod vectors;
mod virtuals;
mod watch;
