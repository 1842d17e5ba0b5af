use model_core::prelude::*;

use crate::operator::Operator;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum RiskLevel {
    Low,
    Medium,
    High,
}

/// A casino's brand.
#[derive(Clone, Model)]
#[model(collection = "casinos", rename_all = "camelCase", global, audit(name = brand))]
pub struct Casino {
    pub id: Id<Casino>,
    #[model(trim, len(1..=120), unique)]
    pub brand: String,
    #[model(index, default = RiskLevel::Medium)]
    pub risk_level: RiskLevel,
    #[model(url)]
    pub website: Option<String>,
    /// Countries where it may not be advertised.
    #[model(default, uppercase, len(2..=2))]
    pub blocked_countries: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Casino {
    policy!(Operator, read: true, create, update, delete: is_admin);
}
