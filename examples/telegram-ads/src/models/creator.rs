use model_core::prelude::*;

use crate::operator::Operator;

/// A creator on OnlyFans; the old service called the model `Model`.
#[derive(Clone, Model)]
#[model(collection = "models", rename_all = "camelCase", global, audit(name = name))]
pub struct Creator {
    pub id: Id<Creator>,
    #[model(trim, len(1..=120))]
    pub name: String,
    #[model(trim, lowercase, unique)]
    pub username: String,
    #[model(url)]
    pub profile_url: Option<String>,
    #[model(default)]
    pub tags: Vec<String>,
    #[model(index, default = true)]
    pub active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Creator {
    policy!(Operator, read, create, update: true, delete: is_admin);
}
