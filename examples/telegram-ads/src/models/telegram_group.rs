use model_core::prelude::*;

use crate::operator::Operator;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum GroupStatus {
    Active,
    Paused,
    Banned,
}

/// A group that the bot posts to.
#[derive(Clone, Model)]
#[model(collection = "telegramgroups", rename_all = "camelCase", global, audit(name = title))]
pub struct TelegramGroup {
    pub id: Id<TelegramGroup>,
    /// Telegram's own number of the chat.
    #[model(unique, readonly)]
    pub chat_id: i64,
    #[model(trim, len(1..=255))]
    pub title: String,
    #[model(trim)]
    pub username: Option<String>,
    #[model(default = 0, range(0..), skip_audit, sortable)]
    pub member_count: i64,
    #[model(index, default = GroupStatus::Active, filterable)]
    pub status: GroupStatus,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for TelegramGroup {
    policy!(Operator, read, create, update: true, delete: is_admin);
}
