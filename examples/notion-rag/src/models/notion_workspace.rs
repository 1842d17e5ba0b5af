use bson::oid::ObjectId;
use model_core::prelude::*;

use super::{SyncJob, User};
use crate::session::{Door, Session};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum MemberRole {
    Owner,
    Admin,
    Member,
    Viewer,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum MemberStatus {
    Active,
    Pending,
    Removed,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct Permissions {
    #[model(default = true)]
    pub can_query: bool,
    #[model(default = true)]
    pub can_view_sources: bool,
    pub can_invite: bool,
    pub can_manage_sync: bool,
    pub can_edit_settings: bool,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase")]
pub struct Member {
    #[model(rename = "_id", default_with = ObjectId::new)]
    pub id: ObjectId,
    pub user: Id<User>,
    #[model(default = MemberRole::Member)]
    pub role: MemberRole,
    #[model(default)]
    pub permissions: Permissions,
    #[model(default = MemberStatus::Active)]
    pub status: MemberStatus,
    pub joined_at: DateTime<Utc>,
}

impl Member {
    pub fn new(ctx: &Door, user: &Id<User>, role: MemberRole) -> Self {
        Self {
            id: ObjectId::new(),
            user: user.clone(),
            role,
            permissions: Permissions::default(),
            status: MemberStatus::Active,
            joined_at: ctx.now(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum WorkspaceSyncStatus {
    Idle,
    Syncing,
    Error,
    Active,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct SyncSchedule {
    #[model(default = true)]
    pub enabled: bool,
    #[model(default = 24.0)]
    pub interval_hours: f64,
    pub last_scheduled_at: Option<DateTime<Utc>>,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct WorkspaceStats {
    pub total_pages: i64,
    pub total_databases: i64,
    pub total_documents: i64,
    pub last_sync_duration: Option<f64>,
    pub error_count: i64,
}

/// A workspace of Notion: the tenant of everything below it.
#[derive(Clone, Model)]
#[model(collection = "notionworkspaces", rename_all = "camelCase", global)]
pub struct NotionWorkspace {
    pub id: Id<NotionWorkspace>,
    #[model(unique, readonly)]
    pub workspace_id: String,
    pub workspace_name: String,
    pub owner: Id<User>,
    #[model(default)]
    pub members: Vec<Member>,
    #[model(legacy_plaintext)]
    pub access_token: Encrypted<String>,
    #[model(legacy_plaintext)]
    pub refresh_token: Option<Encrypted<String>>,
    #[model(default = WorkspaceSyncStatus::Idle)]
    pub sync_status: WorkspaceSyncStatus,
    pub current_sync_job_id: Option<String>,
    #[model(default)]
    pub sync_schedule: SyncSchedule,
    #[model(default)]
    pub stats: WorkspaceStats,
    pub last_successful_sync_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl NotionWorkspace {
    fn seat(&self, session: &Session, right: impl Fn(&Permissions) -> bool) -> bool {
        let sits = |member: &Member| {
            member.user == session.user
                && member.status == MemberStatus::Active
                && (member.role == MemberRole::Owner || right(&member.permissions))
        };
        session.admin || self.owner == session.user || self.members.iter().any(sits)
    }
}

impl BaseModel for NotionWorkspace {
    type Actor = Session;

    fn can_read(&self, ctx: &Door) -> bool {
        self.seat(ctx.actor(), |_| true)
    }

    fn can_create(&self, ctx: &Door) -> bool {
        ctx.actor().admin || self.owner == ctx.actor().user
    }

    fn can_update(&self, ctx: &Door, after: &Self) -> bool {
        let allowed = |right: fn(&Permissions) -> bool| self.seat(ctx.actor(), right);
        (self.members == after.members || allowed(|may| may.can_invite))
            && (self.sync_status == after.sync_status || allowed(|may| may.can_manage_sync))
            && (self.sync_schedule == after.sync_schedule || allowed(|may| may.can_edit_settings))
            && (self.owner == after.owner || self.owner == ctx.actor().user)
    }

    fn can_delete(&self, ctx: &Door) -> bool {
        self.owner == ctx.actor().user
    }

    fn read_scope(ctx: &Door) -> Filter<Self> {
        if ctx.actor().admin {
            return Filter::all();
        }
        let user = &ctx.actor().user;
        Self::filter(|w| w.owner.eq(user) | w.members.user.eq(user))
    }
}

impl NotionWorkspace {
    /// `workspace.getDecryptedToken()`
    pub async fn decrypted_token(&self, ctx: &Door) -> Result<Secret<String>> {
        self.access_token.reveal(ctx).await
    }

    /// `workspace.updateSyncStatus(status, jobId)`
    pub async fn update_sync_status(
        ctx: &Door,
        id: &Id<Self>,
        status: WorkspaceSyncStatus,
        job: Option<&SyncJob>,
    ) -> Result<Self> {
        let mut patch = NotionWorkspacePatch {
            sync_status: Set(status),
            ..Default::default()
        };
        if let Some(job) = job {
            patch.current_sync_job_id = Set(Some(job.job_id.clone()));
        }
        Self::update(ctx, id, patch).await
    }

    /// Gives somebody a seat; who invites whom is asked by the policy.
    pub async fn invite(ctx: &Door, id: &Id<Self>, user: &Id<User>, role: MemberRole) -> Result<Self> {
        let member = Member::new(ctx, user, role);
        Self::update_with(ctx, id, |w| w.members.push(member)).await
    }
}
