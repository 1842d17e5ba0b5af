use chrono::TimeDelta;
use model_core::prelude::*;

use super::{Campaign, CampaignStatus, Creative, ScheduledPost, TelegramGroup};
use crate::operator::{Ctx, Operator};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum PostStatus {
    Sent,
    Failed,
    Deleted,
}

#[derive(Clone, Embedded)]
#[model(defaults)]
pub struct PostMetrics {
    pub views: i64,
    pub clicks: i64,
    pub reactions: i64,
    pub replies: i64,
}

/// A post as it went out, and what it brought.
#[derive(Clone, Model)]
#[model(collection = "posthistories", rename_all = "camelCase", global)]
#[model(index(campaign_id, sent_at = desc), index(group_id, sent_at = desc))]
pub struct PostHistory {
    pub id: Id<PostHistory>,
    #[model(readonly)]
    pub campaign_id: Id<Campaign>,
    #[model(readonly)]
    pub group_id: Id<TelegramGroup>,
    #[model(readonly)]
    pub creative_id: Id<Creative>,
    pub message_id: Option<i64>,
    #[model(readonly, default = now)]
    pub sent_at: DateTime<Utc>,
    #[model(default)]
    pub metrics: PostMetrics,
    #[model(default = 0.0)]
    pub revenue: f64,
    #[model(default = PostStatus::Sent)]
    pub status: PostStatus,
}

impl BaseModel for PostHistory {
    policy!(Operator, read: true, create, update: is_bot, delete: is_admin);
}

impl PostHistory {
    /// Reserves a post within the campaign's limits, before it is sent. It changes the campaign, so that of two posts at
    /// once the second counts the first.
    pub async fn reserve(bot: &Ctx, entry: &ScheduledPost) -> Result<Self> {
        bot.transaction(|tx| async move {
            let campaign = Campaign::update_with(&tx, &entry.campaign_id, |c| c.reservations.inc(1)).await?;
            if campaign.status != CampaignStatus::Active {
                return Err(Error::refused("the campaign is not active"));
            }
            let limits = [(campaign.limits.daily, 1), (campaign.limits.weekly, 7)];
            for (limit, days) in limits {
                let since = tx.now() - TimeDelta::days(days);
                if Self::count_since(&tx, &campaign.id, since).await? >= limit.unsigned_abs() {
                    return Err(Error::refused("the campaign has reached its limit"));
                }
            }
            let new = NewPostHistory {
                campaign_id: campaign.id,
                group_id: entry.group_id.clone(),
                creative_id: entry.creative_id.clone(),
                optional: NewPostHistoryOptional::default(),
            };
            Self::create(&tx, new).await
        })
        .await
    }

    async fn count_since(ctx: &Ctx, campaign: &Id<Campaign>, since: DateTime<Utc>) -> Result<u64> {
        let sent = Self::query(ctx).filter(|p| p.campaign_id.eq(campaign) & p.sent_at.gt(since));
        sent.filter(|p| p.status.ne(PostStatus::Failed)).count().await
    }

    /// Stores what Telegram tells of the post by now, and adds the difference to its campaign.
    pub async fn measured(bot: &Ctx, id: &Id<Self>, metrics: PostMetrics, revenue: f64) -> Result<Self> {
        bot.transaction(|tx| async move {
            let before = Self::fetch(&tx, id).await?;
            let more = PostMetrics {
                views: metrics.views - before.metrics.views,
                clicks: metrics.clicks - before.metrics.clicks,
                ..PostMetrics::default()
            };
            Campaign::add_performance(&tx, &before.campaign_id, &more, revenue - before.revenue).await?;
            Self::update_with(&tx, id, |p| {
                p.metrics.set(metrics.clone()).and(p.revenue.set(revenue))
            })
            .await
        })
        .await
    }
}
