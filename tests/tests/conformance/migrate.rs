//! Contract J 36, 37: `migrate_all`, and queries while there are documents of older versions.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::future::{Either, join, select};
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{Error, MigrateReport};
use tokio::sync::Notify;

use crate::harness::{START, Stage, change, date, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// Version 1 had a `title` and a `pin` in the clear; version 2 brought the weight, version 3 the state.
#[derive(Clone, Model)]
#[model(
    collection = "shipments",
    id_prefix = "shp_",
    version = 3,
    soft_delete,
    audit(entity = "shipment")
)]
#[model(index(number, unique, exists(number)))]
pub(crate) struct Shipment {
    #[model(id)]
    pub(crate) id: Id<Shipment>,
    #[model(tenant)]
    organization: TenantId,
    #[model(len(3..=80))]
    pub(crate) name: String,
    #[model(since = 2)]
    pub(crate) weight: u32,
    #[model(since = 3)]
    pub(crate) number: String,
    #[model(default = 0)]
    pub(crate) count: u32,
    pub(crate) pin: Option<Encrypted<String>>,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
    #[model(revision)]
    revision: Revision,
}

impl BaseModel for Shipment {
    type Actor = User;
    open_policy!(Shipment, Ctx);

    async fn before_update(ctx: &Ctx, _change: &mut Change<Self>) -> Result<()> {
        match ctx.actor().name.as_str() {
            "ada" => Err(Error::refused("a migration runs no hook")),
            _ => Ok(()),
        }
    }

    fn migrate(mut document: Document, info: &MigrateInfo) -> Result<Document> {
        if document.get_bool("poison").unwrap_or_default() {
            return Err(Error::refused("poison"));
        }
        if document.get_bool("elsewhere").unwrap_or_default() {
            document.insert("organization", "globex");
        }
        if document.get_bool("another").unwrap_or_default() {
            document.insert("_id", "shp_another");
        }
        if info.stored_version < 2 {
            let title = document.remove("title").unwrap_or_default();
            document.insert("name", title);
            document.insert("weight", 7_i64);
        }
        if info.stored_version < 3 {
            let number = document
                .get_str("taken")
                .or(document.get_str("_id"))
                .unwrap_or_default()
                .to_owned();
            document.insert("number", number);
        }
        Ok(document)
    }
}

/// A model without tenants, which came to version 2.
#[derive(Clone, Model)]
#[model(collection = "depots", id_prefix = "dep_", version = 2, global)]
pub(crate) struct Depot {
    #[model(id)]
    id: Id<Depot>,
    #[model(since = 2)]
    city: String,
}

impl BaseModel for Depot {
    type Actor = User;
    open_policy!(Depot, GlobalContext<User>);

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        document.insert("city", "unknown");
        Ok(document)
    }
}

/// Found before the tenant is known, by what version 2 brought.
#[derive(Clone, Model)]
#[model(collection = "badges", id_prefix = "bdg_", version = 2)]
pub(crate) struct Badge {
    #[model(id)]
    id: Id<Badge>,
    #[model(tenant)]
    organization: TenantId,
    #[model(since = 2, unique(global))]
    code: String,
}

impl BaseModel for Badge {
    type Actor = User;
    open_policy!(Badge, Ctx);

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        document.insert("code", "one");
        Ok(document)
    }
}

/// A database with shipments of older versions.
pub(crate) struct Port {
    pub(crate) db: Db,
    clock: FixedClock,
    pub(crate) admin: Ctx,
    /// Whom the hook lets pass.
    pub(crate) writer: Ctx,
}

impl Port {
    async fn open(stage: Stage) -> Self {
        let clock = stage.clock.clone();
        let builder = stage
            .builder()
            .clock(clock.clone())
            .keys(testing::keyring().unwrap());
        let db = builder
            .model::<Shipment>()
            .model::<Depot>()
            .model::<Badge>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(Default::default()).await.unwrap();
        let acme = || TenantId::new("acme").unwrap();
        Self {
            admin: db.context(acme(), User::admin("ada")),
            writer: db.context(acme(), User::admin("bob")),
            db,
            clock,
        }
    }

    /// With that many documents of version 1.
    pub(crate) async fn with(stage: Stage, documents: usize) -> Self {
        let port = Self::open(stage).await;
        for number in 0..documents {
            port.store(old(number)).await;
        }
        port
    }

    pub(crate) async fn store(&self, document: Document) {
        testing::store_raw(&self.db, "shipments", &document)
            .await
            .unwrap();
    }

    pub(crate) async fn stored(&self) -> Vec<Document> {
        testing::stored(&self.db, "shipments").await.unwrap()
    }

    pub(crate) async fn log(&self) -> Vec<Document> {
        testing::stored(&self.db, "audit_log").await.unwrap()
    }

    pub(crate) fn job(&self) -> Ctx {
        self.admin.dangerously_bypass_permissions("release 3")
    }

    async fn by_weight(&self) -> Result<u64> {
        Shipment::query(&self.admin)
            .filter(|s| s.weight.eq(7))
            .count()
            .await
    }

    /// No document is older, each was migrated once, and the log tells of each.
    async fn assert_migrated_once(&self, documents: usize) {
        let stored = self.stored().await;
        assert_eq!(stored.len(), documents);
        assert!(
            stored
                .iter()
                .all(|document| document.get_i32("_sv").unwrap() == 3)
        );
        let mut ids: Vec<_> = self
            .log()
            .await
            .iter()
            .filter(|entry| event(entry) == "shipment.migrate")
            .map(entity)
            .collect();
        ids.sort_unstable();
        let all: Vec<_> = stored
            .iter()
            .map(|document| document.get_str("_id").unwrap().to_owned())
            .collect();
        assert_eq!(ids, all);
    }
}

pub(crate) fn old(number: usize) -> Document {
    doc! { "_id": format!("shp_{number:05}"), "organization": "acme", "title": format!("Old {number}"), "count": 0_i64, "updated_at": date(START) }
}

fn event(entry: &Document) -> &str {
    entry.get_str("event").unwrap()
}

fn entity(entry: &Document) -> String {
    entry
        .get_document("entity")
        .unwrap()
        .get_str("id")
        .unwrap()
        .to_owned()
}

fn counts(report: &MigrateReport) -> (u64, u64, u64, usize, bool) {
    (
        report.scanned,
        report.migrated,
        report.raced,
        report.failed.len(),
        report.complete,
    )
}

on_both_stores! {
    /// Of each older version, softly deleted ones too; no other tenant's; `updated_at` stays; no hook runs; again there is
    /// nothing left.
    async fn every_older_document_is_written_back(stage: Stage) {
        let port = Port::with(stage, 23).await;
        let mut second = old(23);
        second.extend(doc! { "_sv": 2, "_rev": 5_i64, "name": "Second", "weight": 9_i64, "unknown": 1 });
        port.store(second).await;
        let mut deleted = old(24);
        deleted.insert("_deleted_at", date(START));
        port.store(deleted).await;
        let mut foreign = old(99);
        foreign.insert("organization", "globex");
        port.store(foreign.clone()).await;
        port.clock.advance(chrono::TimeDelta::hours(1));
        let denied = Shipment::migrate_all(&port.admin).await.unwrap_err();
        assert!(denied.is_forbidden(), "{denied}");
        let mut told = Vec::new();
        let job = port.job();
        let done = Shipment::migrate_all(&job).batch(10).on_progress(|so_far| told.push(so_far.migrated)).await.unwrap();
        assert_eq!(counts(&done), (25, 25, 0, 0, true), "{:?}", done.failed);
        assert_eq!(told, [10, 20, 25, 25]);
        let mut stored = port.stored().await;
        assert_eq!(stored.pop().unwrap(), foreign);
        for document in &stored {
            assert_eq!(document.get_i32("_sv").unwrap(), 3, "{document}");
            assert_eq!(*document.get_datetime("updated_at").unwrap(), date(START));
            assert!(document.get_i64("_rev").unwrap() > 0);
        }
        assert_eq!((stored[0].get_str("name").unwrap(), stored[0].get_i64("weight").unwrap()), ("Old 0", 7));
        assert!(!stored[0].contains_key("title") && stored[24].contains_key("_deleted_at"));
        assert_eq!((stored[23].get_str("name").unwrap(), stored[23].get_i32("unknown").unwrap()), ("Second", 1));
        let log = port.log().await;
        assert_eq!(log.len(), 25);
        assert!(log.iter().all(|entry| event(entry) == "shipment.migrate"));
        assert_eq!(log[0].get_str("bypass_reason").unwrap(), "release 3");
        assert_eq!(change(&log[0], "weight").unwrap().get("after"), Some(&Bson::Int64(7)));
        let again = Shipment::migrate_all(&job).await.unwrap();
        assert_eq!((counts(&again), again.to_string().as_str()), ((0, 0, 0, 0, true), "nothing to migrate"));
        assert_eq!(port.log().await.len(), 25);
    }

    /// What cannot be migrated is told with its id, stays as it is, and does not stand in the way of the others; it is found
    /// again by the next run.
    async fn failures_are_told_each_time(stage: Stage) {
        let port = Port::with(stage, 12).await;
        let mut bad = Vec::new();
        for (number, extra) in [
            doc! { "poison": true, "title": "canary" }, doc! { "title": "x" }, doc! { "count": "canary" },
            doc! { "elsewhere": true }, doc! { "_sv": "canary" }, doc! { "_sv": 2, "name": "Fine", "weight": -1_i64 }, doc! { "taken": "shp_00000" },
        ].into_iter().enumerate() {
            let mut document = old(100 + number);
            document.extend(extra);
            port.store(document.clone()).await;
            bad.push(document);
        }
        let job = port.job();
        for migrated in [12, 0] {
            let done = Shipment::migrate_all(&job).batch(7).await.unwrap();
            assert_eq!(counts(&done), (migrated + 7, migrated, 0, 7, false), "{:?}", done.failed);
            let mut ids: Vec<_> = done.failed.iter().map(|error| error.id().unwrap().to_owned()).collect();
            ids.sort_unstable();
            assert_eq!(ids, (100..107).map(|number| format!("shp_{number:05}")).collect::<Vec<_>>());
            assert!(!format!("{:?}", done.failed).contains("canary"));
        }
        assert_eq!(port.stored().await[12..], bad);
        assert!(port.by_weight().await.unwrap_err().is_configuration());
    }

    /// A run that was killed keeps others out until its lease ends; then the next one goes on after its last batch.
    async fn a_killed_run_is_resumed(stage: Stage) {
        let port = Port::with(stage, 20).await;
        let job = port.job();
        let told = Notify::new();
        let run = Shipment::migrate_all(&job).batch(6).throttle(Duration::from_secs(3600)).lease(Duration::from_secs(30))
            .on_progress(|_| told.notify_one());
        let run = std::pin::pin!(run.into_future());
        let killed = std::pin::pin!(told.notified());
        assert!(matches!(select(run, killed).await, Either::Right(_)));
        let taken = Shipment::migrate_all(&job).await.unwrap_err();
        assert!(taken.is_conflict(), "{taken}");
        // Another tenant's run is another matter.
        let globex = port.db.context(TenantId::new("globex").unwrap(), User::admin("ada"));
        let globex = globex.dangerously_bypass_permissions("release 3");
        assert!(Shipment::migrate_all(&globex).await.unwrap().complete);
        port.clock.advance(chrono::TimeDelta::hours(2));
        let done = Shipment::migrate_all(&job).await.unwrap();
        assert!(done.resumed);
        assert_eq!(counts(&done), (14, 14, 0, 0, true), "{:?}", done.failed);
        port.assert_migrated_once(20).await;
    }

    /// Stopped between two batches, it lets go at once, and the next run goes on there.
    async fn a_stopped_run_goes_on(stage: Stage) {
        let port = Port::with(stage, 10).await;
        let job = port.job();
        let stopped = Shipment::migrate_all(&job).batch(4).stop_when(|| true).await.unwrap();
        assert_eq!(counts(&stopped), (4, 4, 0, 0, false));
        assert!(port.by_weight().await.unwrap_err().is_configuration());
        let done = Shipment::migrate_all(&job).batch(4).await.unwrap();
        assert!(done.resumed);
        assert_eq!(counts(&done), (6, 6, 0, 0, true));
        port.assert_migrated_once(10).await;
    }

    /// Who was taken over notices, and stops.
    async fn one_run_at_a_time(stage: Stage) {
        let port = Port::with(stage, 9).await;
        let job = port.job();
        let told = Notify::new();
        let slow = Shipment::migrate_all(&job).batch(3).throttle(Duration::from_millis(300)).lease(Duration::from_secs(30))
            .on_progress(|_| told.notify_one());
        let rival = async {
            told.notified().await;
            port.clock.advance(chrono::TimeDelta::hours(1));
            Shipment::migrate_all(&job).batch(2).await
        };
        let (slow, rival) = join(slow.into_future(), rival).await;
        assert!(slow.unwrap_err().is_conflict());
        assert_eq!(rival.unwrap().migrated, 6);
        port.assert_migrated_once(9).await;
    }

    /// It counts and shows, with secrets left out, and writes nothing.
    async fn a_dry_run_writes_nothing(stage: Stage) {
        let port = Port::with(stage, 3).await;
        let mut secret = old(0);
        secret.extend(doc! { "_id": "shp_0", "pin_code": "canary" });
        port.store(secret).await;
        let mut poison = old(0);
        poison.extend(doc! { "_id": "shp_00", "poison": true });
        port.store(poison).await;
        let before = port.stored().await;
        let preview = Shipment::migrate_all(&port.job()).dry_run(4).await.unwrap();
        assert_eq!((preview.older, preview.sample.len(), preview.failed.len()), (5, 3, 1), "{preview:?}");
        assert_eq!(preview.failed[0].id(), Some("shp_00"));
        let sample = &preview.sample[0];
        assert_eq!((sample.id.as_str(), sample.version), ("shp_0", 1));
        assert_eq!(sample.changes.iter().map(model_core::audit::AuditChange::path).collect::<Vec<_>>(), ["name", "weight", "number"]);
        assert_eq!(sample.removed, ["title"]);
        assert!(!format!("{preview:?}").contains("canary"));
        assert_eq!(port.stored().await, before);
        assert!(port.log().await.is_empty());
        assert_eq!(testing::stored(&port.db, "__model_migrations").await.unwrap(), Vec::<Document>::new());
        assert!(Shipment::migrate_all(&port.admin).dry_run(1).await.unwrap_err().is_forbidden());
    }

    /// J 37: while older documents may exist, nothing is asked by a field that they do not have.
    async fn later_fields_wait_for_the_migration(stage: Stage) {
        let port = Port::with(stage, 4).await;
        let named = Shipment::query(&port.admin).sort(|s| s.updated_at.asc()).filter(|s| s.count.eq(0)).count();
        assert_eq!(named.await.unwrap(), 4);
        let refused = [
            port.by_weight().await.map(drop),
            Shipment::query(&port.admin).filter(|s| !(s.count.eq(3) | s.weight.gt(3))).await.map(drop),
            Shipment::query(&port.admin).sort(|s| s.weight.asc()).await.map(drop),
            Shipment::delete_many(&port.admin, |s| s.weight.gt(3)).await.map(drop),
            Shipment::update_many(&port.admin, |s| s.number.eq("n"), ShipmentPatch::default()).await.map(drop),
        ];
        for error in refused.map(Result::unwrap_err) {
            assert!(error.is_configuration() && error.to_string().contains("migrate_all"), "{error}");
            assert!(["weight", "number"].contains(&error.path().unwrap()), "{error}");
        }
        // Version 2 is enough for what it brought.
        for mut document in port.stored().await {
            let id = Id::<Shipment>::parse(document.get_str("_id").unwrap()).unwrap();
            Shipment::purge(&port.job(), &id).await.unwrap();
            document.extend(doc! { "_sv": 2, "name": "Name", "weight": 7_i64 });
            port.store(document).await;
        }
        assert_eq!(port.by_weight().await.unwrap(), 4);
        let by_number = || Shipment::query(&port.admin).filter(|s| s.number.eq("shp_00001")).count();
        assert!(by_number().await.unwrap_err().is_configuration());
        Shipment::migrate_all(&port.job()).await.unwrap();
        assert_eq!(by_number().await.unwrap(), 1);
        // Another process learns it from the ledger.
        let other = testing::another_process(&port.db).keys(testing::keyring().unwrap());
        let other = other.model::<Shipment>().model::<Depot>().model::<Badge>().build().await.unwrap();
        let ctx = other.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        port.store(old(50)).await;
        assert_eq!(Shipment::query(&ctx).filter(|s| s.number.eq("shp_00001")).count().await.unwrap(), 1);
        // Where there never was an older document, nothing is refused.
        let globex = port.db.context(TenantId::new("globex").unwrap(), User::admin("ada"));
        assert_eq!(Shipment::query(&globex).sort(|s| s.number.asc()).count().await.unwrap(), 0);
    }

    /// Each document is written in a context of its own tenant; one without a tenant is told.
    async fn every_tenant_at_once(stage: Stage) {
        let port = Port::with(stage, 5).await;
        for number in 5..9 {
            let mut document = old(number);
            document.insert("organization", "globex");
            port.store(document).await;
        }
        let mut nobodys = old(9);
        nobodys.remove("organization");
        port.store(nobodys.clone()).await;
        let global = port.db.global_context(User::admin("ada"));
        assert!(Shipment::migrate_every_tenant(&global).await.unwrap_err().is_forbidden());
        let job = global.dangerously_bypass_permissions("release 3");
        let preview = Shipment::migrate_every_tenant(&job).dry_run(7).await.unwrap();
        assert_eq!((preview.older, preview.sample.len()), (10, 7));
        let done = Shipment::migrate_every_tenant(&job).batch(3).await.unwrap();
        assert_eq!(counts(&done), (10, 9, 0, 1, false), "{:?}", done.failed);
        assert_eq!((done.failed[0].id(), done.failed[0].model()), (Some("shp_00009"), None));
        assert_eq!(port.stored().await[9], nobodys);
        let tenants: Vec<_> = port.log().await.iter().map(|entry| entry.get_str("tenant").unwrap().to_owned()).collect();
        assert_eq!((tenants.iter().filter(|tenant| *tenant == "acme").count(), tenants.len()), (5, 9));
        assert_eq!(port.by_weight().await.unwrap(), 5);
    }

    /// A model without tenants has one ledger for all.
    async fn a_global_model_is_migrated(stage: Stage) {
        let port = Port::open(stage).await;
        testing::store_raw(&port.db, "depots", &doc! { "_id": "dep_1" }).await.unwrap();
        let global = port.db.global_context(User::admin("ada"));
        let everywhere = global.dangerously_bypass_permissions("release 2");
        assert_eq!(Depot::migrate_every_tenant(&everywhere).dry_run(0).await.unwrap().older, 1);
        let by_city = || Depot::query(&port.admin).filter(|d| d.city.eq("unknown")).count();
        assert!(by_city().await.unwrap_err().is_configuration());
        let done = Depot::migrate_all(&global.dangerously_bypass_permissions("release 2")).await.unwrap();
        assert_eq!(counts(&done), (1, 1, 0, 0, true), "{:?}", done.failed);
        assert_eq!(by_city().await.unwrap(), 1);
        let inside = port.admin.dangerously_bypass_permissions("release 2");
        let error = inside.transaction(|tx| async move { Depot::migrate_all(&tx).await }).await.unwrap_err();
        assert!(error.is_unsupported(), "{error}");
    }

    /// A look-up over all tenants waits for all of them, and one tenant's query for its own documents.
    async fn a_look_up_waits_for_every_tenant(stage: Stage) {
        let port = Port::open(stage).await;
        testing::store_raw(&port.db, "badges", &doc! { "_id": "bdg_1", "organization": "globex" }).await.unwrap();
        let own = Badge::query(&port.admin).filter(|b| b.code.eq("one")).count();
        assert_eq!(own.await.unwrap(), 0);
        let found = || Badge::find_unique(&port.admin, |b| b.code.lookup("one"));
        let error = found().await.unwrap_err();
        assert!(error.is_configuration() && error.path() == Some("code"), "{error}");
        let job = port.db.global_context(User::admin("ada")).dangerously_bypass_permissions("release 2");
        assert!(Badge::migrate_every_tenant(&job).await.unwrap().complete);
        assert!(found().await.unwrap().is_some());
    }
}
