//! Time series and capped collections: created and read, in collections that a sync makes as declared.

mod capped;
mod windows;

use model_core::prelude::*;
use model_core::schema::CollectionForm;
use model_core::{DbBuilder, ModelExt, SyncOptions, testing};

use crate::harness::{START, Stage, on_both_stores};

#[derive(Clone)]
pub(super) struct Meter {
    /// Reads what others may not.
    pub(super) all: bool,
}

impl Actor for Meter {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("meter")
    }
}

pub(super) type Ctx = Context<Meter>;

/// A measurement of one campaign of one tenant.
#[derive(Clone, PartialEq, Model)]
#[model(
    collection = "spendings",
    rename_all = "camelCase",
    time_series(time = at, meta(campaign, region), granularity = "minutes", expire_after = "3650d"),
    index(campaign, at = desc),
    index(clicks)
)]
pub(super) struct Spending {
    #[model(id)]
    pub(super) id: Id<Spending>,
    #[model(tenant, rename = "organizationId")]
    pub(super) organization: TenantId,
    #[model(rename = "campaignId")]
    pub(super) campaign: String,
    pub(super) region: Option<String>,
    pub(super) at: DateTime<Utc>,
    pub(super) cents: i64,
    #[model(range(0..))]
    pub(super) clicks: i32,
    #[model(default = true)]
    pub(super) open: bool,
}

macro_rules! policy {
    ($model:ty, $ctx:ty, $readable:expr) => {
        impl BaseModel for $model {
            type Actor = Meter;

            fn can_read(&self, ctx: &$ctx) -> bool {
                let readable: fn(&Self, &$ctx) -> bool = $readable;
                readable(self, ctx)
            }

            fn can_create(&self, _ctx: &$ctx) -> bool {
                true
            }

            fn can_update(&self, _ctx: &$ctx, _after: &Self) -> bool {
                true
            }

            fn can_delete(&self, _ctx: &$ctx) -> bool {
                true
            }
        }
    };
}
pub(super) use policy;

policy!(Spending, Ctx, |spending, ctx| spending.open || ctx.actor().all);

/// The same collection with a coarser granularity, and nothing that expires.
mod coarser {
    use super::*;

    #[derive(Clone, Model)]
    #[model(collection = "spendings", time_series(time = at, meta(campaign, region), granularity = "hours"))]
    pub(super) struct Spending {
        #[model(id)]
        id: Id<Spending>,
        #[model(tenant, rename = "organizationId")]
        organization: TenantId,
        #[model(rename = "campaignId")]
        campaign: String,
        region: Option<String>,
        at: DateTime<Utc>,
    }
    policy!(Spending, Ctx, |_, _| true);
}

/// The same collection by another source, which no server changes.
mod elsewhere {
    use super::*;

    #[derive(Clone, Model)]
    #[model(collection = "spendings", time_series(time = at))]
    pub(super) struct Spending {
        #[model(id)]
        id: Id<Spending>,
        #[model(tenant, rename = "organizationId")]
        organization: TenantId,
        at: DateTime<Utc>,
    }
    policy!(Spending, Ctx, |_, _| true);
}

/// An ordinary model, for transactions.
#[derive(Clone, Model)]
#[model(collection = "campaigns", id = string)]
pub(super) struct Campaign {
    #[model(id)]
    id: Id<Campaign>,
    #[model(tenant)]
    organization: TenantId,
    started: DateTime<Utc>,
    budget: i64,
}

policy!(Campaign, Ctx, |_, _| true);

/// Measurements of a global model: one field is the source by itself.
#[derive(Clone, Model)]
#[model(collection = "loads", global, time_series(time = at, meta = host))]
struct Load {
    #[model(id)]
    id: Id<Load>,
    host: String,
    at: DateTime<Utc>,
    percent: f64,
}

policy!(Load, GlobalContext<Meter>, |_, _| true);

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn spending(campaign: &str, time: &str, cents: i64) -> NewSpending {
    NewSpending {
        campaign: campaign.into(),
        at: at(time),
        cents,
        clicks: 1,
        optional: NewSpendingOptional::default(),
    }
}

pub(super) struct Desk {
    pub(super) db: Db,
    pub(super) ctx: Ctx,
    pub(super) rival: Ctx,
}

fn register(builder: DbBuilder) -> DbBuilder {
    builder
        .model::<Spending>()
        .model::<Campaign>()
        .model::<Load>()
        .model::<capped::Line>()
}

pub(super) async fn desk(stage: Stage) -> Desk {
    let db = register(stage.builder()).build_lazy().unwrap();
    db.sync_collections().await.unwrap();
    db.sync_indexes(SyncOptions::new()).await.unwrap();
    let context = |tenant: &str| db.context(TenantId::new(tenant).unwrap(), Meter { all: true });
    Desk {
        ctx: context("acme"),
        rival: context("globex"),
        db,
    }
}

#[test]
fn the_tenant_is_the_first_part_of_the_source() {
    let Some(CollectionForm::TimeSeries(series)) = Spending::schema().form else {
        panic!("no time series");
    };
    assert_eq!(series.source, ["organizationId", "campaignId", "region"]);
    assert_eq!(series.meta_field(), Some("_meta"));
    let Some(CollectionForm::TimeSeries(series)) = elsewhere::Spending::schema().form else {
        panic!("no time series");
    };
    assert_eq!(series.meta_field(), Some("organizationId"));
    let Some(CollectionForm::TimeSeries(series)) = Load::schema().form else {
        panic!("no time series");
    };
    assert_eq!(series.meta_field(), Some("host"));
}

on_both_stores! {
    /// What is created is what is read, inside of the tenant, by every read.
    async fn measurements_are_created_and_read(stage: Stage) {
        let desk = desk(stage).await;
        let mut first = spending("one", "2026-03-01T09:00:00Z", 5);
        first.optional.region = Some("eu".into());
        let first = Spending::create(&desk.ctx, first).await.unwrap();
        let times = (0..30).map(|n| spending("two", &format!("2026-03-01T09:{n:02}:00Z"), n));
        let many = Spending::create_many(&desk.ctx, times).await.unwrap();
        assert_eq!(many.len(), 30);
        Spending::create(&desk.rival, spending("one", START, 7)).await.unwrap();
        assert_eq!(Spending::fetch(&desk.ctx, &first.id).await.unwrap(), first);
        assert!(Spending::get(&desk.rival, &first.id).await.unwrap().is_none());
        let ones = Spending::query(&desk.ctx).filter(|s| s.campaign.eq("one") & s.region.eq("eu")).await.unwrap();
        assert_eq!(ones, std::slice::from_ref(&first));
        let late = Spending::query(&desk.ctx)
            .filter(|s| s.campaign.in_(["one", "two"]) & s.at.gte(at("2026-03-01T09:28:00Z")))
            .sort(|s| s.at.desc())
            .await
            .unwrap();
        assert_eq!(late.iter().map(|s| s.cents).collect::<Vec<_>>(), [29, 28]);
        assert_eq!(Spending::query(&desk.ctx).count().await.unwrap(), 31);
        assert_eq!(Spending::query(&desk.rival).count().await.unwrap(), 1);
        let page = Spending::query(&desk.ctx).sort(|s| s.at.asc()).page(10, None).await.unwrap();
        let next = Spending::query(&desk.ctx).sort(|s| s.at.asc()).page(10, page.next.as_deref()).await.unwrap();
        assert_eq!((page.items.len(), next.items.len(), next.items[0].cents), (10, 10, 9));
        let stored = testing::stored(&desk.db, "spendings").await.unwrap();
        let one = stored.iter().find(|stored| stored.get_i64("cents").is_ok_and(|cents| cents == 5)).unwrap();
        let source = bson::doc! { "organizationId": "acme", "campaignId": "one", "region": "eu" };
        assert_eq!(one.get_document("_meta").unwrap(), &source);
        assert!(stored.iter().all(|stored| !stored.contains_key("_rev")));
    }

    /// A batch is no transaction: what came before the document that cannot be stored is there.
    async fn a_measurement_is_judged_like_any_document(stage: Stage) {
        let desk = desk(stage).await;
        let mut wrong = spending("one", START, 1);
        wrong.clicks = -1;
        let error = Spending::create_many(&desk.ctx, [spending("one", START, 1), wrong]).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
        assert_eq!(Spending::query(&desk.ctx).count().await.unwrap(), 0, "all are judged before the first is written");
        let mut shut = spending("one", START, 1);
        shut.optional.open = Some(false);
        Spending::create(&desk.ctx, shut).await.unwrap();
        let other = desk.db.context(TenantId::new("acme").unwrap(), Meter { all: false });
        assert!(Spending::query(&other).await.unwrap().is_empty());
    }

    /// What the server cannot do there is said, not tried.
    async fn what_the_server_cannot_do_is_refused(stage: Stage) {
        let desk = desk(stage).await;
        let error = desk.ctx.transaction(async |ctx| {
            let campaign = NewCampaign { started: at(START), budget: 1 };
            Campaign::create(&ctx, campaign).await?;
            Spending::create(&ctx, spending("one", START, 1)).await
        }).await.unwrap_err();
        assert!(error.is_unsupported() && error.to_string().contains("no transaction writes there"), "{error}");
        assert_eq!(Campaign::query(&desk.ctx).count().await.unwrap(), 0);
        let bypass = desk.ctx.dangerously_bypass_permissions("import");
        let error = Spending::create(&bypass, spending("one", START, 1)).await.unwrap_err();
        assert!(error.is_unsupported() && error.to_string().contains("audited"), "{error}");
    }

    /// The end of a tenant takes its measurements along, by one command, and no other tenant's.
    async fn an_erased_tenant_leaves_no_measurement(stage: Stage) {
        let desk = desk(stage).await;
        for ctx in [&desk.ctx, &desk.rival] {
            let times = (0..20).map(|n| spending(&format!("c{}", n % 3), &format!("2026-03-01T09:{n:02}:00Z"), n));
            Spending::create_many(ctx, times).await.unwrap();
        }
        let job = desk.ctx.dangerously_bypass_permissions("contract ended");
        let plan = job.erase_tenant().dry_run().await.unwrap();
        let done = job.erase_tenant().await.unwrap();
        assert_eq!((plan.deleted(), done.deleted()), (20, 20), "{done}");
        assert_eq!(Spending::query(&desk.ctx).count().await.unwrap(), 0);
        assert_eq!(Spending::query(&desk.rival).count().await.unwrap(), 20);
        let log = testing::stored(&desk.db, "audit_log").await.unwrap();
        let told = log.iter().filter(|entry| entry.get_str("event").is_ok_and(|event| event == "Spending.erase")).count();
        assert_eq!(told, 1);
    }

    /// Measurements of no tenant, by one field.
    async fn a_global_model_has_measurements_too(stage: Stage) {
        let desk = desk(stage).await;
        let ctx = desk.db.global_context(Meter { all: true });
        for (host, percent) in [("a", 10.0), ("b", 20.0), ("a", 30.0)] {
            Load::create(&ctx, NewLoad { host: host.into(), at: at(START), percent }).await.unwrap();
        }
        assert_eq!(Load::query(&ctx).filter(|l| l.host.eq("a")).count().await.unwrap(), 2);
        let stored = testing::stored(&desk.db, "loads").await.unwrap();
        assert!(stored.iter().all(|stored| !stored.contains_key("_meta")));
    }

    /// A sync makes the collections, and is done; then one changed option is one step.
    async fn a_sync_makes_the_collection_as_declared(stage: Stage) {
        let db = register(stage.builder()).build_lazy().unwrap();
        let plan = db.plan_collections().await.unwrap();
        assert_eq!(plan.to_string().matches("+ collection").count(), 3, "{plan}");
        assert!(plan.to_string().contains("+ collection spendings"), "{plan}");
        db.sync_collections().await.unwrap();
        db.sync_indexes(SyncOptions::new()).await.unwrap();
        db.check_collections().await.unwrap();
        db.check_indexes().await.unwrap();
        let other = testing::another_process(&db).model::<coarser::Spending>().build_lazy().unwrap();
        let plan = other.plan_collections().await.unwrap().to_string();
        assert!(plan.contains("~ collection spendings") && plan.contains("hours") && plan.contains("off"), "{plan}");
        other.sync_collections().await.unwrap();
        other.check_collections().await.unwrap();
        let plan = db.plan_collections().await.unwrap().to_string();
        assert!(plan.contains("! collection spendings"), "no server makes packs smaller: {plan}");
        let moved = testing::another_process(&db).model::<elsewhere::Spending>().build_lazy().unwrap();
        assert!(moved.plan_collections().await.unwrap().to_string().contains("! collection spendings"));
        moved.sync_collections().await.unwrap();
        let error = moved.check_collections().await.unwrap_err();
        assert!(error.is_configuration(), "{error}");
    }

    /// An index is no reason for an ordinary collection.
    async fn indexes_alone_make_the_collection_too(stage: Stage) {
        let db = register(stage.builder()).build_lazy().unwrap();
        db.sync_indexes(SyncOptions::new()).await.unwrap();
        let plan = db.plan_collections().await.unwrap().to_string();
        assert_eq!(plan, "+ images lines (what was before each change)");
    }
}

/// Where the collection is not as declared, nothing begins.
#[tokio::test]
async fn a_handle_is_refused_where_the_collection_is_not_there() {
    let database = model_tests::server::fresh_database().await;
    let builder = || Db::mongo(database.clone()).model::<Spending>();
    let error = builder().build().await.unwrap_err();
    assert!(
        error.is_configuration() && error.to_string().contains("sync_collections"),
        "{error}"
    );
    database
        .collection::<bson::Document>("spendings")
        .insert_one(bson::doc! {})
        .await
        .unwrap();
    let error = builder().build().await.unwrap_err();
    assert!(
        error.to_string().contains("would not lie in a time series"),
        "{error}"
    );
}
