//! Contract B 5: models whose documents a composite key alone names.

use std::collections::HashMap;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::{BulkOutcome, ModelExt, Projection};
use serde_json::json;

use crate::harness::{Shop, Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// One for each page and day, with everything that is bound to one document inside.
#[derive(Clone, Model)]
#[model(
    collection = "visits",
    key(page, day),
    audit,
    soft_delete,
    seal(count),
    version = 2
)]
pub(crate) struct Visits {
    #[model(tenant)]
    organization: TenantId,
    #[model(trim, lowercase)]
    page: String,
    day: i64,
    #[model(default = 0)]
    count: i64,
    #[model(default)]
    tags: Vec<String>,
    token: Option<Encrypted<String>>,
    of: Option<Ref<Site>>,
    #[model(created_at)]
    created_at: DateTime<Utc>,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
    #[model(revision)]
    revision: Revision,
}

impl BaseModel for Visits {
    type Actor = User;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        self.page != "secret"
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().admin
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    async fn after_update(ctx: &Ctx, change: &Change<Self>) -> Result<()> {
        crate::models::Hooks::call(ctx, "after_update", &change.after().page)
    }

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        if let Some(hits) = document.remove("hits") {
            document.insert("count", hits);
        }
        Ok(document)
    }
}

/// What others may refer to.
#[derive(Clone, Model)]
#[model(collection = "sites")]
pub(crate) struct Site {
    #[model(id)]
    id: Id<Site>,
    #[model(tenant)]
    organization: TenantId,
}

impl BaseModel for Site {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// Goes with its site.
#[derive(Clone, Model)]
#[model(collection = "rates", key(site, day))]
pub(crate) struct Rate {
    #[model(tenant)]
    organization: TenantId,
    #[model(on_delete = cascade)]
    site: Ref<Site>,
    day: i64,
    embedding: Option<Vector<2>>,
}

impl BaseModel for Rate {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// Of each tenant one.
#[derive(Clone, Model)]
#[model(collection = "keyed_plans", key(kind), singleton)]
pub(crate) struct Plan {
    #[model(tenant)]
    organization: TenantId,
    kind: String,
}

impl BaseModel for Plan {
    type Actor = User;

    open_policy!(Self, Ctx);
}

#[derive(PartialEq, Projection)]
#[projection(of = Visits)]
struct Counted {
    page: String,
    count: i64,
}

async fn open(stage: Stage) -> Shop {
    let shop = stage
        .open(|builder| {
            builder
                .model::<Visits>()
                .model::<Site>()
                .model::<Rate>()
                .model::<Plan>()
                .model::<Loose>()
        })
        .await;
    shop.hooks.take();
    shop
}

fn visits(page: &str, day: i64) -> NewVisits {
    NewVisits {
        page: page.into(),
        day,
        optional: Default::default(),
    }
}

fn count(count: i64) -> VisitsPatch {
    VisitsPatch {
        count: Set(count),
        ..Default::default()
    }
}

fn start(v: &'static VisitsFields) -> Filter<Visits> {
    v.page.eq(" START") & v.day.eq(1)
}

fn elsewhere(v: &'static VisitsFields) -> Filter<Visits> {
    v.page.eq("elsewhere") & v.day.eq(1)
}

on_both_stores! {
    /// The struct has its own fields and no others; what is stored has the `_id` that any driver would have made.
    async fn nothing_shows_an_id(stage: Stage) {
        let shop = open(stage).await;
        let made = Visits::create(&shop.admin, visits("Start", 1)).await.unwrap();
        let stored = shop.stored_one("visits").await;
        let keys: Vec<_> = stored.keys().map(String::as_str).collect();
        assert_eq!(keys, ["_id", "organization", "page", "day", "count", "tags", "created_at", "updated_at", "_rev", "_sv", "_seal"]);
        let id = stored.get_object_id("_id").unwrap().to_hex();
        assert!(!format!("{made:?}").contains(&id));
        let view = serde_json::to_value(made.into_view(&shop.admin)).unwrap();
        let shown: Vec<_> = view.as_object().unwrap().keys().cloned().collect();
        assert!(!shown.contains(&"_id".to_owned()) && !shown.contains(&"id".to_owned()) && !view.to_string().contains(&id), "{view}");
        for named in ["id", "_id"] {
            let given = json!({ "page": "a", "day": 1, named: id }).to_string();
            assert!(NewVisits::from_json(&given).is_err());
            assert!(VisitsPatch::from_json(&json!({ named: id }).to_string()).is_err());
        }
    }

    /// A missing part is an error before anything is sent.
    async fn the_key_is_given_whole(stage: Stage) {
        let shop = open(stage).await;
        let missing = NewVisits::from_json(r#"{"page": "start"}"#).unwrap_err();
        assert_eq!(missing.violations()[0].path, "day");
        let few = |v: &'static VisitsFields| v.page.eq("start");
        assert!(Visits::get_by(&shop.admin, few).await.unwrap_err().is_configuration());
        assert!(Visits::update_by(&shop.admin, few, count(1)).await.unwrap_err().is_configuration());
        assert!(Visits::replace_by(&shop.admin, few, visits("start", 1)).await.unwrap_err().is_configuration());
        assert!(Visits::delete_by(&shop.admin, few).await.unwrap_err().is_configuration());
        assert!(Visits::upsert(&shop.admin, few, visits("start", 1), count(1)).await.unwrap_err().is_configuration());
        let bulk = Visits::bulk(&shop.admin).create(visits("start", 1)).update_by(few, count(1)).await.unwrap_err();
        assert!(bulk.is_configuration() && bulk.position() == Some(1), "{bulk}");
        assert!(shop.stored("visits").await.is_empty());
    }

    /// One document's verbs.
    async fn every_verb_goes_by_the_key(stage: Stage) {
        let shop = open(stage).await;
        let ctx = &shop.admin;
        let mut new = visits("start", 1);
        new.optional.token = Some(Secret::new("hush".into()));
        let made = Visits::create(ctx, new).await.unwrap();
        Visits::create(&shop.rival, visits("start", 1)).await.unwrap();
        let id = shop.stored("visits").await[0].get_object_id("_id").unwrap();
        assert!(Visits::create(ctx, visits("start", 1)).await.unwrap_err().is_duplicate());

        shop.tick();
        let one = Visits::update_by(ctx, start, count(1)).if_revision(made.revision).await.unwrap();
        assert_eq!((one.count, one.created_at), (1, made.created_at));
        assert!(one.updated_at > made.updated_at);
        let late = Visits::update_by(ctx, start, count(2)).if_revision(made.revision).await.unwrap_err();
        assert!(late.is_conflict(), "{late}");
        let two = Visits::update_with_by(ctx, start, |v| v.count.inc(1).and(v.tags.push("new"))).await.unwrap();
        assert_eq!((two.count, two.tags.as_slice()), (2, &["new".to_owned()][..]));
        let three = Visits::modify_by(ctx, start, |v| Ok(Some(count(v.count + 1)))).await.unwrap();
        assert_eq!(three.count, 3);
        let found = Visits::get_by(ctx, start).await.unwrap().unwrap();
        assert_eq!((found.count, found.revision, found.updated_at), (3, three.revision, three.updated_at));
        assert_eq!(found.token.unwrap().reveal(ctx).await.unwrap().expose(), "hush");
        let again = Visits::upsert(ctx, start, visits("start", 1), count(4)).await.unwrap();
        assert!(!again.is_created());
        let replaced = Visits::replace_by(ctx, start, visits("start", 1)).await.unwrap();
        assert_eq!((replaced.count, replaced.token.is_some(), replaced.created_at), (0, false, made.created_at));
        assert!(Visits::replace_by(ctx, start, visits("start", 2)).await.unwrap_err().is_invalid());

        assert!(Visits::delete_by(ctx, start).await.unwrap());
        assert!(!Visits::delete_by(ctx, start).await.unwrap());
        assert!(Visits::restore_by(ctx, start).await.unwrap());
        assert!(!Visits::restore_by(ctx, start).await.unwrap());
        let stored = shop.stored("visits").await;
        assert_eq!(stored[0].get_object_id("_id").unwrap(), id);
        assert!(Visits::purge_by(ctx, start).await.unwrap());
        assert_eq!(Visits::get_by(&shop.rival, start).await.unwrap().unwrap().count, 0);
        assert_eq!(shop.stored("visits").await.len(), 1);

        assert!(Visits::update_by(ctx, elsewhere, count(1)).await.unwrap_err().is_not_found());
        assert!(Visits::update_with_by(ctx, elsewhere, |v| v.count.inc(1)).await.unwrap_err().is_not_found());
        assert!(Visits::modify_by(ctx, elsewhere, |_| Ok(None)).await.unwrap_err().is_not_found());
        assert!(!Visits::purge_by(ctx, elsewhere).await.unwrap());
        let made = Visits::upsert(ctx, elsewhere, visits("elsewhere", 1), count(1)).await.unwrap();
        assert!(made.is_created());
    }

    /// What may not be read is not there, and who may not write is told so.
    async fn a_key_opens_nothing(stage: Stage) {
        let shop = open(stage).await;
        let viewer = shop.acme(User::viewer("vic", &[]));
        for page in ["start", "secret"] {
            Visits::create(&shop.admin, visits(page, 1)).await.unwrap();
        }
        assert!(Visits::update_by(&viewer, start, count(1)).await.unwrap_err().is_forbidden());
        assert!(Visits::delete_by(&viewer, start).await.unwrap_err().is_forbidden());
        let secret = |v: &'static VisitsFields| v.page.eq("secret") & v.day.eq(1);
        assert!(Visits::get_by(&shop.admin, secret).await.unwrap().is_none());
        assert!(Visits::update_by(&shop.admin, secret, count(1)).await.unwrap_err().is_not_found());
        assert!(!Visits::delete_by(&shop.admin, secret).await.unwrap());
        let bulk = Visits::bulk(&shop.admin).update_by(start, count(1)).update_by(secret, count(1)).await.unwrap_err();
        assert!(bulk.is_not_found() && bulk.position() == Some(1), "{bulk}");
        let all = shop.stored("visits").await;
        assert!(all.iter().all(|one| one.get_i64("count").unwrap() == 0), "{all:?}");
        assert_eq!(shop.audit_log().await.len(), 2);
    }

    /// Operations of several kinds; each outcome in its operation's place, and one change of a document.
    async fn a_bulk_goes_by_keys(stage: Stage) {
        let shop = open(stage).await;
        let ctx = &shop.admin;
        Visits::create_many(ctx, [visits("start", 1), visits("old", 1), visits("gone", 1)]).await.unwrap();
        let gone = |v: &'static VisitsFields| v.page.eq("gone") & v.day.eq(1);
        let old = |v: &'static VisitsFields| v.page.eq("old") & v.day.eq(1);
        let outcomes = Visits::bulk(ctx)
            .delete_by(elsewhere)
            .update_by(start, count(7))
            .create(visits("new", 1))
            .delete_by(gone)
            .replace_by(old, visits("old", 1))
            .await
            .unwrap();
        let told: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                BulkOutcome::Created(one) => format!("created {}", one.page),
                BulkOutcome::Updated(one) => format!("updated {} {}", one.page, one.count),
                BulkOutcome::Unchanged(one) => format!("unchanged {}", one.page),
                BulkOutcome::Deleted => "deleted".to_owned(),
                _ => "missing".to_owned(),
            })
            .collect();
        assert_eq!(told, ["missing", "updated start 7", "created new", "deleted", "unchanged old"]);
        let twice = Visits::bulk(ctx).update_by(start, count(8)).delete_by(start).await.unwrap_err();
        assert!(twice.is_invalid() && twice.position() == Some(1), "{twice}");
        let none = Visits::bulk(ctx).update_by(start, count(8)).update_by(elsewhere, count(8)).await.unwrap_err();
        assert!(none.is_not_found() && none.position() == Some(1), "{none}");
        assert_eq!(Visits::get_by(ctx, start).await.unwrap().unwrap().count, 7);
    }

    /// Lists, pages, streams, counts, projections, claims and writes by filter.
    async fn many_documents(stage: Stage) {
        let shop = open(stage).await;
        let ctx = &shop.admin;
        let pages = (0..25).map(|day| visits(["a", "b"][day as usize % 2], day));
        Visits::create_many(ctx, pages).await.unwrap();
        Visits::create(ctx, visits("secret", 99)).await.unwrap();
        let mut days = Vec::new();
        let mut next = None;
        loop {
            let page = Visits::query(ctx).sort(|v| v.page.asc()).page(7, next.as_deref()).await.unwrap();
            days.extend(page.items.into_iter().map(|v| (v.page, v.day)));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        days.sort();
        days.dedup();
        assert_eq!(days.len(), 25);
        let streamed: Vec<Visits> = Visits::query(ctx).stream().try_collect().await.unwrap();
        assert_eq!(streamed.len(), 25);
        assert_eq!(Visits::query(ctx).filter(|v| v.page.eq("a")).count().await.unwrap(), 13);
        let first: Vec<Counted> = Visits::query(ctx).sort(|v| v.day.asc()).limit(1).select::<Counted>().await.unwrap();
        assert_eq!(first, [Counted { page: "a".into(), count: 0 }]);
        let open = || Visits::query(ctx).filter(|v| v.count.eq(0)).sort(|v| v.day.asc());
        let claimed = open().claim(count(1)).await.unwrap().unwrap();
        assert_eq!((claimed.day, open().claim(count(1)).await.unwrap().unwrap().day), (0, 1));
        let report = Visits::update_many(ctx, |v| v.page.eq("b"), count(5)).await.unwrap();
        assert_eq!((report.matched, report.written), (12, 12));
        let report = Visits::delete_many(ctx, |v| v.count.eq(5)).limit(10).await.unwrap();
        assert_eq!((report.written, report.limited), (10, true));
        assert_eq!(Visits::query(ctx).count().await.unwrap(), 15);
    }

    /// Entries name the document by the parts of its key, and are found by them; nothing in them shows its `_id`.
    async fn the_log_names_the_key(stage: Stage) {
        let shop = open(stage).await;
        let ctx = &shop.admin;
        let slashed = |v: &'static VisitsFields| v.page.eq("a/b~c") & v.day.eq(1);
        Visits::create(ctx, visits("start", 1)).await.unwrap();
        Visits::create(ctx, visits("a/b~c", 1)).await.unwrap();
        Visits::update_by(ctx, start, count(1)).await.unwrap();
        Visits::bulk(ctx).update_by(slashed, count(1)).await.unwrap();
        Visits::delete_by(ctx, start).await.unwrap();
        let job = ctx.dangerously_bypass_permissions("test");
        let history = |key: fn(&'static VisitsFields) -> Filter<Visits>| {
            let log = job.audit_log().of_key::<Visits>(key).unwrap();
            async { log.await.unwrap().into_iter().rev().map(|entry| (entry.event, entry.entity_id)).collect::<Vec<_>>() }
        };
        let named = |event: &str, id: &str| (format!("visits.{event}"), id.to_owned());
        assert_eq!(history(start).await, [named("create", "start/1"), named("update", "start/1"), named("delete", "start/1")]);
        assert_eq!(history(|v| v.page.eq("a/b~c") & v.day.eq(1)).await, [named("create", "a~1b~0c/1"), named("update", "a~1b~0c/1")]);
        let few = job.audit_log().of_key::<Visits>(|v| v.page.eq("start")).unwrap_err();
        assert!(few.is_configuration() && few.path() == Some("day"), "{few}");
        assert!(job.audit_log().of_key::<Site>(|_| Filter::all()).unwrap_err().is_configuration());
        let log = format!("{:?}", shop.audit_log().await);
        for stored in shop.stored("visits").await {
            assert!(!log.contains(&stored.get_object_id("_id").unwrap().to_hex()));
        }
    }

    /// What other writers stored, whatever their `_id`s are, keeps them; an older version is migrated.
    async fn documents_of_other_writers(stage: Stage) {
        let shop = open(stage).await;
        let at = bson::DateTime::from_millis(0);
        let ids = [Bson::ObjectId(ObjectId::from_bytes([7; 12])), Bson::String("by hand".into())];
        for (page, id) in ["mongoose", "shell"].into_iter().zip(&ids) {
            let stored = doc! {
                "_id": id.clone(), "organization": "acme", "page": page, "day": 1i64, "hits": 3i64, "tags": [],
                "created_at": at, "updated_at": at, "__v": 0,
            };
            shop.store_raw("loose", stored).await;
        }
        for page in ["mongoose", "shell"] {
            let key = |l: &'static LooseFields| l.page.eq(page) & l.day.eq(1);
            let updated = Loose::update_by(&shop.admin, key, LoosePatch { count: Set(Some(4)), ..Default::default() }).await.unwrap();
            assert_eq!(updated.count, Some(4));
        }
        let paged = Loose::query(&shop.admin).page(1, None).await.unwrap();
        let next = Loose::query(&shop.admin).page(1, paged.next.as_deref()).await.unwrap();
        assert_eq!((&*paged.items[0].page, &*next.items[0].page, next.next), ("mongoose", "shell", None));
        let kept: HashMap<_, _> = shop.stored("loose").await.into_iter().map(|one| (one.get_str("page").unwrap().to_owned(), one)).collect();
        for (page, id) in ["mongoose", "shell"].into_iter().zip(&ids) {
            assert_eq!((kept[page].get("_id"), kept[page].get_i32("__v").unwrap()), (Some(id), 0));
        }
    }

    /// It refers to others as any document does, and goes along with them; what each tenant has one of is found by its key.
    async fn it_refers_and_is_one_of_its_kind(stage: Stage) {
        let shop = open(stage).await;
        let ctx = &shop.admin;
        let [kept, gone] = [Site::create(ctx, NewSite {}).await.unwrap(), Site::create(ctx, NewSite {}).await.unwrap()];
        for (site, numbers) in [(&kept, [1.0, 0.0]), (&gone, [0.0, 1.0])] {
            let embedding = Some(Vector::try_from(numbers).unwrap());
            let new = NewRate { site: Ref::to(&site.id), day: 1, optional: NewRateOptional { embedding } };
            Rate::create(ctx, new).await.unwrap();
        }
        let near = Rate::query(ctx).nearest(|r| &r.embedding, &Vector::try_from([0.0, 1.0]).unwrap(), 2).await.unwrap();
        assert_eq!(near.iter().map(|found| found.item.site.clone()).collect::<Vec<_>>(), [Ref::to(&gone.id), Ref::to(&kept.id)]);
        let of = Rate::related(ctx, [&kept], |r| &r.site).await.unwrap();
        assert_eq!(of.of(&kept).len(), 1);
        assert!(Site::delete(ctx, &gone.id).await.unwrap());
        assert_eq!(shop.stored("rates").await.len(), 1);

        let new = || NewPlan { kind: "free".into() };
        let first = Plan::singleton(ctx, new).await.unwrap();
        assert_eq!(Plan::singleton(ctx, new).await.unwrap().kind, first.kind);
        assert_eq!(Plan::get_by(ctx, |p| p.kind.eq("free")).await.unwrap().unwrap().kind, "free");
        assert!(Plan::create(ctx, new()).await.is_err());
        assert_eq!(shop.stored("keyed_plans").await.len(), 1);
    }

    /// In a transaction as outside of one, hooks after the commit.
    async fn in_a_transaction(stage: Stage) {
        let shop = open(stage).await;
        Visits::create(&shop.admin, visits("start", 1)).await.unwrap();
        let work = |tx: Ctx| async move {
            Visits::update_by(&tx, start, count(1)).await?;
            Visits::update_with_by(&tx, start, |v| v.count.inc(1)).await?;
            Visits::create(&tx, visits("elsewhere", 1)).await
        };
        shop.admin.transaction(work).await.unwrap();
        assert_eq!(shop.hooks.take(), ["after_update(start)", "after_update(start)"]);
        assert_eq!(Visits::get_by(&shop.admin, start).await.unwrap().unwrap().count, 2);
        let fails = |tx: Ctx| async move {
            Visits::delete_by(&tx, start).await?;
            Visits::update_by(&tx, |v| v.page.eq("nowhere") & v.day.eq(1), count(1)).await
        };
        assert!(shop.admin.transaction(fails).await.unwrap_err().is_not_found());
        assert!(Visits::get_by(&shop.admin, start).await.unwrap().is_some());
    }

    /// Secrets are bound to the document that holds them; its keys are changed under it.
    async fn secrets_are_sealed_anew(stage: Stage) {
        let shop = open(stage).await;
        for day in [1, 2] {
            let mut new = visits("start", day);
            new.optional.token = Some(Secret::new(format!("hush {day}")));
            Visits::create(&shop.admin, new).await.unwrap();
        }
        let job = shop.admin.dangerously_bypass_permissions("rotation");
        let done = Visits::reencrypt(&job).await.unwrap();
        assert!(done.failed.is_empty(), "{done:?}");
        let checked = Visits::check_stored(&job).await.unwrap();
        assert_eq!(checked.unreadable, 0, "{:?}", checked.errors);
        let found = Visits::get_by(&shop.admin, |v| v.page.eq("start") & v.day.eq(2)).await.unwrap().unwrap();
        assert_eq!(found.token.unwrap().reveal(&shop.admin).await.unwrap().expose(), "hush 2");
    }
}

/// As another system keeps it.
#[derive(Clone, Model)]
#[model(collection = "loose", key(page, day))]
pub(crate) struct Loose {
    #[model(tenant)]
    organization: TenantId,
    page: String,
    day: i64,
    count: Option<i64>,
}

impl BaseModel for Loose {
    type Actor = User;

    open_policy!(Self, Ctx);
}
