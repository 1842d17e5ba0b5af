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

#[path = "wire/bulk.rs"]
mod bulk;
#[path = "wire/every/mod.rs"]
mod every;
#[path = "wire/indexes.rs"]
mod indexes;
#[path = "wire/lives.rs"]
mod lives;
#[path = "wire/pages.rs"]
mod pages;
#[path = "wire/references.rs"]
mod references;
#[path = "wire/search.rs"]
mod search;
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

use std::sync::{Arc, Mutex};

use bson::{Document, doc};
use model_core::prelude::*;
use model_core::query::Sort;
use model_core::{SyncOptions, testing};
use model_tests::events::{CommandLog, SentCommand};
use model_tests::server::recorded_database;

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
            .model::<Vault>()
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

/// Row `get`, `fetch`, `first`, `get_by`, `find_unique`.
#[tokio::test]
async fn one_document_is_one_find() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    assert_eq!(wire.sends(Plain::get(&wire.ctx, &plain.id)).await.1, ["find"]);
    assert_eq!(wire.sends(Plain::fetch(&wire.ctx, &plain.id)).await.1, ["find"]);
    assert_eq!(wire.sends(Plain::query(&wire.ctx).first()).await.1, ["find"]);
    assert_eq!(wire.sends(Audited::get(&wire.ctx, &audited.id)).await.1, ["find"]);
    assert_eq!(wire.sends(Audited::query(&wire.ctx).first()).await.1, ["find"]);
    let (missing, sent) = wire.sends(Plain::get(&wire.ctx, &Id::generate())).await;
    assert!(missing.unwrap().is_none());
    assert_eq!(sent, ["find"]);
    let nobody = wire.person(false, false);
    let (denied, sent) = wire.sends(Audited::get(&nobody, &audited.id)).await;
    assert!(denied.unwrap().is_none());
    assert_eq!(sent, ["find"]);
}

/// Rows `first` and `exists`: where the document asked for is the last one, no cursor stays open that has to be closed.
#[tokio::test]
async fn the_last_document_leaves_no_cursor() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    wire.log.take();
    Plain::query(&wire.ctx).first().await.unwrap();
    Plain::query(&wire.ctx).limit(1).await.unwrap();
    Audited::query(&wire.ctx).first().await.unwrap();
    Audited::query(&wire.ctx).exists().await.unwrap();
    Audited::query(&wire.ctx).limit(1).await.unwrap();
    // What the driver sends by itself, it sends at once.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let sent = wire.log.take_names();
    assert_eq!(sent, ["find"; 5]);
}

/// Row `query`: one cursor, however many batches.
#[tokio::test]
async fn a_query_is_one_cursor() {
    let wire = Wire::new().await;
    let plain = wire.unrecorded("plain").await;
    let stored = (0..250).map(|n| {
        doc! { "organization": "acme", "name": format!("n{n}"), "tags": [], "updated": bson::DateTime::from_millis(n) }
    });
    plain.insert_many(stored).await.unwrap();
    let (all, sent) = wire.sends(async { Plain::query(&wire.ctx).await }).await;
    assert_eq!(all.unwrap().len(), 250);
    assert_eq!(sent.iter().filter(|name| *name == "find").count(), 1, "{sent:?}");
    assert!(
        sent.len() > 1 && sent[1..].iter().all(|name| name == "getMore"),
        "{sent:?}"
    );
    let (some, sent) = wire
        .sends(async {
            Plain::query(&wire.ctx)
                .sort(|p| p.name.asc())
                .skip(3)
                .limit(7)
                .await
        })
        .await;
    assert_eq!((some.unwrap().len(), sent), (7, vec!["find".to_owned()]));
    let (none, sent) = wire.sends(async { Plain::query(&wire.ctx).limit(0).await }).await;
    assert_eq!(none.unwrap().len(), 0);
    assert!(sent.len() <= 1, "{sent:?}");
}

/// Row `page`: a `find` for each range that it takes, and the thousandth page costs what the first does: the server begins in the index where the
/// page begins, and sorts nothing.
#[tokio::test]
async fn a_page_begins_in_the_index_at_its_place() {
    let wire = Wire::new().await;
    let plain = wire.unrecorded("plain").await;
    let stored = (0..3_000_i64).map(|n| {
        let mut row = doc! { "organization": "acme", "name": format!("n{:04}", n / 3), "tags": [] };
        row.insert("updated", bson::DateTime::from_millis(n / 500));
        row
    });
    plain.insert_many(stored).await.unwrap();
    let others =
        (0..3_000_i64).map(|n| doc! { "organization": "globex", "name": format!("n{n:04}"), "tags": [] });
    plain.insert_many(others).await.unwrap();
    type Order = fn(&'static PlainFields) -> Sort<Plain>;
    let orders: [Order; 4] = [
        |p| p.name.asc(),
        |p| p.name.desc(),
        |p| p.updated.desc().then(p.name.asc()),
        |p| p.updated.asc().then(p.name.desc()),
    ];
    for (n, order) in orders.into_iter().enumerate() {
        let mut cursor = None;
        let mut seen = 0;
        let mut worst = 0;
        loop {
            let query = Plain::query(&wire.ctx).sort(order);
            wire.log.take();
            let page = query.page(50, cursor.as_deref()).await.unwrap();
            let sent = wire.log.take();
            let most = if cursor.is_none() { 1 } else { 2 + n / 2 };
            assert!(
                sent.len() <= most && sent.iter().all(|sent| sent.name == "find"),
                "{sent:?}"
            );
            let mut of_page = 0;
            for find in &sent {
                carries_the_tenant(&wire.db, find, "acme");
                let (sorts, examined) = plan_of(&wire, find).await;
                assert!(!sorts, "order {n}: the server sorts after {seen}");
                of_page += examined;
            }
            worst = worst.max(of_page);
            seen += page.items.len();
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, 3_000);
        assert!(
            worst <= 60,
            "order {n}: {worst} documents or keys for a page of 50"
        );
    }
}

/// Row `get_many`: one `find` for a thousand ids, none for none.
#[tokio::test]
async fn many_ids_are_one_find() {
    let wire = Wire::new().await;
    let ids = [wire.audited("a").await.id, wire.audited("b").await.id];
    let (found, sent) = wire.sends(Audited::get_many(&wire.ctx, &ids)).await;
    assert_eq!((found.unwrap().len(), sent), (2, vec!["find".to_owned()]));
    let (found, sent) = wire.sends(Audited::get_many(&wire.ctx, [])).await;
    assert!(found.unwrap().is_empty() && sent.is_empty());
    let many: Vec<Id<Plain>> = (0..1_001).map(|_| Id::generate()).collect();
    assert_eq!(
        wire.sends(Plain::get_many(&wire.ctx, &many)).await.1,
        ["find", "find"]
    );
}

/// Row `distinct`, by the scope's exactness.
#[tokio::test]
async fn distinct_values_are_the_servers_where_the_scope_is_exact() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    let plain = async { Plain::query(&wire.ctx).distinct(|p| &p.name).await };
    let (names, sent) = wire.sends(plain).await;
    assert_eq!(
        (names.unwrap(), sent),
        (vec!["a".to_owned()], vec!["aggregate".to_owned()])
    );
    let plain = async { Plain::query(&wire.ctx).distinct(|p| &p.tags).await };
    assert_eq!(wire.sends(plain).await.1, ["aggregate"]);
    let audited = async { Audited::query(&wire.ctx).distinct(|p| &p.name).await };
    assert_eq!(wire.sends(audited).await.1, ["find"]);
}

/// Some of the fields, one with another name for the server.
#[derive(Projection)]
#[projection(of = Plain)]
struct PlainLine {
    name: String,
}

#[derive(Projection)]
#[projection(of = Audited)]
struct AuditedLine {
    name: String,
}

/// Row `select`: where the scope is exact, the fields alone are sent.
#[tokio::test]
async fn a_selection_sends_the_fields_alone() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    wire.log.take();
    let lines = Plain::query(&wire.ctx)
        .sort(|p| p.updated.asc())
        .select::<PlainLine>()
        .await
        .unwrap();
    assert_eq!(lines[0].name, "a");
    let lines = Audited::query(&wire.ctx).select::<AuditedLine>().await.unwrap();
    assert_eq!(lines[0].name, "a");
    let sent = wire.log.take();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|find| carries_the_tenant(&wire.db, find, "acme")));
    let fields = doc! { "_sv": 1, "name": 1, "organization": 1, "updated": 1 };
    assert_eq!(sent[0].body.get_document("projection").unwrap(), &fields);
    assert!(
        !sent[1].body.contains_key("projection"),
        "`can_read` judges whole documents"
    );
}

/// A row over the names.
#[derive(Clone, PartialEq, Embedded)]
struct Named {
    name: String,
    count: i64,
}

/// Row `group`, by the scope's exactness: the pipeline begins with the tenant.
#[tokio::test]
async fn groups_are_the_servers_where_the_scope_is_exact() {
    use model_core::query::Group;
    let wire = Wire::new().await;
    for name in ["$name", "b", "b"] {
        wire.plain(name).await;
        wire.audited(name).await;
    }
    let plain = Plain::query(&wire.ctx)
        .filter(|p| p.organization.ne(TenantId::new("globex").unwrap()))
        .group::<Named>(|p, row| Group::by(&row.name, &p.name).count(&row.count))
        .filter(|row| row.name.in_(["$name", "b"]))
        .sort(|row| row.count.desc());
    let (rows, sent) = wire.sends(plain.into_future()).await;
    let expected = [("b", 2), ("$name", 1)].map(|(name, count)| Named {
        name: name.into(),
        count,
    });
    assert_eq!(
        (rows.unwrap().as_slice(), sent),
        (&expected[..], vec!["aggregate".to_owned()])
    );
    let facet = Plain::query(&wire.ctx).facet(|f| {
        let rows = f.group::<Named>(|p, row| Group::by(&row.name, &p.name).count(&row.count));
        let other = TenantId::new("globex").unwrap();
        let picked = f.select::<PlainLine>().filter(|p| p.organization.eq(other));
        (rows.sort(|row| row.count.desc()), picked, f.select::<PlainLine>())
    });
    let (answers, sent) = wire.sends(facet.into_future()).await;
    let (rows, picked, all) = answers.unwrap();
    assert_eq!((rows.as_slice(), picked.len(), all.len()), (&expected[..], 0, 3));
    assert_eq!(sent, ["aggregate"]);
    let facet = Audited::query(&wire.ctx).facet(|f| (f.count(),));
    let (answers, sent) = wire.sends(facet.into_future()).await;
    assert_eq!((answers.unwrap(), sent), ((3,), vec!["find".to_owned()]));
    let audited = Audited::query(&wire.ctx)
        .group::<Named>(|p, row| Group::by(&row.name, &p.name).count(&row.count))
        .sort(|row| row.count.desc());
    let (rows, sent) = wire.sends(audited.into_future()).await;
    assert_eq!(
        (rows.unwrap().as_slice(), sent),
        (&expected[..], vec!["find".to_owned()])
    );
}

#[derive(Projection)]
#[projection(of = Audited)]
struct AuditedName {
    name: String,
}

/// Row `lookup`: one aggregation; the other model's tenant and scope stand inside of the `$lookup`, and its fields alone are
/// sent where nobody has to be asked about the rest.
#[tokio::test]
async fn a_lookup_has_the_tenant_on_either_side() {
    use model_core::query::Join;
    let wire = Wire::new().await;
    for name in ["a", "b"] {
        wire.plain(name).await;
        wire.audited(name).await;
    }
    let plain = Plain::query(&wire.ctx).select::<PlainLine>();
    let lookup = plain.lookup::<AuditedName>(|p, a| {
        let other = TenantId::new("globex").unwrap();
        Join::on(&p.name, &a.name)
            .filter(a.organization.ne(other))
            .limit(1)
    });
    let (found, sent) = wire.sends(lookup.into_future()).await;
    assert_eq!(sent, ["aggregate"]);
    for one in found.unwrap() {
        assert_eq!((one.joined.len(), &one.joined[0].name), (1, &one.item.name));
    }
    wire.log.take();
    let nobody = wire.person(false, false);
    let lookup = || Audited::query(&wire.ctx).select::<AuditedName>();
    let lookup = lookup().lookup::<PlainLine>(|a, p| Join::on(&a.name, &p.name).sort(p.name.asc()).limit(3));
    assert_eq!(lookup.await.unwrap().len(), 2);
    let command = wire.log.take().remove(0);
    carries_the_tenant(&wire.db, &command, "acme");
    let stages = command.body.get_array("pipeline").unwrap();
    let inside = stages
        .iter()
        .find_map(|stage| stage.as_document().unwrap().get_document("$lookup").ok());
    let inside = inside.unwrap().get_array("pipeline").unwrap();
    let names: Vec<_> = inside
        .iter()
        .map(|stage| stage.as_document().unwrap().keys().next().unwrap())
        .collect();
    assert_eq!(names, ["$match", "$sort", "$limit", "$project"]);
    // Who may read nothing of the other model gets nothing of it.
    let own = Plain::query(&nobody).select::<PlainLine>();
    let own = own.lookup::<PlainLine>(|a, b| Join::on(&a.name, &b.name));
    let (found, _) = wire.sends(own.into_future()).await;
    assert!(found.unwrap().is_empty());
}

/// Row `explain`.
#[tokio::test]
async fn an_explanation_is_one_find() {
    let wire = Wire::new().await;
    let id = wire.audited("a").await.id;
    let nobody = wire.person(false, false);
    let (access, sent) = wire.sends(Audited::explain(&nobody, &id)).await;
    assert_eq!(
        (access.unwrap(), sent),
        (model_core::Access::OutsideScope, vec!["find".to_owned()])
    );
}

/// What a query says of how it is to be read stands in its commands.
#[tokio::test]
async fn options_stand_in_the_command() {
    use model_core::query::{Collation, ReadConcern, ReadPreference};
    let wire = Wire::new().await;
    wire.plain("a").await;
    let query = || {
        Plain::query(&wire.ctx)
            .filter(|p| p.name.eq("a"))
            .hint(|p| p.name.asc().then(p.id.asc()))
            .read_preference(ReadPreference::SecondaryPreferred)
            .read_concern(ReadConcern::Majority)
            .max_time(std::time::Duration::from_secs(2))
            .batch_size(7)
            .comment("a test")
    };
    wire.log.take();
    assert_eq!(query().await.unwrap().len(), 1);
    assert_eq!(query().count().await.unwrap(), 1);
    assert_eq!(query().distinct(|p| &p.name).await.unwrap(), ["a"]);
    assert_eq!(
        query()
            .sort(|p| p.name.asc())
            .page(3, None)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let sent = wire.log.take();
    assert_eq!(sent.len(), 4);
    for command in sent {
        let body = command.body;
        assert_eq!(
            body.get_document("hint").unwrap(),
            &doc! { "organization": 1, "name": 1, "_id": 1 }
        );
        assert_eq!(body.get_i64("maxTimeMS").unwrap(), 2_000);
        assert_eq!(body.get_str("comment").unwrap(), "a test");
        assert_eq!(
            body.get_document("readConcern")
                .unwrap()
                .get_str("level")
                .unwrap(),
            "majority"
        );
        let preference = body.get_document("$readPreference").unwrap();
        assert_eq!(preference.get_str("mode").unwrap(), "secondaryPreferred");
    }
    let undeclared = Plain::query(&wire.ctx).hint(|p| p.tags.asc()).await.unwrap_err();
    assert!(undeclared.is_configuration(), "{undeclared}");
    // The tenant is a string: it would be compared by the collation as well.
    let collation = Collation::new("en").strength(2);
    let error = Audited::query(&wire.ctx)
        .collation(collation.clone())
        .await
        .unwrap_err();
    assert!(error.is_unsupported() && wire.log.take().is_empty(), "{error}");
    // A tenant that is none does not; the scope is a superset, and `can_read` is asked.
    let oid = wire.db.context(
        bson::oid::ObjectId::from_bytes([7; 12]),
        Person {
            reads: true,
            writes: true,
        },
    );
    for name in ["b", "A", "a"] {
        Audited::create(&oid, new_audited(name)).await.unwrap();
    }
    let query = || Audited::query(&oid).collation(collation.clone());
    let found = query().filter(|a| a.name.eq("A")).await.unwrap();
    assert_eq!(found.len(), 2);
    let page = query().sort(|a| a.name.asc()).page(2, None).await.unwrap();
    let rest = query()
        .sort(|a| a.name.asc())
        .page(2, page.next.as_deref())
        .await
        .unwrap();
    assert_eq!((page.items.len(), rest.items[0].name.as_str()), (2, "b"));
    let error = Plain::query(&oid).collation(collation).count().await.unwrap_err();
    assert!(error.is_unsupported(), "an exact scope alone decides: {error}");
}

/// Whether the server sorts for this `find`, and how many keys or documents it looks at.
async fn plan_of(wire: &Wire, find: &SentCommand) -> (bool, i32) {
    let client = model_tests::server::server().await.client().await;
    let mut command = find.body.clone();
    for key in ["lsid", "$db", "$clusterTime", "$readPreference", "txnNumber"] {
        command.remove(key);
    }
    let explain = doc! { "explain": command, "verbosity": "executionStats" };
    let explained = client
        .database(wire.database.name())
        .run_command(explain)
        .await
        .unwrap();
    let stats = explained.get_document("executionStats").unwrap();
    let sorts = stats.to_string().contains("\"stage\": \"SORT\"");
    assert!(stats.to_string().contains("IXSCAN"), "{stats}");
    let examined = ["totalKeysExamined", "totalDocsExamined"].map(|key| stats.get_i32(key).unwrap());
    (sorts, examined.into_iter().max().unwrap())
}

/// Row `count`, `exists`, by the scope's exactness.
#[tokio::test]
async fn an_exact_scope_is_counted_on_the_server() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    assert_eq!(wire.sends(Plain::query(&wire.ctx).count()).await.1, ["aggregate"]);
    assert_eq!(
        wire.sends(Plain::query(&wire.ctx).exists()).await.1,
        ["aggregate"]
    );
    assert_eq!(wire.sends(Audited::query(&wire.ctx).count()).await.1, ["find"]);
    assert_eq!(wire.sends(Audited::query(&wire.ctx).exists()).await.1, ["find"]);
}

/// Row `create`.
#[tokio::test]
async fn a_create_is_one_insert() {
    let wire = Wire::new().await;
    assert_eq!(wire.sends(wire.plain("a")).await.1, ["insert"]);
    assert_eq!(
        wire.sends(wire.audited("a")).await.1,
        ["insert", "insert", "commitTransaction"]
    );
    let viewer = wire.person(true, false);
    let (denied, sent) = wire
        .sends(async { Audited::create(&viewer, new_audited("b")).await })
        .await;
    assert!(denied.unwrap_err().is_forbidden());
    assert!(sent.is_empty(), "{sent:?}");
    let (invalid, sent) = wire
        .sends(async { Audited::create(&wire.ctx, new_audited("")).await })
        .await;
    assert!(invalid.unwrap_err().is_invalid());
    assert!(sent.is_empty(), "{sent:?}");
}

/// Row `create`, a lost race: `Duplicate`, and nothing of the entry.
#[tokio::test]
async fn a_duplicate_is_one_insert() {
    let wire = Wire::new().await;
    let plain = wire.plain("a").await;
    let again = async { Plain::create_with_id(&wire.ctx, plain.id.clone(), new_plain("b")).await };
    let (error, sent) = wire.sends(again).await;
    assert!(error.unwrap_err().is_duplicate());
    assert_eq!(sent, ["insert"]);
    let audited = wire.audited("a").await;
    let again = async { Audited::create_with_id(&wire.ctx, audited.id.clone(), new_audited("b")).await };
    let (error, sent) = wire.sends(again).await;
    assert!(error.unwrap_err().is_duplicate());
    assert_eq!(sent, ["insert", "abortTransaction"]);
    let log = testing::stored(&wire.db, "audit_log").await.unwrap();
    assert_eq!(log.len(), 1, "the first create's");
}

/// Row `update`.
#[tokio::test]
async fn an_update_is_a_find_and_an_update() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let (updated, sent) = wire
        .sends(async { Plain::update(&wire.ctx, &plain.id, rename_plain("b")).await })
        .await;
    assert_eq!(updated.unwrap().name, "b");
    assert_eq!(sent, ["find", "update"]);
    let update = async { Audited::update(&wire.ctx, &audited.id, rename_audited("b")).await };
    assert_eq!(
        wire.sends(update).await.1,
        ["find", "update", "insert", "commitTransaction"]
    );
}

/// Row `update_with`, `modify`: as an update; a lost race costs the commands of the lost attempt and begins again.
#[tokio::test]
async fn a_computed_update_is_an_update_that_begins_again() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let push = async { Plain::update_with(&wire.ctx, &plain.id, |p| p.tags.push("x")).await };
    let (updated, sent) = wire.sends(push).await;
    assert_eq!(updated.unwrap().tags, ["x"]);
    assert_eq!(sent, ["find", "update"]);
    let same = async { Plain::update_with(&wire.ctx, &plain.id, |p| p.tags.add_to_set("x")).await };
    assert_eq!(wire.sends(same).await.1, ["find"]);
    wire.rival.will(Act::Change(wire.unrecorded("plain").await));
    let push = async { Plain::update_with(&wire.ctx, &plain.id, |p| p.tags.push("y")).await };
    let (updated, sent) = wire.sends(push).await;
    assert_eq!(updated.unwrap().tags, ["x", "y"]);
    assert_eq!(sent, ["find", "update", "find", "find", "update"]);
    wire.rival.will(Act::Change(wire.unrecorded("audited").await));
    let patch = |_: &Audited| Ok(Some(rename_audited("b")));
    let modify = async { Audited::modify(&wire.ctx, &audited.id, patch).await };
    let (updated, sent) = wire.sends(modify).await;
    assert_eq!(updated.unwrap().name, "b");
    let lost = ["find", "update", "find", "abortTransaction"];
    let won = ["find", "update", "insert", "commitTransaction"];
    assert_eq!(sent, [lost, won].concat());
}

/// Row `update` that changes nothing; and those that are denied, missing, invalid or outdated.
#[tokio::test]
async fn what_writes_nothing_is_one_find() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let same = async { Plain::update(&wire.ctx, &plain.id, rename_plain(" a ")).await };
    assert_eq!(wire.sends(same).await.1, ["find"]);
    let same = async { Audited::update(&wire.ctx, &audited.id, rename_audited("a")).await };
    assert_eq!(wire.sends(same).await.1, ["find"]);
    let empty = async { Audited::update(&wire.ctx, &audited.id, AuditedPatch::default()).await };
    assert_eq!(wire.sends(empty).await.1, ["find"]);
    for (person, patch, kind) in [
        (
            wire.person(true, false),
            rename_audited("b"),
            ErrorKind::Forbidden,
        ),
        (wire.person(false, true), rename_audited("b"), ErrorKind::NotFound),
        (wire.person(true, true), rename_audited(""), ErrorKind::Invalid),
    ] {
        let (error, sent) = wire
            .sends(async { Audited::update(&person, &audited.id, patch).await })
            .await;
        assert_eq!(error.unwrap_err().kind(), kind);
        assert_eq!(sent, ["find"], "{kind:?}");
    }
    let missing = Id::generate();
    let (error, sent) = wire
        .sends(async { Audited::update(&wire.ctx, &missing, rename_audited("b")).await })
        .await;
    assert!(error.unwrap_err().is_not_found());
    assert_eq!(sent, ["find"]);
    let outdated = Revision::parse("1").unwrap();
    let update = async {
        Plain::update(&wire.ctx, &plain.id, rename_plain("b"))
            .if_revision(outdated)
            .await
    };
    let (error, sent) = wire.sends(update).await;
    assert!(error.unwrap_err().is_conflict());
    assert_eq!(sent, ["find"]);
    let (deleted, sent) = wire
        .sends(async { Audited::delete(&wire.ctx, &missing).await })
        .await;
    assert!(!deleted.unwrap());
    assert_eq!(sent, ["find"]);
    let viewer = wire.person(true, false);
    let (error, sent) = wire
        .sends(async { Audited::delete(&viewer, &audited.id).await })
        .await;
    assert!(error.unwrap_err().is_forbidden());
    assert_eq!(sent, ["find"]);
}

/// Row `delete`.
#[tokio::test]
async fn a_delete_is_a_find_and_a_delete() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let (deleted, sent) = wire
        .sends(async { Plain::delete(&wire.ctx, &plain.id).await })
        .await;
    assert!(deleted.unwrap());
    assert_eq!(sent, ["find", "delete"]);
    let delete = async { Audited::delete(&wire.ctx, &audited.id).await };
    assert_eq!(
        wire.sends(delete).await.1,
        ["find", "delete", "insert", "commitTransaction"]
    );
}

/// Column "a lost race", of `update`: told apart by one more find; nothing is written, nothing audited.
#[tokio::test]
async fn a_lost_update_is_told_apart_by_one_more_find() {
    let wire = Wire::new().await;
    for (gone, kind) in [(false, ErrorKind::Conflict), (true, ErrorKind::NotFound)] {
        let act = async |name| {
            let collection = wire.unrecorded(name).await;
            wire.rival.will(if gone {
                Act::Remove(collection)
            } else {
                Act::Change(collection)
            });
        };
        let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
        act("plain").await;
        let update = async { Plain::update(&wire.ctx, &plain.id, rename_plain("b")).await };
        let (error, sent) = wire.sends(update).await;
        assert_eq!(error.unwrap_err().kind(), kind);
        assert_eq!(sent, ["find", "update", "find"]);
        act("audited").await;
        let before = testing::stored(&wire.db, "audit_log").await.unwrap().len();
        let update = async { Audited::update(&wire.ctx, &audited.id, rename_audited("b")).await };
        let (error, sent) = wire.sends(update).await;
        assert_eq!(error.unwrap_err().kind(), kind);
        assert_eq!(sent, ["find", "update", "find", "abortTransaction"]);
        assert_eq!(
            testing::stored(&wire.db, "audit_log").await.unwrap().len(),
            before
        );
    }
}

/// Column "a lost race", of `delete`: `Conflict`, or what was asked for if it is gone.
#[tokio::test]
async fn a_lost_delete_is_told_apart_by_one_more_find() {
    let wire = Wire::new().await;
    for gone in [false, true] {
        let act = async |name| {
            let collection = wire.unrecorded(name).await;
            wire.rival.will(if gone {
                Act::Remove(collection)
            } else {
                Act::Change(collection)
            });
        };
        let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
        act("plain").await;
        let (plain, sent) = wire
            .sends(async { Plain::delete(&wire.ctx, &plain.id).await })
            .await;
        assert_eq!(sent, ["find", "delete", "find"]);
        act("audited").await;
        let (audited, sent) = wire
            .sends(async { Audited::delete(&wire.ctx, &audited.id).await })
            .await;
        assert_eq!(sent, ["find", "delete", "find", "abortTransaction"]);
        for result in [plain, audited] {
            match result {
                Ok(deleted) => assert!(gone && !deleted),
                Err(error) => assert!(!gone && error.is_conflict(), "{error}"),
            }
        }
    }
}

/// A transaction that runs into another is begun anew, from its first write.
#[tokio::test]
async fn a_transaction_is_begun_anew() {
    let wire = Wire::new().await;
    let audited = wire.audited("a").await;
    let fail_point = doc! {
        "configureFailPoint": "failCommand",
        "mode": { "times": 2 },
        "data": {
            "failCommands": ["update"],
            "namespace": format!("{}.audited", wire.database.name()),
            "errorCode": 112,
            "errorLabels": ["TransientTransactionError"],
        },
    };
    let admin = model_tests::server::server()
        .await
        .client()
        .await
        .database("admin");
    admin.run_command(fail_point).await.unwrap();
    let update = async { Audited::update(&wire.ctx, &audited.id, rename_audited("b")).await };
    let (updated, sent) = wire.sends(update).await;
    admin
        .run_command(doc! { "configureFailPoint": "failCommand", "mode": "off" })
        .await
        .unwrap();
    assert_eq!(updated.unwrap().name, "b");
    let once = ["update", "abortTransaction"];
    let whole = [
        &["find"][..],
        &once,
        &once,
        &["update", "insert", "commitTransaction"],
    ]
    .concat();
    assert_eq!(sent, whole);
}

/// "Encryption adds no command but the first use of a tenant's key."
#[tokio::test]
async fn encryption_adds_the_key_once() {
    let wire = Wire::new().await;
    let new = |token: &str| NewSealed {
        name: "a".into(),
        token: Secret::from(token),
    };
    let on_keys = |command: &SentCommand| {
        command
            .body
            .get_str(&command.name)
            .is_ok_and(|name| name == "__model_keys")
    };
    wire.log.take();
    let first = Sealed::create(&wire.ctx, new("one")).await.unwrap();
    let sent = wire.log.take();
    let named = |keys: bool| {
        let names = sent.iter().filter(move |command| on_keys(command) == keys);
        names.map(|command| command.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(named(false), ["insert"]);
    assert_eq!(named(true), ["find", "find", "createIndexes", "insert"]);
    assert_eq!(
        wire.sends(async { Sealed::create(&wire.ctx, new("two")).await.unwrap() })
            .await
            .1,
        ["insert"]
    );
    assert_eq!(wire.sends(Sealed::get(&wire.ctx, &first.id)).await.1, ["find"]);
    let (token, sent) = wire.sends(first.token.reveal(&wire.ctx)).await;
    assert_eq!(token.unwrap().expose(), "one");
    assert!(sent.is_empty(), "{sent:?}");
    let patch = || SealedPatch {
        name: Set("b".into()),
        ..Default::default()
    };
    let update = async { Sealed::update(&wire.ctx, &first.id, patch()).await.unwrap() };
    assert_eq!(wire.sends(update).await.1, ["find", "update"]);
    let update = async { Sealed::update(&wire.ctx, &first.id, patch()).await.unwrap() };
    assert_eq!(wire.sends(update).await.1, ["find"], "an unchanged update");
    let patch = SealedPatch {
        token: Set(Secret::from("new")),
        ..Default::default()
    };
    let update = async { Sealed::update(&wire.ctx, &first.id, patch).await.unwrap() };
    assert_eq!(wire.sends(update).await.1, ["find", "update"]);
    let delete = async { Sealed::delete(&wire.ctx, &first.id).await.unwrap() };
    assert_eq!(wire.sends(delete).await.1, ["find", "delete"]);
    let vault = NewVault {
        token: Secret::from("three"),
    };
    let (vault, sent) = wire
        .sends(async { Vault::create(&wire.ctx, vault).await.unwrap() })
        .await;
    assert_eq!(sent, ["insert", "insert", "commitTransaction"]);

    // A handle that has not seen the key finds it once.
    let other = Wire::open(&wire.database, &wire.rival).await;
    let ctx = other.context(
        TenantId::new("acme").unwrap(),
        Person {
            reads: true,
            writes: true,
        },
    );
    let read = Vault::fetch(&ctx, &vault.id).await.unwrap();
    let (token, sent) = wire.sends(read.token.reveal(&ctx)).await;
    assert_eq!(token.unwrap().expose(), "three");
    assert_eq!(sent, ["find"]);
    let (_, sent) = wire.sends(read.token.reveal(&ctx)).await;
    assert!(sent.is_empty(), "{sent:?}");
}

/// A bypass is audited whether the model is or not.
#[tokio::test]
async fn a_bypass_is_audited() {
    let wire = Wire::new().await;
    let system = wire
        .person(false, false)
        .dangerously_bypass_permissions("nightly cleanup");
    let create = async { Plain::create(&system, new_plain("a")).await.unwrap() };
    let (plain, sent) = wire.sends(create).await;
    assert_eq!(sent, ["insert", "insert", "commitTransaction"]);
    let update = async {
        Plain::update(&system, &plain.id, rename_plain("b"))
            .await
            .unwrap()
    };
    assert_eq!(
        wire.sends(update).await.1,
        ["find", "update", "insert", "commitTransaction"]
    );
    assert_eq!(wire.sends(Plain::query(&system).count()).await.1, ["aggregate"]);
    assert_eq!(
        wire.sends(Audited::query(&system).count()).await.1,
        ["aggregate"],
        "no scope to ask"
    );
    let delete = async { Plain::delete(&system, &plain.id).await.unwrap() };
    assert_eq!(
        wire.sends(delete).await.1,
        ["find", "delete", "insert", "commitTransaction"]
    );
}

/// With a sink of the application's own there is no transaction.
#[tokio::test]
async fn a_sink_needs_no_transaction() {
    let (database, log) = recorded_database().await;
    let sink = testing::CollectingSink::new();
    let db = Db::mongo(database)
        .audit_to(sink.clone())
        .state(Rival::default())
        .model::<Audited>();
    let db = db.build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let ctx = db.context(
        TenantId::new("acme").unwrap(),
        Person {
            reads: true,
            writes: true,
        },
    );
    Audited::query(&ctx).first().await.unwrap();
    log.take();
    let audited = Audited::create(&ctx, new_audited("a")).await.unwrap();
    assert_eq!(log.take_names(), ["insert"]);
    Audited::update(&ctx, &audited.id, rename_audited("b"))
        .await
        .unwrap();
    assert_eq!(log.take_names(), ["find", "update"]);
    Audited::delete(&ctx, &audited.id).await.unwrap();
    assert_eq!(log.take_names(), ["find", "delete"]);
    assert_eq!(sink.take().len(), 3);
}

/// Contract C 8 and 9: whatever the filter and the order, the tenant stands alone at the top. (`sends` asserts it of
/// every command.)
#[tokio::test]
async fn no_filter_takes_the_tenants_place() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    let globex = || TenantId::new("globex").unwrap();
    let both = [globex(), TenantId::new("acme").unwrap()];
    let filters: Vec<Filter<Plain>> = vec![
        Filter::all(),
        Filter::nothing(),
        Plain::filter(|p| p.organization.eq(globex())),
        Plain::filter(|p| p.organization.ne(globex())),
        Plain::filter(|p| p.organization.in_(&both)),
        Plain::filter(|p| p.organization.exists(false) | p.organization.exists(true)),
        Plain::filter(|p| !(p.organization.eq(globex()) & p.name.eq("a"))),
        Plain::filter(|p| p.organization.eq(globex()) | p.name.starts_with("")),
        Plain::filter(|p| p.tags.size(0) & p.tags.elem_match(|_| Filter::all())),
    ];
    for filter in filters {
        let query = || Plain::query(&wire.ctx).matching(filter.clone());
        wire.sends(async { query().await.unwrap() }).await;
        wire.sends(async { query().count().await.unwrap() }).await;
        wire.sends(async { query().exists().await.unwrap() }).await;
        wire.sends(async { query().first().await.unwrap() }).await;
        let sort: fn(&'static PlainFields) -> Sort<Plain> = |p| p.organization.desc().then(p.name.asc());
        wire.sends(async { query().sort(sort).skip(1).limit(2).await.unwrap() })
            .await;
    }
}

/// Before the tenant is known, one document is found by a field that is unique over all tenants, and by nothing else.
#[tokio::test]
async fn find_unique_is_one_find_by_the_unique_field() {
    let wire = Wire::new().await;
    let mut new = new_plain("a");
    new.optional.code = Some("c1".into());
    let plain = Plain::create(&wire.ctx, new).await.unwrap();
    let global = wire.db.global_context(Person {
        reads: true,
        writes: true,
    });
    wire.log.take();
    let found = Plain::find_unique(&global, |p| p.code.lookup("c1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, plain.id);
    let sent = wire.log.take();
    assert_eq!(sent.len(), 1);
    let filter = sent[0].body.get_document("filter").unwrap();
    assert_eq!(filter, &doc! { "$and": [{ "code": { "$eq": "c1" } }] });
    assert_eq!(sent[0].body.get_i64("limit").unwrap(), 1);
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
            "`distinct`, `group`, `facet`, scope a superset",
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
