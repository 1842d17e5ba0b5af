//! Campaigns on Meta for many tenants: connections with OAuth tokens, campaigns, their performance, users who sign in; and
//! an HTTP service over them.

mod account;
pub mod client;
pub mod models;
pub mod service;

pub use account::*;
pub use models::*;

use model_core::Registry;
use model_core::admin::Admin;
use model_core::prelude::*;

/// All models of the service, for its database and for the command that administers it.
pub fn register<R: Registry<Account>>(registry: R) -> R {
    registry
        .model::<Tenant>()
        .model::<User>()
        .model::<Session>()
        .model::<MetaConnection>()
        .model::<Campaign>()
        .model::<PerformanceSnapshot>()
}

/// The administration command over all models of the service.
pub fn admin(db: Db) -> Admin<Account> {
    register(Admin::new(db, Account::Service))
}
