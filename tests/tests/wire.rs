//! What goes over the wire: the tenant in every command, and the table "Commands on the wire" of ARCHITECTURE.md.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]
#![allow(
    clippy::duplicate_mod,
    reason = "the same operations are probed with ids of either form"
)]

#[path = "wire/audit.rs"]
mod audit;
#[path = "wire/bulk.rs"]
mod bulk;
#[path = "wire/every/mod.rs"]
mod every;
#[path = "wire/filters.rs"]
mod filters;
#[path = "wire/groups.rs"]
mod groups;
#[path = "wire/indexes.rs"]
mod indexes;
#[path = "wire/lives.rs"]
mod lives;
#[path = "wire/options.rs"]
mod options;
#[path = "wire/pages.rs"]
mod pages;
#[path = "wire/reads.rs"]
mod reads;
#[path = "wire/references.rs"]
mod references;
#[path = "wire/search.rs"]
mod search;
#[path = "wire/secrets.rs"]
mod secrets;
#[path = "wire/series.rs"]
mod series;
#[path = "wire/shards.rs"]
mod shards;
#[path = "wire/streams.rs"]
mod streams;
#[path = "wire/tenancy.rs"]
mod tenancy;
#[path = "wire/transfer.rs"]
mod transfer;
#[path = "matrix/verbs.rs"]
mod verbs;
#[path = "wire/watches.rs"]
mod watches;
#[path = "wire/writes.rs"]
mod writes;

use std::sync::{Arc, Mutex};

use bson::{Document, doc};
use model_core::prelude::*;
use model_core::query::Sort;
use model_core::{SyncOptions, testing};
use model_tests::events::{CommandLog, SentCommand};
use model_tests::server::recorded_database;

use self::reads::PlainLine;
use self::tenancy::carries_the_tenant;

/// Somebody with rights.
#[derive(Clone)]
struct Person {
    reads: bool,
    writes: bool,
}

impl Actor for Person {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

type Ctx = Context<Person>;

/// What happens between the read and the write of an update or delete, once.
#[derive(Clone, Default)]
struct Rival(Arc<Mutex<Option<Act>>>);

enum Act {
    Change(mongodb::Collection<Document>),
    Remove(mongodb::Collection<Document>),
}

impl Rival {
    fn will(&self, act: Act) {
        *self.0.lock().unwrap() = Some(act);
    }

    async fn act(ctx: &Ctx) {
        let act = ctx.state::<Self>().unwrap().0.lock().unwrap().take();
        let outcome = match act {
            None => return,
            Some(Act::Change(collection)) => {
                let update = doc! { "$set": { "_rev": 1_i64 } };
                collection.update_many(doc! {}, update).await.map(|_| ())
            }
            Some(Act::Remove(collection)) => collection.delete_many(doc! {}).await.map(|_| ()),
        };
        outcome.unwrap();
    }
}

macro_rules! policy {
    ($model:ident, $scope:ident) => {
        impl BaseModel for $model {
            type Actor = Person;

            const READ_SCOPE: ReadScope = ReadScope::$scope;

            fn can_read(&self, ctx: &Ctx) -> bool {
                ctx.actor().reads
            }

            fn can_create(&self, ctx: &Ctx) -> bool {
                ctx.actor().writes
            }

            fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
                ctx.actor().writes
            }

            fn can_delete(&self, ctx: &Ctx) -> bool {
                ctx.actor().writes
            }

            fn read_scope(ctx: &Ctx) -> Filter<Self> {
                if ctx.actor().reads {
                    Filter::all()
                } else {
                    Filter::nothing()
                }
            }

            async fn before_update(ctx: &Ctx, _change: &mut Change<Self>) -> Result<()> {
                Rival::act(ctx).await;
                Ok(())
            }

            async fn before_delete(ctx: &Ctx, _document: &Self) -> Result<()> {
                Rival::act(ctx).await;
                Ok(())
            }
        }
    };
}

use policy;

/// Not audited, an exact scope.
#[derive(Clone, Model)]
#[model(collection = "plain", index(name, id), index(updated = desc, name, id))]
struct Plain {
    #[model(id)]
    id: Id<Plain>,
    #[model(tenant)]
    organization: TenantId,
    #[model(trim, len(1..=20))]
    name: String,
    #[model(default)]
    tags: Vec<String>,
    #[model(unique(global))]
    code: Option<String>,
    #[model(updated_at)]
    updated: DateTime<Utc>,
}

policy!(Plain, Exact);

/// Audited, a superset for a scope.
#[derive(Clone, Model)]
#[model(collection = "audited", audit)]
struct Audited {
    #[model(id)]
    id: Id<Audited>,
    #[model(tenant)]
    organization: TenantId,
    #[model(len(1..=20))]
    name: String,
    #[model(unique)]
    code: Option<String>,
}

policy!(Audited, Superset);

/// Encrypted, not audited.
#[derive(Clone, Model)]
#[model(collection = "sealed")]
struct Sealed {
    #[model(id)]
    id: Id<Sealed>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    token: Encrypted<String>,
}

policy!(Sealed, Superset);

/// Encrypted and audited.
#[derive(Clone, Model)]
#[model(collection = "vault", audit)]
struct Vault {
    #[model(id)]
    id: Id<Vault>,
    #[model(tenant)]
    organization: TenantId,
    token: Encrypted<String>,
}

policy!(Vault, Superset);

/// Sealed as a whole; the server alone tells who may read it.
#[derive(Clone, Model)]
#[model(collection = "badges", seal(level))]
struct Badge {
    #[model(id)]
    id: Id<Badge>,
    #[model(tenant)]
    organization: TenantId,
    level: i64,
}

policy!(Badge, Exact);

struct Wire {
    db: Db,
    database: mongodb::Database,
    log: CommandLog,
    rival: Rival,
    ctx: Ctx,
}

impl Wire {
    async fn new() -> Self {
        let (database, log) = recorded_database().await;
        let rival = Rival::default();
        let db = Self::open(&database, &rival).await;
        let ctx = db.context(
            TenantId::new("acme").unwrap(),
            Person {
                reads: true,
                writes: true,
            },
        );
        log.take();
        Self {
            db,
            database,
            log,
            rival,
            ctx,
        }
    }

    /// A handle of its own: what the other one has cached, this one has not.
    async fn open(database: &mongodb::Database, rival: &Rival) -> Db {
        let builder = Db::mongo(database.clone())
            .keys(testing::keyring().unwrap())
            .state(rival.clone())
            .model::<Plain>()
            .model::<Audited>()
            .model::<Sealed>()
            .model::<Badge>()
            .model::<Vault>()
            .model::<secrets::Reached>()
            .model::<lives::Draft>()
            .model::<lives::Letter>()
            .model::<lives::Setting>();
        let db = builder.build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        // The check of a handle that was built lazily comes with its first operation.
        let ctx = db.context(
            TenantId::new("nobody").unwrap(),
            Person {
                reads: true,
                writes: true,
            },
        );
        assert_eq!(Plain::query(&ctx).count().await.unwrap(), 0);
        db
    }

    fn person(&self, reads: bool, writes: bool) -> Ctx {
        self.db
            .context(TenantId::new("acme").unwrap(), Person { reads, writes })
    }

    /// What `operation` sends, by name, and what it answers.
    async fn sends<R>(&self, operation: impl Future<Output = R>) -> (R, Vec<String>) {
        self.log.take();
        let result = operation.await;
        let sent = self.log.take();
        for command in &sent {
            carries_the_tenant(&self.db, command, "acme");
        }
        // The driver sends this by itself, some time after a cursor was dropped that is not at its end.
        let names = sent
            .into_iter()
            .map(|command| command.name)
            .filter(|name| name != "killCursors");
        (result, names.collect())
    }

    /// The same collection by a client whose commands are not recorded.
    async fn unrecorded(&self, collection: &str) -> mongodb::Collection<Document> {
        let client = model_tests::server::server().await.client().await;
        client.database(self.database.name()).collection(collection)
    }

    async fn plain(&self, name: &str) -> Plain {
        Plain::create(&self.ctx, new_plain(name)).await.unwrap()
    }

    async fn audited(&self, name: &str) -> Audited {
        Audited::create(&self.ctx, new_audited(name)).await.unwrap()
    }
}

fn new_plain(name: &str) -> NewPlain {
    NewPlain {
        name: name.into(),
        optional: Default::default(),
    }
}

fn new_audited(name: &str) -> NewAudited {
    NewAudited {
        name: name.into(),
        optional: Default::default(),
    }
}

fn rename_plain(name: &str) -> PlainPatch {
    PlainPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

fn rename_audited(name: &str) -> AuditedPatch {
    AuditedPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

/// The table itself: each row that stands in ARCHITECTURE.md has its test here.
#[test]
fn the_table_has_no_other_rows() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md")).unwrap();
    let section = text
        .split("## Commands on the wire")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| verb"))
        .map(|line| line.split('|').map(str::trim).skip(1).take(3).collect())
        .collect();
    let expected = [
        [
            "`get`, `fetch`, `first`, `get_by`, `find_unique`",
            "`find`",
            "`find`",
        ],
        ["`query`", "`find` (+ `getMore`)", "same"],
        ["`page`, the first", "`find` (+ `getMore`)", "same"],
        ["`page`, a later one", "`find` for each range", "same"],
        ["`get_many`", "`find` for each thousand", "same"],
        ["`select`", "`find` (+ `getMore`)", "same"],
        ["`lookup`", "`aggregate` (+ `getMore`)", "same"],
        ["`populate`", "`find` for each fifty thousand", "same"],
        [
            "`related`",
            "`find` (+ `getMore`); `aggregate` with a limit for each and an exact scope",
            "same",
        ],
        [
            "`related(..).count()`, scope exact and no array",
            "`aggregate`",
            "same",
        ],
        ["`subtree`", "`find`, `aggregate`", "same"],
        ["`ancestors`", "`aggregate`", "same"],
        ["`search`", "`find` (+ `getMore`)", "same"],
        [
            "`nearest`",
            "`find` (+ `getMore`) for the vectors, `find` for the best; where `can_read` denies some of them, both again",
            "same",
        ],
        [
            "`watch`",
            "`aggregate`, then `getMore` for as long as it is polled",
            "same",
        ],
        ["`explain`", "`find`", "same"],
        ["`count`, `exists`, scope exact", "`aggregate`", "same"],
        ["`distinct`, `group`, `facet`, scope exact", "`aggregate`", "same"],
        [
            "`distinct`, `group`, `facet`, scope a superset; `facet` with projections of a sealed model",
            "`find` (+ `getMore`)",
            "same",
        ],
        [
            "`count`, `exists`, scope a superset",
            "`find` (+ `getMore`)",
            "same",
        ],
        [
            "`create`",
            "`insert`",
            "`insert`, `insert` (audit), `commitTransaction`",
        ],
        [
            "`update`",
            "`find`, `update`",
            "`find`, `update`, `insert`, `commitTransaction`",
        ],
        [
            "`update_with`, `modify`, `replace`, `restore`",
            "`find`, `update`",
            "`find`, `update`, `insert`, `commitTransaction`",
        ],
        ["`update` that changes nothing", "`find`", "`find`"],
        [
            "`delete`, `purge`",
            "`find`, `delete`",
            "`find`, `delete`, `insert`, `commitTransaction`",
        ],
        [
            "`delete` of a model with delete rules",
            "those of `delete`, a `find` for each field that refers, level by level, one command for each kind of \
             write, `commitTransaction`",
            "the same and `insert` before the commit",
        ],
        [
            "`create`, `create_many` of a time series or a capped collection",
            "`insert`",
            "–",
        ],
        [
            "`create_many`, each batch",
            "`insert`, `commitTransaction`",
            "`insert`, `insert`, `commitTransaction`",
        ],
        [
            "`update_many`, `delete_many`, each batch",
            "`find` or `getMore`, `update` or `delete`, `commitTransaction`",
            "the same and `insert` before the commit",
        ],
        [
            "`bulk`",
            "`find`, one command for neighbours of one kind, `commitTransaction`",
            "the same and `insert` before the commit",
        ],
        [
            "`move_to_tenant`",
            "–",
            "`find`, one for each field that refers, `delete`, `insert`, `insert`, `commitTransaction`",
        ],
        [
            "`upsert`, `claim`",
            "`find`, and those of `create` or `update`",
            "the same",
        ],
        [
            "`singleton`",
            "`find`, and those of `create` where there is none",
            "the same",
        ],
    ];
    assert_eq!(
        rows, expected,
        "ARCHITECTURE.md has changed: change the tests of this file too"
    );
}
