use model_core::prelude::*;

use super::{Campaign, Creative, PostHistory, TelegramGroup};
use crate::operator::{Ctx, Operator};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum QueueStatus {
    Pending,
    Processing,
    Posted,
    Failed,
    Cancelled,
}

/// A post that waits for its time.
#[derive(Clone, Model)]
#[model(collection = "scheduledposts", rename_all = "camelCase", global)]
#[model(index(status, scheduled_for))]
pub struct ScheduledPost {
    pub id: Id<ScheduledPost>,
    #[model(readonly, index)]
    pub campaign_id: Id<Campaign>,
    #[model(readonly)]
    pub group_id: Id<TelegramGroup>,
    #[model(readonly)]
    pub creative_id: Id<Creative>,
    pub scheduled_for: DateTime<Utc>,
    #[model(default = QueueStatus::Pending)]
    pub status: QueueStatus,
    pub worker: Option<String>,
    #[model(default = 0)]
    pub attempts: i32,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for ScheduledPost {
    policy!(Operator, read, create, update: true, delete: is_admin);
}

impl ScheduledPost {
    /// Takes the next entry that is due; no other worker gets the same.
    pub async fn take(bot: &Ctx, worker: &str) -> Result<Option<Self>> {
        let now = bot.now();
        let patch = ScheduledPostPatch {
            status: Set(QueueStatus::Processing),
            worker: Set(Some(worker.to_owned())),
            ..Default::default()
        };
        Self::query(bot)
            .filter(|p| p.status.eq(QueueStatus::Pending) & p.scheduled_for.lte(now))
            .sort(|p| p.scheduled_for.asc())
            .claim(patch)
            .await
    }

    /// The entry is posted and its history tells the message, together; only what is being processed can be.
    pub async fn posted(
        bot: &Ctx,
        id: &Id<Self>,
        history: &Id<PostHistory>,
        message_id: i64,
    ) -> Result<Self> {
        bot.transaction(|tx| async move {
            PostHistory::update_with(&tx, history, |p| p.message_id.set(message_id)).await?;
            let done = ScheduledPostPatch {
                status: Set(QueueStatus::Posted),
                ..Default::default()
            };
            let processing = Self::query(&tx).filter(|p| p.id.eq(id) & p.status.eq(QueueStatus::Processing));
            let entry = processing.claim(done).await?;
            entry.ok_or_else(|| Error::refused("the entry is not being processed"))
        })
        .await
    }

    /// The entry failed: it waits again, three times in all.
    pub async fn failed(bot: &Ctx, id: &Id<Self>, error: &str) -> Result<Self> {
        Self::modify(bot, id, |entry| {
            let again = entry.attempts < 2;
            let status = if again {
                QueueStatus::Pending
            } else {
                QueueStatus::Failed
            };
            Ok(Some(ScheduledPostPatch {
                status: Set(status),
                worker: Set(None),
                attempts: Set(entry.attempts + 1),
                error: Set(Some(error.to_owned())),
                ..Default::default()
            }))
        })
        .await
    }
}
