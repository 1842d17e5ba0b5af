//! Documents of older versions and whole collections: what brings them up to date, and what tells where that stands.

pub(in crate::engine) mod backlog;
pub(in crate::engine) mod check;
pub(in crate::engine) mod migrate;
pub(in crate::engine) mod migrations;
pub(in crate::engine) mod steps;
