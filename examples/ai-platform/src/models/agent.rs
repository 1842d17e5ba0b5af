use model_core::prelude::*;

use super::{File, Parameters, Tier, User};
use crate::person::{Ctx, Person};

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct FileResource {
    pub file_ids: Vec<Ref<File>>,
    /// Those of before name a store, and not the files in it.
    pub vector_store_ids: Vec<String>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct ToolResources {
    pub file_search: Option<FileResource>,
    pub code_interpreter: Option<FileResource>,
}

/// An assistant that somebody has set up.
#[derive(Clone, Model)]
#[model(collection = "agents", id_prefix = "agent_", rename_all = "camelCase", audit(name = name))]
#[model(index(created_by), index(published, name))]
pub struct Agent {
    /// `agent_abc123`: those of before stay, and new ones look alike.
    pub id: Id<Agent>,
    pub tenant_id: TenantId,
    /// A user who has set up agents does not go before them.
    #[model(readonly, on_delete = restrict)]
    pub created_by: Ref<User>,
    #[model(trim, len(1..=120), filterable(starts_with), sortable)]
    pub name: String,
    pub description: Option<String>,
    pub instructions: String,
    pub provider: String,
    pub model: String,
    #[model(default, items(..=50))]
    pub tools: Vec<String>,
    #[model(default)]
    pub tool_resources: ToolResources,
    #[model(default)]
    pub parameters: Parameters,
    pub icon: Option<String>,
    #[model(default = Tier::Free)]
    pub tier: Tier,
    #[model(default = false, filterable)]
    pub published: bool,
    /// The application's own count of its releases; the crate's version of the model is another thing.
    #[model(default = 1)]
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Agent {
    type Actor = Person;
    const READ_SCOPE: ReadScope = ReadScope::Exact;

    /// One's own, and what is published.
    fn can_read(&self, ctx: &Ctx) -> bool {
        self.published || ctx.actor().owns(&self.created_by)
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().owns(&self.created_by)
    }

    /// Only an administrator publishes.
    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        let publishes = after.published && !self.published;
        ctx.actor().owns(&self.created_by) && (!publishes || ctx.actor().is_admin())
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().owns(&self.created_by)
    }

    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        Self::filter(|a| ctx.actor().seen(&a.published) | ctx.actor().own(&a.created_by))
    }
}

impl Agent {
    /// A change of what the agent does is a new release of it.
    pub async fn release(ctx: &Ctx, id: &Id<Agent>, instructions: impl Into<String>) -> Result<Self> {
        let instructions = instructions.into();
        Self::update_with(ctx, id, |a| {
            a.instructions.set(instructions.clone()).and(a.version.inc(1))
        })
        .await
    }
}
