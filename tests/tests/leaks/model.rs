//! The model, with the rules as an application would write them, and who calls.

use model_core::prelude::*;
use model_core::{DbBuilder, SyncOptions};

use crate::rules::{Role, Who};

#[derive(Clone)]
pub(crate) struct User {
    name: &'static str,
    role: Role,
}

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(self.name)
    }

    fn can_read_audit_log(&self) -> bool {
        self.role == Role::Admin
    }
}

pub(crate) type Ctx = Context<User>;

#[derive(Clone, Model)]
#[model(collection = "papers", audit)]
pub(crate) struct Paper {
    #[model(id)]
    pub(crate) id: Id<Paper>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) owner: String,
    pub(crate) level: i64,
    #[model(unique)]
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) parent: Option<Ref<Paper>>,
    #[model(default = 0)]
    pub(crate) count: i64,
}

impl BaseModel for Paper {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        let User { name, role } = ctx.actor();
        match role {
            Role::Admin => true,
            Role::Editor => self.level < 2 || self.owner == *name,
            Role::Viewer => self.level == 0,
        }
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        let User { name, role } = ctx.actor();
        *role == Role::Admin || (*role == Role::Editor && self.owner == *name)
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        self.can_create(ctx)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        self.can_create(ctx) && (ctx.actor().role == Role::Admin || self.level == 0)
    }

    /// More than an editor may read, so that each is asked about; and no more than a viewer may.
    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        match ctx.actor().role {
            Role::Viewer => Self::filter(|p| p.level.eq(0)),
            _ => Filter::all(),
        }
    }
}

/// A handle with the model.
pub(crate) async fn open(builder: DbBuilder) -> Db {
    let db = builder.model::<Paper>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db
}

/// Two tenants that no other sequence has.
pub(crate) struct Stage {
    db: Db,
    seed: u64,
}

impl Stage {
    pub(crate) fn new(db: &Db, seed: u64) -> Self {
        Self { db: db.clone(), seed }
    }

    fn tenant(&self, number: usize) -> String {
        format!("s{}-{number}", self.seed)
    }

    pub(crate) fn tenant_number(&self, name: &str) -> Option<usize> {
        [0, 1].into_iter().find(|number| self.tenant(*number) == name)
    }

    pub(crate) fn context(&self, who: &Who) -> Ctx {
        let user = User {
            name: who.name,
            role: who.role,
        };
        self.db
            .context(TenantId::new(self.tenant(who.tenant)).unwrap(), user)
    }
}
