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
    #[model(id, stored_as = "id", unique(global))]
    pub id: Id<ExistingWidget>,
    #[model(tenant)]
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
    type Actor = Member;

    fn can_read(&self, ctx: &ReqContext) -> bool {
        let permissions = &ctx.actor().permissions;
        self.project
            .as_ref()
            .is_none_or(|project| permissions.can_read_single_project_resource(project))
    }

    fn can_create(&self, ctx: &ReqContext) -> bool {
        let permissions = &ctx.actor().permissions;
        self.project
            .as_ref()
            .map_or(permissions.admin, |project| permissions.can_edit(project))
    }

    fn can_update(&self, ctx: &ReqContext, after: &Self) -> bool {
        self.can_create(ctx) && after.can_create(ctx)
    }

    fn can_delete(&self, ctx: &ReqContext) -> bool {
        self.can_create(ctx)
    }
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
