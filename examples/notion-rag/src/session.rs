//! Who acts, and in which workspace.

use model_core::prelude::*;
use model_core::query::Field;

use crate::models::{MemberRole, MemberStatus, NotionWorkspace, Permissions, User};

/// The actor: a user, and the seat in the workspace that the request is about.
#[derive(Clone)]
pub struct Session {
    pub user: Id<User>,
    /// An administrator of the service, or the service itself.
    pub admin: bool,
    pub seat: Option<Seat>,
}

/// What a user may do in one workspace.
#[derive(Clone)]
pub struct Seat {
    /// The workspace, as conversations and analytics name it.
    pub by_id: TenantId,
    /// The workspace, as its documents and jobs name it.
    pub by_notion_id: TenantId,
    pub role: MemberRole,
    pub permissions: Permissions,
}

/// A context in a workspace, and one outside of any.
pub type Ctx = Context<Session>;
pub type Door = GlobalContext<Session>;

impl Actor for Session {
    fn identity(&self) -> ActorIdentity {
        if self.admin {
            ActorIdentity::system(&self.user)
        } else {
            ActorIdentity::user(&self.user)
        }
    }

    fn can_read_audit_log(&self) -> bool {
        self.admin
    }
}

impl Session {
    pub fn of(user: &User) -> Self {
        Self {
            user: user.id.clone(),
            admin: user.role == crate::models::UserRole::Admin,
            seat: None,
        }
    }

    /// The service itself: signs people in and runs its jobs.
    pub fn service() -> Self {
        Self {
            user: Id::generate(),
            admin: true,
            seat: None,
        }
    }

    /// Whether the actor sits in the workspace that a model names by this id, with this right.
    fn may(
        &self,
        workspace: &TenantId,
        named: fn(&Seat) -> &TenantId,
        right: fn(&Permissions) -> bool,
    ) -> bool {
        let here = |seat: &Seat| named(seat) == workspace && seat.may(right);
        self.admin || self.seat.as_ref().is_some_and(here)
    }

    pub fn sits_in(&self, workspace: &TenantId) -> bool {
        self.may(workspace, |seat| &seat.by_id, |_| true)
    }

    pub fn queries(&self, workspace: &TenantId) -> bool {
        self.may(workspace, |seat| &seat.by_id, |may| may.can_query)
    }

    pub fn edits_settings(&self, workspace: &TenantId) -> bool {
        self.may(workspace, |seat| &seat.by_id, |may| may.can_edit_settings)
    }

    pub fn views_sources(&self, workspace: &TenantId) -> bool {
        self.may(workspace, |seat| &seat.by_notion_id, |may| may.can_view_sources)
    }

    pub fn manages_sync(&self, workspace: &TenantId) -> bool {
        self.may(workspace, |seat| &seat.by_notion_id, |may| may.can_manage_sync)
    }

    /// Whether what belongs to this user of the workspace is the actor's own, or in an administrator's hands.
    pub fn owns(&self, workspace: &TenantId, user: &Id<User>) -> bool {
        (self.admin || self.user == *user) && self.queries(workspace)
    }

    /// The same on the server.
    pub fn own<M: Model>(&self, user: &Field<M, Id<User>>) -> Filter<M> {
        if self.admin {
            Filter::all()
        } else {
            user.eq(&self.user)
        }
    }
}

impl Seat {
    fn may(&self, right: impl Fn(&Permissions) -> bool) -> bool {
        self.role == MemberRole::Owner || right(&self.permissions)
    }
}

/// A workspace that a user has entered. Two of the stored models name it by its `_id`, two by Notion's id.
#[derive(Clone, Debug)]
pub struct Entered {
    /// For conversations, messages and analytics.
    pub talks: Ctx,
    /// For documents and jobs.
    pub syncs: Ctx,
}

impl Entered {
    /// # Errors
    /// `Refused` if the user has no seat, and those of a tenant id.
    pub fn new(db: &Db, mut session: Session, workspace: &NotionWorkspace) -> Result<Self> {
        let (by_id, by_notion_id) = (
            TenantId::from(&workspace.id),
            TenantId::new(&workspace.workspace_id)?,
        );
        let member = workspace
            .members
            .iter()
            .find(|member| member.user == session.user);
        let (role, permissions) = match member {
            _ if workspace.owner == session.user => (MemberRole::Owner, Permissions::default()),
            Some(member) if member.status == MemberStatus::Active => {
                (member.role, member.permissions.clone())
            }
            _ if session.admin => (MemberRole::Admin, Permissions::default()),
            _ => return Err(Error::refused("the user has no seat in the workspace")),
        };
        session.seat = Some(Seat {
            by_id: by_id.clone(),
            by_notion_id: by_notion_id.clone(),
            role,
            permissions,
        });
        Ok(Self {
            talks: db.context(by_id, session.clone()),
            syncs: db.context(by_notion_id, session),
        })
    }
}
