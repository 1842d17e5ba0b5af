use model_core::prelude::*;
use model_core::query::Group;

use super::Campaign;
use crate::Ctx;
use crate::account::policy;

#[derive(Clone, Embedded)]
#[model(defaults)]
pub struct Metrics {
    #[model(default = 0, range(0..))]
    pub impressions: i64,
    #[model(default = 0, range(0..))]
    pub clicks: i64,
    /// In minor units.
    #[model(default = 0, range(0..))]
    pub spend: i64,
    #[model(default = 0, range(0..))]
    pub conversions: i64,
}

/// What a campaign did in one hour; forgotten after two years.
#[derive(Clone, Model)]
#[model(collection = "performancesnapshots", rename_all = "camelCase", key(campaign, hour), index(hour = desc))]
#[model(index(hour, ttl = "730d", global, name = "hour_ttl"))]
#[model(virtuals(ctr: f64))]
pub struct PerformanceSnapshot {
    #[model(id)]
    pub id: Id<PerformanceSnapshot>,
    #[model(tenant)]
    pub tenant_id: TenantId,
    #[model(filterable(eq, in_))]
    pub campaign: Id<Campaign>,
    /// The hour's beginning.
    #[model(filterable, sortable)]
    pub hour: DateTime<Utc>,
    #[model(default)]
    pub metrics: Metrics,
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub updated_at: DateTime<Utc>,
}

/// A campaign's sums over a time.
#[derive(Clone, Embedded)]
pub struct Total {
    pub campaign: Id<Campaign>,
    pub impressions: i64,
    pub clicks: i64,
    pub spend: i64,
}

impl BaseModel for PerformanceSnapshot {
    policy!(Ctx, read: is_anybody, write: is_service, delete: is_service);

    const READ_SCOPE: ReadScope = ReadScope::Exact;
}

impl PerformanceSnapshot {
    pub fn ctr(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a rate of clicks is no exact number")]
        let rate = self.metrics.clicks as f64 / self.metrics.impressions as f64;
        if self.metrics.impressions == 0 { 0.0 } else { rate }
    }

    /// Stores what Meta tells of an hour; it may tell again, and more.
    pub async fn record(
        service: &Ctx,
        campaign: &Id<Campaign>,
        hour: DateTime<Utc>,
        metrics: Metrics,
    ) -> Result<Self> {
        let new = NewPerformanceSnapshot {
            campaign: campaign.clone(),
            hour,
            optional: NewPerformanceSnapshotOptional {
                metrics: Some(metrics.clone()),
            },
        };
        let again = PerformanceSnapshotPatch {
            metrics: Set(metrics),
            ..Default::default()
        };
        let key = |s: &PerformanceSnapshotFields| s.campaign.eq(campaign) & s.hour.eq(hour);
        Ok(Self::upsert(service, key, new, again).await?.into_document())
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
}
