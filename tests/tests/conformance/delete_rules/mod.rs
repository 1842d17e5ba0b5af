//! Contract M 47: what becomes of documents when those that they refer to are deleted.

mod batches;
mod erase;
mod lives;
mod nested;
mod rules;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model_core::SyncOptions;
use model_core::prelude::*;

use crate::harness::Stage;

/// Somebody who may delete what is not `locked`, and sees what is not `secret`.
#[derive(Clone)]
pub(crate) struct Boss;

impl Actor for Boss {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("boss")
    }
}

pub(crate) type Ctx = Context<Boss>;

/// How many more documents may be deleted before a hook fails, as if the process were killed.
#[derive(Clone)]
pub(crate) struct Fuse(Arc<AtomicI64>);

impl Fuse {
    pub(crate) fn burn_after(&self, deletes: i64) {
        self.0.store(deletes, Ordering::SeqCst);
    }

    fn burn(ctx: &Ctx) -> Result<()> {
        let left = ctx.state::<Self>().unwrap().0.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            Ok(())
        } else {
            Err(Error::refused("the fuse has burnt"))
        }
    }
}

macro_rules! policy {
    ($($model:ident)*) => {$(
        impl BaseModel for $model {
            type Actor = Boss;
            fn can_read(&self, _: &Ctx) -> bool {
                self.name != "secret"
            }
            fn can_create(&self, _: &Ctx) -> bool {
                true
            }
            fn can_update(&self, _: &Ctx, _: &Self) -> bool {
                self.name != "locked"
            }
            fn can_delete(&self, _: &Ctx) -> bool {
                self.name != "locked"
            }
            async fn before_delete(ctx: &Ctx, _: &Self) -> Result<()> {
                Fuse::burn(ctx)
            }
        }
    )*};
}

#[derive(Clone, Model)]
#[model(collection = "teams", audit)]
pub(crate) struct Team {
    #[model(id)]
    pub(crate) id: Id<Team>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
}

#[derive(Clone, Model)]
#[model(collection = "members", audit, id_prefix = "mem_", index(team))]
pub(crate) struct Member {
    #[model(id)]
    pub(crate) id: Id<Member>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = cascade)]
    pub(crate) team: Ref<Team>,
}

#[derive(Clone, Model)]
#[model(collection = "badges", index(member))]
pub(crate) struct Badge {
    #[model(id)]
    pub(crate) id: Id<Badge>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = cascade)]
    pub(crate) member: Option<Ref<Member>>,
    #[model(on_delete = nullify)]
    pub(crate) backup: Option<Ref<Team>>,
}

#[derive(Clone, Model)]
#[model(collection = "plans", audit)]
pub(crate) struct Plan {
    #[model(id)]
    pub(crate) id: Id<Plan>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = nullify)]
    pub(crate) lead: Option<Ref<Member>>,
    #[model(on_delete = pull)]
    pub(crate) members: Vec<Ref<Member>>,
    #[model(updated_at)]
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Clone, Model)]
#[model(collection = "invoices")]
pub(crate) struct Invoice {
    #[model(id)]
    pub(crate) id: Id<Invoice>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = restrict)]
    pub(crate) team: Ref<Team>,
    #[model(on_delete = cascade)]
    pub(crate) member: Option<Ref<Member>>,
}

/// A node of a graph that may go round in circles.
#[derive(Clone, Model)]
#[model(collection = "nodes", index(parent))]
pub(crate) struct Node {
    #[model(id)]
    pub(crate) id: Id<Node>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = cascade)]
    pub(crate) parent: Option<Ref<Node>>,
}

#[derive(Clone, Model)]
#[model(collection = "folders", soft_delete)]
pub(crate) struct Folder {
    #[model(id)]
    pub(crate) id: Id<Folder>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
}

#[derive(Clone, Model)]
#[model(collection = "files", soft_delete)]
pub(crate) struct File {
    #[model(id)]
    pub(crate) id: Id<File>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = cascade)]
    pub(crate) folder: Ref<Folder>,
}

/// What cannot be restored.
#[derive(Clone, Model)]
#[model(collection = "thumbs")]
pub(crate) struct Thumb {
    #[model(id)]
    pub(crate) id: Id<Thumb>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
    #[model(on_delete = cascade)]
    pub(crate) file: Ref<File>,
    #[model(on_delete = nullify)]
    pub(crate) folder: Option<Ref<Folder>>,
}

policy!(Team Member Badge Plan Invoice Node Folder File Thumb);

pub(crate) struct Office {
    pub(crate) db: Db,
    pub(crate) fuse: Fuse,
    pub(crate) ctx: Ctx,
    pub(crate) rival: Ctx,
}

impl Office {
    pub(crate) async fn open(stage: Stage) -> Self {
        let fuse = Fuse(Arc::new(AtomicI64::new(i64::MAX)));
        let db = stage
            .builder()
            .state(fuse.clone())
            .model::<Team>()
            .model::<Member>()
            .model::<Badge>()
            .model::<Plan>()
            .model::<Invoice>()
            .model::<Node>()
            .model::<Folder>()
            .model::<File>()
            .model::<Thumb>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        Self {
            ctx: db.context(TenantId::new("acme").unwrap(), Boss),
            rival: db.context(TenantId::new("globex").unwrap(), Boss),
            fuse,
            db,
        }
    }

    pub(crate) async fn team(&self, name: &str) -> Team {
        Team::create(&self.ctx, NewTeam { name: name.into() })
            .await
            .unwrap()
    }

    pub(crate) async fn member(&self, name: &str, team: &Team) -> Member {
        let new = NewMember {
            name: name.into(),
            team: Ref::to(&team.id),
        };
        Member::create(&self.ctx, new).await.unwrap()
    }

    pub(crate) async fn badge(&self, name: &str, member: Option<&Member>, backup: Option<&Team>) -> Badge {
        let optional = NewBadgeOptional {
            member: member.map(|member| Ref::to(&member.id)),
            backup: backup.map(|team| Ref::to(&team.id)),
        };
        Badge::create(
            &self.ctx,
            NewBadge {
                name: name.into(),
                optional,
            },
        )
        .await
        .unwrap()
    }

    pub(crate) async fn plan(&self, name: &str, lead: &Member, members: &[&Member]) -> Plan {
        let new = NewPlan {
            name: name.into(),
            members: members.iter().map(|member| Ref::to(&member.id)).collect(),
            optional: NewPlanOptional {
                lead: Some(Ref::to(&lead.id)),
            },
        };
        Plan::create(&self.ctx, new).await.unwrap()
    }

    pub(crate) async fn invoice(&self, team: &Team, member: Option<&Member>) -> Invoice {
        let optional = NewInvoiceOptional {
            member: member.map(|member| Ref::to(&member.id)),
        };
        let new = NewInvoice {
            name: "invoice".into(),
            team: Ref::to(&team.id),
            optional,
        };
        Invoice::create(&self.ctx, new).await.unwrap()
    }

    pub(crate) async fn count(&self, collection: &'static str) -> usize {
        model_core::testing::stored(&self.db, collection)
            .await
            .unwrap()
            .len()
    }
}
