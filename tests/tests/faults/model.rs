//! Two audited models: the entries of one are written in the document's transaction, those of the other in the document.

use model_core::prelude::*;
use model_core::{Db, SyncOptions};
use mongodb::Database;

#[derive(Clone)]
pub(crate) struct Worker;

impl Actor for Worker {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("worker")
    }
}

pub(crate) type Ctx = Context<Worker>;

#[derive(Clone, Model)]
#[model(collection = "parts", audit)]
pub(crate) struct Part {
    #[model(id)]
    pub(crate) id: Id<Part>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
}

#[derive(Clone, Model)]
#[model(collection = "lots", audit(outbox))]
pub(crate) struct Lot {
    #[model(id)]
    pub(crate) id: Id<Lot>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
}

macro_rules! open_policy {
    ($($model:ty)*) => {$(
        impl BaseModel for $model {
            type Actor = Worker;

            fn can_read(&self, _ctx: &Ctx) -> bool {
                true
            }

            fn can_create(&self, _ctx: &Ctx) -> bool {
                true
            }

            fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
                true
            }

            fn can_delete(&self, _ctx: &Ctx) -> bool {
                true
            }
        }
    )*};
}

open_policy!(Part Lot);

pub(crate) fn part(name: &str) -> NewPart {
    NewPart { name: name.into() }
}

/// A handle with both models, and their collections.
pub(crate) async fn open(database: Database) -> Db {
    let db = Db::mongo(database)
        .model::<Part>()
        .model::<Lot>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    for count in [
        Part::query(&context(&db)).count().await,
        Lot::query(&context(&db)).count().await,
    ] {
        count.unwrap();
    }
    db
}

pub(crate) fn context(db: &Db) -> Ctx {
    db.context(TenantId::new("acme").unwrap(), Worker)
}
