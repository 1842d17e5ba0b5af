use model_core::prelude::*;

use super::Tier;
use crate::person::{Ctx, Person, published};

/// A course, made of modules.
#[derive(Clone, Model)]
#[model(collection = "courses", id = uuid, rename_all = "camelCase", audit(name = title))]
#[model(index(published, order))]
pub struct Course {
    #[model(id)]
    pub id: Id<Course>,
    #[model(tenant)]
    pub tenant_id: TenantId,
    #[model(trim, len(1..=300))]
    pub title: String,
    pub description: Option<String>,
    pub thumbnail: Option<String>,
    pub instructor: String,
    pub instructor_bio: Option<String>,
    #[model(default = Tier::Free, filterable)]
    pub tier: Tier,
    #[model(default = false)]
    pub published: bool,
    #[model(default = 0, sortable)]
    pub order: i32,
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub updated_at: DateTime<Utc>,
}

published!(Course);
