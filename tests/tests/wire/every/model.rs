//! Models with everything that makes an operation send a command, and documents of two tenants.

use std::sync::Arc;

use bson::{Document, doc};
use chrono::TimeDelta;
use model_core::crypto::Purpose;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{ModelExt, SyncOptions};
use model_tests::events::CommandLog;
use model_tests::server::recorded_database;

use super::ID;

#[derive(Clone)]
pub(crate) struct Agent;

impl Actor for Agent {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }

    fn can_read_audit_log(&self) -> bool {
        true
    }
}

pub(crate) type Ctx = Context<Agent>;

macro_rules! open {
    ($model:ident $($more:item)*) => {
        impl BaseModel for $model {
            type Actor = Agent;

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

            fn read_scope(_ctx: &Ctx) -> Filter<Self> {
                Filter::all()
            }

            $($more)*
        }
    };
}

with_its_id! {
/// Of a second version, audited, softly deleted, with secrets and a tree.
#[derive(Clone, Model)]
#[model(
    collection = "things",
    version = 2,
    audit,
    soft_delete,
    index(name, id),
    index(key = text, language = "none"),
    seal(key, unsealed_until = "2026-12-31")
)]
pub(crate) struct Thing {
    #[model(id)]
    pub(crate) id: Id<Thing>,
    #[model(tenant)]
    organization: TenantId,
    pub(crate) name: String,
    #[model(unique)]
    pub(crate) key: String,
    #[model(since = 2, default = 1)]
    pub(crate) weight: i64,
    token: Option<Encrypted<String>>,
    pub(crate) password: Option<PasswordHash>,
    pub(crate) parent: Option<Ref<Thing>>,
    pub(crate) embedding: Option<Vector<2>>,
    #[model(revision)]
    pub(crate) revision: Revision,
}
}

open! {
    Thing
    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        document.insert("weight", 7_i64);
        Ok(document)
    }
}

with_its_id! {
/// Goes with its thing.
#[derive(Clone, Model)]
#[model(collection = "parts", index(of))]
pub(crate) struct Part {
    #[model(id)]
    id: Id<Part>,
    #[model(tenant)]
    organization: TenantId,
    #[model(subject, on_delete = cascade)]
    of: Ref<Thing>,
    #[model(on_delete = nullify)]
    beside: Option<Ref<Thing>>,
}
}

open! { Part }

with_its_id! {
/// One for each tenant.
#[derive(Clone, Model)]
#[model(collection = "settings", singleton)]
pub(crate) struct Settings {
    #[model(id)]
    id: Id<Settings>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}
}

open! { Settings }

with_its_id! {
/// Its audit entries wait inside of it.
#[derive(Clone, Model)]
#[model(collection = "parcels", audit(outbox), watch)]
pub(crate) struct Parcel {
    #[model(id)]
    pub(crate) id: Id<Parcel>,
    #[model(tenant)]
    organization: TenantId,
    pub(crate) text: String,
}
}

open! { Parcel }

/// Without an id: named by its key alone.
#[derive(Clone, Model)]
#[model(collection = "tallies", key(of, day), audit)]
pub(crate) struct Tally {
    #[model(tenant)]
    organization: TenantId,
    pub(crate) of: String,
    pub(crate) day: i64,
    #[model(default = 0)]
    pub(crate) count: i64,
}

open! { Tally }

#[derive(Projection)]
#[projection(of = Thing)]
pub(crate) struct Line {
    pub(crate) key: String,
}

/// A row of a group.
#[derive(Clone, Embedded)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) count: i64,
}

/// The documents of the tenant that operations are about.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) one: Thing,
    /// Below `one`.
    pub(crate) two: Thing,
    pub(crate) deleted: Id<Thing>,
    pub(crate) parcel: Parcel,
}

pub(crate) struct Stage {
    pub(crate) db: Db,
    pub(crate) log: CommandLog,
    /// By a client whose commands are not recorded.
    database: mongodb::Database,
    given: Arc<Given>,
    stored: Vec<(String, Vec<Document>)>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let (recorded, log) = recorded_database().await;
        let client = model_tests::server::server().await.client().await;
        let database = client.database(recorded.name());
        let clock = FixedClock::at("2026-03-01T09:00:00Z");
        let (policy, limits) = testing::fast_passwords();
        let db = Db::mongo(recorded)
            .keys(testing::keyring().unwrap())
            .passwords(policy, limits)
            .clock(clock.clone())
            .audit_chain()
            .model::<Thing>()
            .model::<Part>()
            .model::<Settings>()
            .model::<Parcel>()
            .model::<Tally>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        db.sync_collections().await.unwrap();
        fill(&context(&db, "globex")).await;
        let given = fill(&context(&db, "acme")).await;
        for (number, tenant) in ["acme", "globex"].into_iter().enumerate() {
            let id = bson::oid::ObjectId::from_bytes([u8::try_from(number).unwrap(); 12]);
            let mut old = doc! { "_id": id, "organization": tenant, "name": "old", "key": "old" };
            old.insert(ID, id);
            testing::store_raw(&db, "things", &old).await.unwrap();
        }
        // What is sealed lies under an older key by now.
        let keys = db.keys(ActorIdentity::user("ada"));
        let key = keys
            .stage(Purpose::Enc, Some(&TenantId::new("acme").unwrap()))
            .await
            .unwrap();
        clock.advance(TimeDelta::minutes(15));
        keys.promote(key).await.unwrap();
        let mut stored = Vec::new();
        for name in database.list_collection_names().await.unwrap() {
            if !name.starts_with("__model_keys") {
                stored.push((name.clone(), read(&database, &name).await));
            }
        }
        Self {
            db,
            log,
            database,
            given: Arc::new(given),
            stored,
        }
    }

    pub(crate) fn ctx(&self) -> Ctx {
        context(&self.db, "acme")
    }

    /// All documents as they were in the beginning.
    pub(crate) async fn reset(&self) -> Arc<Given> {
        for (name, documents) in &self.stored {
            let collection = self.database.collection::<Document>(name);
            collection.delete_many(doc! {}).await.unwrap();
            if !documents.is_empty() {
                collection.insert_many(documents).await.unwrap();
            }
        }
        self.given.clone()
    }

    /// What another tenant has, no operation changed.
    pub(crate) async fn assert_others_untouched(&self) {
        for (name, documents) in &self.stored {
            let others = |all: &[Document]| {
                let theirs = all.iter().filter(|one| {
                    ["organization", "tenant"]
                        .iter()
                        .any(|field| one.get_str(field).is_ok_and(|of| of == "globex"))
                });
                theirs.cloned().collect::<Vec<_>>()
            };
            let now = read(&self.database, name).await;
            assert_eq!(others(&now), others(documents), "{name}");
        }
    }
}

async fn read(database: &mongodb::Database, collection: &str) -> Vec<Document> {
    use futures_util::TryStreamExt;
    let collection = database.collection::<Document>(collection);
    let all = collection.find(doc! {}).sort(doc! { "_id": 1 });
    all.await.unwrap().try_collect().await.unwrap()
}

fn context(db: &Db, tenant: &str) -> Ctx {
    db.context(TenantId::new(tenant).unwrap(), Agent)
}

pub(crate) fn new_thing(key: &str) -> NewThing {
    NewThing {
        name: "thing".into(),
        key: key.into(),
        optional: NewThingOptional {
            token: Some(Secret::from("secret")),
            password: Some(NewPassword::new("correct horse".to_owned()).unwrap()),
            embedding: Some([1.0, 0.0].try_into().unwrap()),
            ..Default::default()
        },
    }
}

pub(crate) fn rename(name: &str) -> ThingPatch {
    ThingPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

pub(crate) fn new_settings() -> NewSettings {
    NewSettings { name: "mine".into() }
}

pub(crate) fn new_parcel() -> NewParcel {
    NewParcel { text: "new".into() }
}

pub(crate) fn new_tally(day: i64) -> NewTally {
    NewTally {
        of: "one".into(),
        day,
        optional: NewTallyOptional::default(),
    }
}

/// The one that is there.
pub(crate) fn first_day(t: &TallyFields) -> Filter<Tally> {
    t.of.eq("one") & t.day.eq(1)
}

pub(crate) fn count(count: i64) -> TallyPatch {
    TallyPatch {
        count: Set(count),
        ..Default::default()
    }
}

pub(crate) fn reword(text: &str) -> ParcelPatch {
    ParcelPatch {
        text: Set(text.into()),
        ..Default::default()
    }
}

async fn fill(ctx: &Ctx) -> Given {
    let one = Thing::create(ctx, new_thing("one")).await.unwrap();
    let mut below = new_thing("two");
    below.optional.parent = Some(Ref::to(&one.id));
    let two = Thing::create(ctx, below).await.unwrap();
    let deleted = Thing::create(ctx, new_thing("gone")).await.unwrap().id;
    assert!(Thing::delete(ctx, &deleted).await.unwrap());
    for (of, beside) in [(&one, &two), (&two, &one)] {
        let new = NewPart {
            of: Ref::to(&of.id),
            optional: NewPartOptional {
                beside: Some(Ref::to(&beside.id)),
            },
        };
        Part::create(ctx, new).await.unwrap();
    }
    let parcel = Parcel::create(ctx, new_parcel()).await.unwrap();
    Tally::create(ctx, new_tally(1)).await.unwrap();
    Given {
        one,
        two,
        deleted,
        parcel,
    }
}
