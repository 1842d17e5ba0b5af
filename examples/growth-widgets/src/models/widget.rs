//! The guide's complete example.

use model_core::prelude::*;

use super::Project;
use crate::req_context::{Logger, Member, ReqContext};

#[derive(Clone, Model)]
#[model(collection = "widgets", id_prefix = "wgt_", rename_all = "camelCase")]
#[model(audit(
    entity = "widget",
    create = "widget.create",
    update = "widget.update",
    delete = "widget.delete"
))]
pub struct Widget {
    pub id: Id<Widget>,
    pub organization: TenantId,
    pub project: Id<Project>,
    pub name: String,
    #[model(default)]
    pub description: String,
    #[model(default = false)]
    pub enabled: bool,
    #[model(created_at)]
    pub date_created: DateTime<Utc>,
    #[model(updated_at)]
    pub date_updated: DateTime<Utc>,
    pub revision: Revision,
}

impl BaseModel for Widget {
    policy!(
        Member,
        read: can_read_single_project_resource(project), create, update, delete: can_edit(project), scope: visible(project)
    );

    async fn after_update(ctx: &ReqContext, change: &Change<Self>) -> Result<()> {
        let (before, after) = (change.before(), change.after());
        if before.enabled != after.enabled
            && let Some(logger) = ctx.state::<Logger>()
        {
            logger.info(format!(
                "Widget enabled state changed: {} {}",
                after.id, after.enabled
            ));
        }
        Ok(())
    }
}

pub async fn get_widget_by_id(ctx: &ReqContext, id: &Id<Widget>) -> Result<Option<Widget>> {
    Widget::get(ctx, id).await
}

pub async fn create_widget(ctx: &ReqContext, data: NewWidget) -> Result<Widget> {
    Widget::create(ctx, data).await
}

pub async fn update_widget(ctx: &ReqContext, id: &Id<Widget>, updates: WidgetPatch) -> Result<Widget> {
    Widget::update(ctx, id, updates).await
}

pub async fn delete_widget(ctx: &ReqContext, id: &Id<Widget>) -> Result<bool> {
    Widget::delete(ctx, id).await
}

pub async fn get_enabled_widgets_by_project(ctx: &ReqContext, project: &Id<Project>) -> Result<Vec<Widget>> {
    Widget::query(ctx)
        .filter(|w| w.project.eq(project) & w.enabled.eq(true))
        .await
}
