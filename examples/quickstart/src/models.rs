//! The models: what a service writes.

use model_core::prelude::*;

/// Who acts: loaded once per request, with all that the policies need to know.
pub struct User {
    pub name: &'static str,
    pub admin: bool,
    /// The projects that this user may look at.
    pub projects: Vec<Id<Project>>,
    /// Whether the user may change what is in them.
    pub editor: bool,
}

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(self.name)
    }
}

impl User {
    fn is_admin(&self) -> bool {
        self.admin
    }

    fn sees(&self, project: &Id<Project>) -> bool {
        self.admin || self.projects.contains(project)
    }

    fn edits(&self, project: &Id<Project>) -> bool {
        self.admin || (self.editor && self.projects.contains(project))
    }
}

pub type Ctx = Context<User>;

/// A project of one tenant.
#[derive(Clone, Model)]
#[model(collection = "projects", id_prefix = "prj_", audit)]
pub struct Project {
    pub id: Id<Project>,
    pub organization: TenantId,
    #[model(trim, len(1..=80), unique)]
    pub name: String,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for Project {
    policy!(User, read: sees(id), create, update, delete: is_admin);
}

/// How much a widget may do.
#[derive(Clone, Embedded)]
pub struct Limits {
    #[model(range(0..=1000), default = 100)]
    pub daily: u32,
    #[model(range(0..=5000), default = 500)]
    pub weekly: u32,
}

/// A widget that belongs to one project.
#[derive(Clone, Model)]
#[model(collection = "widgets", id_prefix = "wgt_", version = 2, audit(entity = "widget", name = name))]
#[model(index(project, enabled), index(created_at = desc))]
pub struct Widget {
    pub id: Id<Widget>,
    pub organization: TenantId,
    #[model(readonly)]
    pub project: Id<Project>,
    #[model(trim, len(3..=80))]
    pub name: String,
    pub note: Option<String>,
    #[model(default = false)]
    pub enabled: bool,
    /// Stored, never shown.
    #[model(hidden, default = 0.0)]
    pub internal_score: f64,
    pub limits: Limits,
    /// The token of the service that the widget talks to.
    pub token: Encrypted<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Widget {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().sees(&self.project)
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().edits(&self.project)
    }

    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        ctx.actor().edits(&self.project) && ctx.actor().edits(&after.project)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        if ctx.actor().admin {
            Filter::all()
        } else {
            Self::filter(|w| w.project.in_(&ctx.actor().projects))
        }
    }

    async fn before_delete(_ctx: &Ctx, widget: &Self) -> Result<()> {
        if widget.enabled {
            Err(Error::refused("disable the widget before you delete it"))
        } else {
            Ok(())
        }
    }

    /// Version 1 called the name `title` and had no limits.
    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        if let Some(title) = document.remove("title") {
            document.insert("name", title);
        }
        if !document.contains_key("limits") {
            document.insert("limits", bson::doc! { "daily": 100, "weekly": 500 });
        }
        Ok(document)
    }
}

impl Widget {
    /// The enabled widgets of a project, newest first.
    pub async fn enabled_in(ctx: &Ctx, project: &Id<Project>) -> Result<Vec<Self>> {
        Self::query(ctx)
            .filter(|w| w.project.eq(project) & w.enabled.eq(true))
            .sort(|w| w.created_at.desc())
            .await
    }
}
