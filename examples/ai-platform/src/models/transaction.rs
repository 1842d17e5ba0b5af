use model_core::prelude::*;

use super::User;
use crate::person::{Ctx, Person};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum TransactionStatus {
    Pending,
    Completed,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
pub enum TransactionType {
    Subscription,
    OneTime,
}

/// A payment.
#[derive(Clone, Model)]
#[model(collection = "transactions", id = uuid, rename_all = "camelCase", audit)]
#[model(index(user_id, created_at = desc))]
pub struct Transaction {
    pub id: Id<Transaction>,
    pub tenant_id: TenantId,
    /// Books are kept: a user who has paid is not deleted, but with the tenant.
    #[model(readonly, on_delete = restrict)]
    pub user_id: Ref<User>,
    /// Stripe says each at least once; unique over all tenants where it is there.
    #[model(unique(global))]
    pub stripe_session_id: Option<String>,
    pub stripe_customer_id: Option<String>,
    pub stripe_subscription_id: Option<String>,
    /// In the currency's smallest unit.
    #[model(readonly, range(0..))]
    pub amount: i64,
    #[model(readonly, lowercase, len(3..=3), default = "usd")]
    pub currency: String,
    #[model(default = TransactionStatus::Pending)]
    pub status: TransactionStatus,
    #[model(rename = "type")]
    pub kind: TransactionType,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Transaction {
    type Actor = Person;
    const READ_SCOPE: ReadScope = ReadScope::Exact;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().owns(&self.user_id)
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().is_service()
    }

    /// A payment is settled once.
    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().is_service() && self.status == TransactionStatus::Pending
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        false
    }

    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        Self::filter(|t| ctx.actor().own(&t.user_id))
    }
}

impl Transaction {
    /// Stripe says that a session is paid: once or several times, the payment is completed once.
    pub async fn complete(ctx: &Ctx, session: &str) -> Result<Option<Self>> {
        let paid = TransactionPatch {
            status: Set(TransactionStatus::Completed),
            ..Default::default()
        };
        Self::query(ctx)
            .filter(|t| t.stripe_session_id.eq(session) & t.status.eq(TransactionStatus::Pending))
            .claim(paid)
            .await
    }
}
