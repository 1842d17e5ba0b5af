use model_core::prelude::*;

use super::{Casino, Creator};
use crate::operator::Operator;

/// Who the deal is with.
#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Partner {
    Creator { id: Id<Creator> },
    Casino { id: Id<Casino> },
}

/// What is paid for.
#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Terms {
    /// For each sale, in minor units.
    Cpa { amount: i64 },
    /// A part of the revenue.
    Revshare {
        #[model(range(0.0..=100.0))]
        percent: f64,
    },
    /// Each month, in minor units.
    Fixed { amount: i64 },
}

/// An agreement about revenue.
#[derive(Clone, Model)]
#[model(collection = "deals", rename_all = "camelCase", global, audit(name = title))]
pub struct Deal {
    pub id: Id<Deal>,
    #[model(trim, len(1..=120))]
    pub title: String,
    #[model(readonly)]
    pub partner: Partner,
    pub terms: Terms,
    #[model(uppercase, len(3..=3), default = "USD")]
    pub currency: String,
    #[model(index, default = true)]
    pub active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Deal {
    policy!(Operator, read, create, update, delete: is_admin);
}
