use model_core::prelude::*;

use super::Tier;
use crate::person::Person;

/// A course, made of modules.
#[derive(Clone, Model)]
#[model(collection = "courses", id = uuid, rename_all = "camelCase", audit(name = title))]
#[model(index(published, order))]
pub struct Course {
    pub id: Id<Course>,
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
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Course {
    policy!(Person, read: sees(published), create, update, delete: is_admin, exact_scope: seen(published));
}
