use model_core::prelude::*;

use super::MetaConnection;
use crate::{Account, Ctx};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "UPPERCASE")]
pub enum CampaignStatus {
    Active,
    Paused,
    Deleted,
    Archived,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Objective {
    OutcomeTraffic,
    OutcomeLeads,
    OutcomeSales,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub struct Budget {
    /// In minor units of the ad account's currency.
    #[model(range(100..=100_000_000), filterable)]
    pub daily: i64,
    #[model(range(100..))]
    pub lifetime: Option<i64>,
}

/// A campaign as Meta's API has it, with what we keep beside it.
#[derive(Clone, Model)]
#[model(collection = "campaigns", rename_all = "camelCase", audit(name = name))]
#[model(index(status, created_at = desc, id = desc), index(created_at = desc, id = desc), index(meta_campaign_id, unique))]
#[model(virtuals(is_running: bool))]
pub struct Campaign {
    pub id: Id<Campaign>,
    pub tenant_id: TenantId,
    #[model(readonly, filterable(eq, in_))]
    pub connection: Id<MetaConnection>,
    /// Absent until Meta knows the campaign.
    pub meta_campaign_id: Option<String>,
    #[model(trim, len(1..=400), filterable(eq, starts_with), sortable)]
    pub name: String,
    #[model(readonly, filterable)]
    pub objective: Objective,
    #[model(default = CampaignStatus::Paused, filterable)]
    pub status: CampaignStatus,
    pub budget: Budget,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    #[model(filterable, sortable)]
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub revision: Revision,
}

impl BaseModel for Campaign {
    policy!(Account, read: true, create, update: is_editor, delete: is_admin);

    /// Business logic across fields, and the connection is one of the tenant's own.
    async fn validate(&self, ctx: &Ctx) -> Result<()> {
        let mut violations = Vec::new();
        let mut must = |holds: bool, path: &str, rule, message| {
            if !holds {
                violations.push(Violation::new(path, rule, message));
            }
        };
        let in_order = |end| self.starts_at.is_some_and(|start| end > start);
        must(
            self.ends_at.is_none_or(in_order),
            "endsAt",
            "order",
            "must be after startsAt",
        );
        let lifetime = self.budget.lifetime;
        must(
            lifetime.is_none_or(|sum| sum >= self.budget.daily),
            "budget.lifetime",
            "budget",
            "is below the daily budget",
        );
        let connection = MetaConnection::get(ctx, &self.connection).await?;
        must(
            connection.is_some(),
            "connection",
            "reference",
            "is no connection of this tenant",
        );
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid(violations))
        }
    }
}

impl Campaign {
    pub fn is_running(&self) -> bool {
        self.status == CampaignStatus::Active && self.meta_campaign_id.is_some()
    }
}
