//! A collection as GrowthBook has it today: `_id` is MongoDB's own, `id` is the one that everybody uses, and optional fields
//! may be stored as null.

use model_core::prelude::*;

use super::Project;
use crate::req_context::{Member, ReqContext};

#[derive(Clone, Model)]
#[model(
    collection = "existingwidgets",
    id_prefix = "wgt_",
    rename_all = "camelCase",
    audit(entity = "widget")
)]
pub struct ExistingWidget {
    /// Of whatever shape, as long as it has the prefix.
    #[model(stored_as = "id", unique(global))]
    pub id: Id<ExistingWidget>,
    pub organization: TenantId,
    pub project: Option<Id<Project>>,
    pub name: String,
    pub description: Option<String>,
    pub enabled: Option<bool>,
    #[model(created_at)]
    pub date_created: DateTime<Utc>,
    #[model(updated_at)]
    pub date_updated: DateTime<Utc>,
}

impl BaseModel for ExistingWidget {
    policy!(Member, read: can_read_any(project), create, update, delete: can_edit_any(project));
}

/// `getById`
pub async fn get_existing_widget(
    ctx: &ReqContext,
    id: &Id<ExistingWidget>,
) -> Result<Option<ExistingWidget>> {
    ExistingWidget::get(ctx, id).await
}

/// `updateById`
pub async fn update_existing_widget(
    ctx: &ReqContext,
    id: &Id<ExistingWidget>,
    updates: ExistingWidgetPatch,
) -> Result<ExistingWidget> {
    ExistingWidget::update(ctx, id, updates).await
}
