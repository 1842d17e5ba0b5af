use model_core::prelude::*;

use super::{Creative, PostMetrics, TelegramGroup};
use crate::operator::{Ctx, Operator};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum CampaignType {
    Onlyfans,
    Casino,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum CampaignStatus {
    Draft,
    Active,
    Paused,
    Completed,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct Schedule {
    pub start_at: Option<DateTime<Utc>>,
    pub end_at: Option<DateTime<Utc>>,
    /// Hours of the day, UTC.
    #[model(items(..=24), range(0..=23))]
    pub hours: Vec<i32>,
}

/// How often a campaign posts, over all groups.
#[derive(Clone, Embedded)]
#[model(defaults)]
pub struct Limits {
    #[model(default = 10, range(0..=1000))]
    pub daily: i64,
    #[model(default = 50, range(0..=7000))]
    pub weekly: i64,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(defaults)]
pub struct Performance {
    pub views: i64,
    pub clicks: i64,
    pub ctr: f64,
    pub revenue: f64,
}

/// What is advertised, where, how often, and what came of it.
#[derive(Clone, Model)]
#[model(collection = "campaigns", rename_all = "camelCase", global, audit(name = name))]
#[model(index(status, priority = desc), index(kind, status))]
pub struct Campaign {
    pub id: Id<Campaign>,
    #[model(trim, len(1..=120))]
    pub name: String,
    #[model(rename = "type", readonly, filterable)]
    pub kind: CampaignType,
    #[model(default = CampaignStatus::Draft, filterable)]
    pub status: CampaignStatus,
    #[model(default = 0, range(0..=10), filterable, sortable)]
    pub priority: i32,
    #[model(default)]
    pub target_groups: Vec<Id<TelegramGroup>>,
    #[model(default)]
    pub creatives: Vec<Id<Creative>>,
    #[model(default)]
    pub schedule: Schedule,
    #[model(default)]
    pub limits: Limits,
    #[model(default, skip_audit)]
    pub performance: Performance,
    /// Moved by every post that is reserved, so that two at once meet here.
    #[model(hidden, skip_audit, skip_updated_at)]
    pub reservations: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A campaign as lists show it: a lean read.
#[derive(Projection)]
#[projection(of = Campaign)]
pub struct CampaignLine {
    pub id: Id<Campaign>,
    pub name: String,
    pub status: CampaignStatus,
    pub performance: Performance,
}

impl BaseModel for Campaign {
    policy!(Operator, read, create, update: true, delete: is_admin);

    async fn validate(&self, _ctx: &Ctx) -> Result<()> {
        if self.limits.weekly < self.limits.daily {
            return Err(Error::violation(
                "limits.weekly",
                "limits",
                "is below the daily limit",
            ));
        }
        if self.status == CampaignStatus::Active
            && (self.creatives.is_empty() || self.target_groups.is_empty())
        {
            return Err(Error::violation(
                "status",
                "active",
                "needs a creative and a group",
            ));
        }
        Ok(())
    }

    /// What is measured is the bot's to write.
    fn readonly_for(ctx: &Ctx) -> FieldSet<Self> {
        if ctx.actor().is_bot() {
            return FieldSet::none();
        }
        Self::field_set(|c| c.performance.only() | c.reservations.only())
    }

    async fn before_create(_ctx: &Ctx, campaign: &mut Self) -> Result<()> {
        campaign.performance = Performance::default();
        Ok(())
    }

    async fn before_update(_ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        let performance = &mut change.after_mut().performance;
        performance.ctr = rate(performance.clicks, performance.views);
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate of clicks is no exact number")]
fn rate(clicks: i64, views: i64) -> f64 {
    if views == 0 {
        0.0
    } else {
        clicks as f64 / views as f64
    }
}

impl Campaign {
    /// Adds what a post brought since it was last measured; `ctr` follows.
    pub async fn add_performance(ctx: &Ctx, id: &Id<Self>, more: &PostMetrics, revenue: f64) -> Result<Self> {
        let (views, clicks) = (more.views, more.clicks);
        Self::update_with(ctx, id, |c| {
            c.performance
                .views
                .inc(views)
                .and(c.performance.clicks.inc(clicks))
                .and(c.performance.revenue.inc(revenue))
        })
        .await
    }
}
