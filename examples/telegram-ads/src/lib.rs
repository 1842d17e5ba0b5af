//! The dashboard of a bot that posts campaigns to Telegram groups: operators, groups, campaigns, a queue, results, deals.
//!
//! One file a model; `use telegram_ads::*` brings them all.

pub mod models;
pub mod operator;

pub use models::*;
pub use operator::{Ctx, Operator};

use model_core::DbBuilder;

/// All models of the dashboard.
pub fn register(builder: DbBuilder) -> DbBuilder {
    builder
        .model::<User>()
        .model::<Session>()
        .model::<MagicLink>()
        .model::<TelegramGroup>()
        .model::<Campaign>()
        .model::<Creative>()
        .model::<ScheduledPost>()
        .model::<PostHistory>()
        .model::<Creator>()
        .model::<Casino>()
        .model::<Deal>()
        .model::<Settings>()
        .model::<AuditLog>()
}
