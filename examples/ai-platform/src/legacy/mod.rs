//! The migration: every collection of the system before, into the tenant that all of it belongs to.
//!
//! The old collections step aside under `legacy_*`. What others refer to is moved first, so that references are rewritten where
//! they lie, and each document is turned around once, when it is moved itself. A second run finds nothing to do.

mod learning;
mod old;
mod people;
pub mod sample;
mod talks;

use bson::Bson;
use model_core::Steps;
use model_core::prelude::*;

use self::old::Old;
use crate::models::Tenant;

/// The names of the steps that give documents new ids, for [`Steps::moved_id`].
pub const MOVED_USERS: &str = "users belong to a tenant";
pub const MOVED_MODULES: &str = "modules belong to a tenant";

/// The first steps: the old collections step aside. Then the new indexes are built, and the tenant is created.
pub fn step_aside() -> Steps {
    Steps::new()
        .rename("the old users step aside", "users", "legacy_users")
        .rename(
            "the old conversations step aside",
            "conversations",
            "legacy_conversations",
        )
        .rename("the old messages step aside", "messages", "legacy_messages")
        .rename("the old agents step aside", "agents", "legacy_agents")
        .rename("the old files step aside", "files", "legacy_files")
        .rename("the old courses step aside", "courses", "legacy_courses")
        .rename("the old modules step aside", "modules", "legacy_modules")
        .rename(
            "the old transactions step aside",
            "transactions",
            "legacy_transactions",
        )
}

/// The steps that bring everything into one tenant.
pub fn into_tenant(tenant: &Id<Tenant>) -> Steps {
    let into = |shape: fn(Old) -> Result<Old>| {
        let tenant: Bson = tenant.to_bson();
        move |document| shape(Old::new(document))?.finish(&tenant)
    };
    Steps::new()
        .move_documents(MOVED_USERS, "legacy_users", "users", into(people::user))
        .references("legacy_conversations", "user")
        .references("legacy_messages", "user")
        .references("legacy_agents", "author")
        .references("legacy_files", "user")
        .references("legacy_transactions", "user")
        .move_documents(
            "files belong to a tenant",
            "legacy_files",
            "files",
            into(talks::file),
        )
        .references("legacy_messages", "files")
        .move_documents(
            "agents belong to a tenant",
            "legacy_agents",
            "agents",
            into(talks::agent),
        )
        .move_documents(
            "conversations belong to a tenant",
            "legacy_conversations",
            "conversations",
            into(talks::conversation),
        )
        .move_documents(
            "messages belong to a tenant",
            "legacy_messages",
            "messages",
            into(talks::message),
        )
        .move_documents(
            "courses belong to a tenant",
            "legacy_courses",
            "courses",
            into(learning::course),
        )
        .references("legacy_modules", "courseId")
        .move_documents(MOVED_MODULES, "legacy_modules", "modules", into(learning::module))
        .move_documents(
            "transactions belong to a tenant",
            "legacy_transactions",
            "transactions",
            into(people::transaction),
        )
}
