use model_core::prelude::*;
use model_core::query::{Group, Window};

use super::Campaign;
use crate::{Account, Ctx};

#[derive(Clone, PartialEq, Embedded)]
#[model(defaults)]
pub struct Metrics {
    pub impressions: i64,
    pub clicks: i64,
    /// In minor units.
    pub spend: i64,
    pub conversions: i64,
}

/// What a campaign did in an hour: that, or what Meta told of it later, more or less. Forgotten after two years.
#[derive(Clone, Model)]
#[model(collection = "performancesnapshots", rename_all = "camelCase", virtuals(ctr: f64))]
#[model(time_series(time = hour, meta(campaign), granularity = "hours", expire_after = "730d"))]
#[model(index(campaign, hour = desc))]
pub struct PerformanceSnapshot {
    pub id: Id<PerformanceSnapshot>,
    pub tenant_id: TenantId,
    #[model(filterable(eq, in_))]
    pub campaign: Id<Campaign>,
    /// The hour's beginning.
    #[model(filterable, sortable)]
    pub hour: DateTime<Utc>,
    pub metrics: Metrics,
    pub created_at: DateTime<Utc>,
}

/// A campaign's sums over a time.
#[derive(Clone, Embedded)]
pub struct Total {
    pub campaign: Id<Campaign>,
    pub impressions: i64,
    pub clicks: i64,
    pub spend: i64,
}

/// The sums of one day.
#[derive(Clone, Embedded)]
pub struct Day {
    pub day: DateTime<Utc>,
    pub impressions: i64,
    pub clicks: i64,
    pub spend: i64,
}

impl BaseModel for PerformanceSnapshot {
    policy!(Account, read: true, create, update, delete: is_service);

    const READ_SCOPE: ReadScope = ReadScope::Exact;
}

impl Metrics {
    /// What these figures add to those that are known.
    fn beyond(&self, known: &Self) -> Self {
        Self {
            impressions: self.impressions - known.impressions,
            clicks: self.clicks - known.clicks,
            spend: self.spend - known.spend,
            conversions: self.conversions - known.conversions,
        }
    }
}

impl PerformanceSnapshot {
    pub fn ctr(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a rate of clicks is no exact number")]
        let rate = self.metrics.clicks as f64 / self.metrics.impressions as f64;
        if self.metrics.impressions == 0 { 0.0 } else { rate }
    }

    /// Stores what Meta tells of an hour. It may tell again: a measurement never changes, so that what is new is another one.
    pub async fn record(
        service: &Ctx,
        campaign: &Id<Campaign>,
        hour: DateTime<Utc>,
        told: Metrics,
    ) -> Result<Option<Self>> {
        let known = Self::query(service)
            .filter(|s| s.campaign.eq(campaign) & s.hour.eq(hour))
            .group::<Metrics>(|s, row| {
                Group::all()
                    .sum(&row.impressions, &s.metrics.impressions)
                    .sum(&row.clicks, &s.metrics.clicks)
                    .sum(&row.spend, &s.metrics.spend)
                    .sum(&row.conversions, &s.metrics.conversions)
            })
            .await?;
        let metrics = told.beyond(&known.into_iter().next().unwrap_or_default());
        if metrics == Metrics::default() {
            return Ok(None);
        }
        let campaign = campaign.clone();
        let new = NewPerformanceSnapshot {
            campaign,
            hour,
            metrics,
        };
        Self::create(service, new).await.map(Some)
    }

    /// The sums of each campaign since an instant, added up by the server.
    pub async fn totals(ctx: &Ctx, since: DateTime<Utc>) -> Result<Vec<Total>> {
        Self::query(ctx)
            .filter(|s| s.hour.gte(since))
            .group::<Total>(|s, row| {
                Group::by(&row.campaign, &s.campaign)
                    .sum(&row.impressions, &s.metrics.impressions)
                    .sum(&row.clicks, &s.metrics.clicks)
                    .sum(&row.spend, &s.metrics.spend)
            })
            .sort(|row| row.spend.desc())
            .await
    }

    /// What a campaign did on each day since an instant, the last first; a day on which it did nothing has no sums.
    pub async fn days(ctx: &Ctx, campaign: &Id<Campaign>, since: DateTime<Utc>) -> Result<Vec<Day>> {
        Self::query(ctx)
            .filter(|s| s.campaign.eq(campaign) & s.hour.gte(since))
            .group::<Day>(|s, row| {
                Group::by_window(&row.day, &s.hour, Window::days(1))
                    .sum(&row.impressions, &s.metrics.impressions)
                    .sum(&row.clicks, &s.metrics.clicks)
                    .sum(&row.spend, &s.metrics.spend)
            })
            .sort(|row| row.day.desc())
            .await
    }
}
