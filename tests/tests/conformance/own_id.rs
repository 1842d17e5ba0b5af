//! Contract B 5: an id that is stored under a name of its own, beside an `_id` that the database makes and nobody sees.

use bson::{Bson, Document, doc};
use model_core::crypto::Purpose;
use model_core::prelude::*;
use model_core::query::Join;
use model_core::{Access, ModelExt};

use crate::harness::{START, Shop, Stage, date, on_both_stores};
use crate::keys::rotate;
use crate::models::{Ctx, Note, User, open_policy};

/// Version 1 had no weight.
#[derive(Clone, Model)]
#[model(
    collection = "experiments",
    id_prefix = "exp_",
    version = 2,
    audit,
    validator,
    rename_all = "camelCase",
    index(name, id)
)]
struct Experiment {
    #[model(id, stored_as = "id", filterable)]
    id: Id<Experiment>,
    #[model(tenant)]
    organization: TenantId,
    #[model(trim)]
    name: String,
    #[model(since = 2, default = 1)]
    weight: i64,
    token: Option<Encrypted<String>>,
    #[model(index, on_delete = cascade)]
    parent: Option<Ref<Experiment>>,
    #[model(created_at)]
    date_created: DateTime<Utc>,
    #[model(updated_at)]
    date_updated: DateTime<Utc>,
    #[model(revision)]
    revision: Revision,
}

impl BaseModel for Experiment {
    type Actor = User;
    open_policy!(Self, Ctx);

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        document.insert("weight", 7_i64);
        Ok(document)
    }
}

/// Refers to experiments; its entries wait inside of it.
#[derive(Clone, Model)]
#[model(collection = "snapshots", audit(outbox), soft_delete)]
struct Snapshot {
    #[model(id, stored_as = "key", rename = "key")]
    id: Id<Snapshot>,
    #[model(tenant)]
    organization: TenantId,
    #[model(index, on_delete = nullify)]
    experiment: Option<Ref<Experiment>>,
}

impl BaseModel for Snapshot {
    type Actor = User;
    open_policy!(Self, Ctx);
}

/// Ids of one kind over all tenants.
#[derive(Clone, Model)]
#[model(collection = "flags", id = string)]
struct Flag {
    #[model(id, stored_as = "id", unique(global))]
    id: Id<Flag>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}

impl BaseModel for Flag {
    type Actor = User;
    open_policy!(Self, Ctx);
}

#[derive(Projection)]
#[projection(of = Experiment)]
struct Line {
    id: Id<Experiment>,
    weight: i64,
}

async fn lab(stage: Stage) -> Shop {
    let more =
        |builder: model_core::DbBuilder| builder.model::<Experiment>().model::<Snapshot>().model::<Flag>();
    stage.open(more).await
}

fn id(text: &str) -> Id<Experiment> {
    Id::parse(text).unwrap()
}

fn new(name: &str) -> NewExperiment {
    NewExperiment {
        name: name.into(),
        optional: NewExperimentOptional {
            token: Some(Secret::from(format!("token of {name}"))),
            ..Default::default()
        },
    }
}

fn below(name: &str, parent: &str) -> NewExperiment {
    let mut new = new(name);
    new.optional.parent = Some(Ref::to(&id(parent)));
    new
}

fn named(name: &str) -> ExperimentPatch {
    ExperimentPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

/// `exp_1` of both tenants.
async fn twins(shop: &Shop) {
    for (ctx, name) in [(&shop.admin, "mine"), (&shop.rival, "theirs")] {
        Experiment::create_with_id(ctx, id("exp_1"), new(name))
            .await
            .unwrap();
    }
}

async fn stored(shop: &Shop, tenant: &str, id: &str) -> Option<Document> {
    let all = shop.stored("experiments").await;
    all.into_iter().find(|one| {
        one.get("organization") == Some(&Bson::from(tenant)) && one.get("id") == Some(&Bson::from(id))
    })
}

async fn revealed(ctx: &Ctx, id: &Id<Experiment>) -> Result<String> {
    let token = Experiment::fetch(ctx, id).await?.token.unwrap();
    Ok(token.reveal(ctx).await?.expose().clone())
}

/// As another client wrote it, before there was a weight.
fn old(tenant: &str, key: &str) -> Document {
    doc! {
        "_id": Id::<Note>::generate().to_bson(), "id": key, "organization": tenant, "name": "old", "extra": 5,
        "dateCreated": date(START), "dateUpdated": date(START),
    }
}

on_both_stores! {
    /// Other writers give `_id`s of all kinds: a pass goes over every document, however few a batch has.
    async fn a_pass_goes_over_ids_of_every_kind(stage: Stage) {
        let shop = lab(stage).await;
        let uuid = bson::Uuid::from_bytes([7; 16]);
        let kinds = [Bson::from("b"), Bson::from("a"), Bson::from(uuid), Id::<Note>::generate().to_bson(), Bson::from("c")];
        for (number, kind) in kinds.into_iter().enumerate() {
            let mut document = old("acme", &format!("exp_{number}"));
            document.insert("_id", kind);
            shop.store_raw("experiments", document).await;
        }
        let job = shop.admin.dangerously_bypass_permissions("release");
        let dry = Experiment::migrate_all(&job).dry_run(10).await.unwrap();
        assert_eq!(dry.older, 5);
        let report = Experiment::migrate_all(&job).batch(1).await.unwrap();
        assert!(report.complete && report.migrated == 5, "{report}");
        let stored = shop.stored("experiments").await;
        assert!(stored.iter().all(|one| one.get("weight") == Some(&Bson::Int64(7))), "{stored:?}");
        let checked = Experiment::check_stored(&job).batch(1).await.unwrap();
        assert_eq!((checked.scanned, checked.unreadable), (5, 0));
    }

    /// The database makes the `_id`; no read, view or input tells of it, and no write changes it.
    async fn a_document_has_both(stage: Stage) {
        let shop = lab(stage).await;
        let created = Experiment::create(&shop.admin, new("first")).await.unwrap();
        let raw = shop.stored_one("experiments").await;
        let made = raw.get_object_id("_id").unwrap();
        assert_eq!(raw.get_str("id").unwrap(), created.id.to_string());
        assert!(created.id.to_string().starts_with("exp_"));
        let view = serde_json::to_value(created.clone().into_view(&shop.admin)).unwrap();
        assert_eq!(view["id"], created.id.to_string());
        assert!(view.get("_id").is_none(), "{view}");
        assert!(NewExperiment::from_json(r#"{"name": "x", "_id": "y"}"#).is_err());

        let (ctx, key) = (&shop.admin, &created.id);
        Experiment::update(ctx, key, named("second")).await.unwrap();
        Experiment::update_with(ctx, key, |e| e.weight.inc(1)).await.unwrap();
        Experiment::modify(ctx, key, |e| Ok(Some(named(&format!("{}!", e.name))))).await.unwrap();
        Experiment::bulk(ctx).update(key.clone(), ExperimentPatch { weight: Set(9), ..Default::default() }).await.unwrap();
        let raw = shop.stored_one("experiments").await;
        assert_eq!((raw.get_str("name").unwrap(), raw.get_i64("weight").unwrap()), ("second!", 9));
        let kept = Experiment::replace(ctx, key, new("third")).await.unwrap();
        assert_eq!((&kept.id, kept.name.as_str()), (key, "third"));
        let raw = shop.stored_one("experiments").await;
        assert_eq!(raw.get_object_id("_id").unwrap(), made);
        assert_eq!(raw.get_str("id").unwrap(), key.to_string());
        assert_eq!(revealed(ctx, key).await.unwrap(), "token of third");

        let log = ctx.audit_log().of::<Experiment>(key).await.unwrap();
        assert_eq!(log.len(), 6, "under the id that everybody knows");
        assert!(Experiment::delete(ctx, key).await.unwrap());
        assert!(!Experiment::delete(ctx, key).await.unwrap());
        assert!(shop.stored("experiments").await.is_empty());
    }

    /// Unique in a tenant; two tenants may have the same, and each sees its own.
    async fn two_tenants_may_have_the_same(stage: Stage) {
        let shop = lab(stage).await;
        twins(&shop).await;
        let key = id("exp_1");
        let again = Experiment::create_with_id(&shop.admin, key.clone(), new("again")).await.unwrap_err();
        assert!(again.is_duplicate() && again.index() == Some("organization_1_id_1_unique"), "{again}");
        let many = Experiment::bulk(&shop.admin).create(new("x")).create_with_id(key.clone(), new("y")).await.unwrap_err();
        assert!(many.is_duplicate() && many.position() == Some(1), "{many}");
        let theirs = stored(&shop, "globex", "exp_1").await.unwrap();

        assert_eq!(Experiment::fetch(&shop.admin, &key).await.unwrap().name, "mine");
        assert_eq!(revealed(&shop.admin, &key).await.unwrap(), "token of mine");
        assert_eq!(revealed(&shop.rival, &key).await.unwrap(), "token of theirs");
        Experiment::update(&shop.admin, &key, named("changed")).await.unwrap();
        let report = Experiment::update_many(&shop.admin, |e| e.id.eq(&key), named("again")).await.unwrap();
        assert_eq!((report.matched, report.written), (1, 1));
        let upserted = Experiment::upsert(&shop.admin, |e| e.id.eq(&key), new("no"), named("upserted")).await.unwrap();
        assert!(!upserted.is_created());
        assert_eq!(Experiment::get_by(&shop.admin, |e| e.id.eq(&key)).await.unwrap().unwrap().name, "upserted");
        let found = Experiment::parse_query("id=exp_1").unwrap().query(&shop.admin, 5).await.unwrap();
        assert_eq!(found[0].name, "upserted");
        assert_eq!(Experiment::explain(&shop.admin, &key).await.unwrap(), Access::Granted);
        assert_eq!(Experiment::explain(&shop.admin, &id("exp_2")).await.unwrap(), Access::Missing);
        assert!(Experiment::delete(&shop.admin, &key).await.unwrap());
        assert_eq!(stored(&shop, "globex", "exp_1").await.unwrap(), theirs, "another tenant's twin");
        shop.admin.dangerously_bypass_permissions("gone").erase_tenant().await.unwrap();
        assert_eq!(shop.stored("experiments").await, [theirs]);
    }

    /// A secret is bound to the id that the application knows, whatever its document's `_id`.
    async fn a_secret_is_bound_to_it(stage: Stage) {
        let shop = lab(stage).await;
        twins(&shop).await;
        let token = stored(&shop, "acme", "exp_1").await.unwrap().remove("token").unwrap();
        for (key, opens) in [("exp_1", true), ("exp_2", false)] {
            Experiment::delete(&shop.admin, &id("exp_1")).await.unwrap();
            let mut moved = old("acme", key);
            moved.insert("token", token.clone());
            shop.store_raw("experiments", moved).await;
            assert_eq!(revealed(&shop.admin, &id(key)).await.is_ok(), opens, "{key}");
        }
    }

    /// In the order asked for, page by page among equals, in parts, and together with what belongs to them.
    async fn it_is_what_lists_go_by(stage: Stage) {
        let shop = lab(stage).await;
        twins(&shop).await;
        let ctx = &shop.admin;
        for (key, parent) in [("exp_2", "exp_1"), ("exp_3", "exp_1"), ("exp_4", "exp_2")] {
            Experiment::create_with_id(ctx, id(key), below("same", parent)).await.unwrap();
        }
        let asked = ["exp_3", "exp_9", "exp_1", "exp_3"].map(id);
        let many = Experiment::get_many(ctx, &asked).await.unwrap();
        assert_eq!(many.iter().map(|e| e.id.to_string()).collect::<Vec<_>>(), ["exp_3", "exp_1"]);
        assert_eq!(many[1].name, "mine");

        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let query = Experiment::query(ctx).sort(|e| e.name.desc());
            let page = query.select::<Line>().page(1, after.as_deref()).await.unwrap();
            seen.extend(page.items.iter().map(|line| line.id.to_string()));
            match page.next {
                Some(next) => after = Some(next.to_string()),
                None => break,
            }
        }
        assert_eq!(seen, ["exp_4", "exp_3", "exp_2", "exp_1"]);
        let sorted = Experiment::query(ctx).filter(|e| e.id.gt(id("exp_1"))).sort(|e| e.id.asc()).await.unwrap();
        assert_eq!(sorted.len(), 3);

        let parents = Experiment::populate(ctx, &sorted, |e| &e.parent).await.unwrap();
        assert_eq!(parents.get(sorted[0].parent.as_ref().unwrap()).unwrap().name, "mine");
        let children = Experiment::related(ctx, [&many[1]], |e| &e.parent).limit_each(1).await.unwrap();
        assert_eq!(children.of(&many[1])[0].id, id("exp_2"));
        let tree = Experiment::subtree(ctx, &id("exp_1"), |e| &e.parent).await.unwrap().unwrap();
        assert_eq!(tree.into_documents().len(), 4);
        let above = Experiment::ancestors(ctx, &id("exp_4"), |e| &e.parent).await.unwrap();
        assert_eq!(above.iter().map(|e| e.id.to_string()).collect::<Vec<_>>(), ["exp_2", "exp_1"]);

        let optional = NewSnapshotOptional { experiment: Some(Ref::to(&id("exp_2"))) };
        Snapshot::create(ctx, NewSnapshot { optional }).await.unwrap();
        let query = Experiment::query(ctx).filter(|e| e.name.eq("mine")).select::<Line>();
        let joined = query.lookup::<Line>(|e, other| Join::on(&e.id, &other.id)).await.unwrap();
        assert_eq!((joined.len(), &joined[0].item.id, &joined[0].joined[0].id), (1, &id("exp_1"), &id("exp_1")));
        let checked = Snapshot::check_stored(&ctx.dangerously_bypass_permissions("check")).await.unwrap();
        assert_eq!((checked.scanned, checked.dangling), (1, 0), "{checked:?}");
    }

    /// What refers to a document goes by the same id.
    async fn delete_rules_go_by_it(stage: Stage) {
        let shop = lab(stage).await;
        twins(&shop).await;
        let theirs = stored(&shop, "globex", "exp_1").await;
        for key in ["exp_2", "exp_3"] {
            Experiment::create_with_id(&shop.admin, id(key), below("below", "exp_1")).await.unwrap();
        }
        let optional = NewSnapshotOptional { experiment: Some(Ref::to(&id("exp_3"))) };
        let snapshot = Snapshot::create(&shop.admin, NewSnapshot { optional }).await.unwrap();
        assert!(Experiment::delete(&shop.admin, &id("exp_1")).await.unwrap());
        let left = shop.stored("experiments").await;
        assert_eq!(left, Vec::from_iter(theirs));
        assert!(Snapshot::fetch(&shop.admin, &snapshot.id).await.unwrap().experiment.is_none());
        // Batch by batch too.
        for (key, parent) in [("exp_1", "exp_0"), ("exp_2", "exp_1"), ("exp_3", "exp_1")] {
            Experiment::create_with_id(&shop.admin, id(key), below("below", parent)).await.unwrap();
        }
        let done = Experiment::delete_in_batches(&shop.admin, &id("exp_1")).batch(1).await.unwrap().unwrap();
        assert_eq!(done.deleted(), 3);
        assert_eq!(shop.stored("experiments").await, left);
    }

    /// Entries that wait in a document leave it for the log, and a document that goes goes with the last of them.
    async fn waiting_entries_are_moved(stage: Stage) {
        let shop = lab(stage).await;
        let twin = Id::generate();
        for ctx in [&shop.admin, &shop.rival] {
            Snapshot::create_with_id(ctx, twin.clone(), NewSnapshot { optional: Default::default() }).await.unwrap();
        }
        assert_eq!(shop.stored("snapshots").await[0].get("key"), Some(&twin.to_bson()));
        assert!(Snapshot::delete(&shop.admin, &twin).await.unwrap());
        assert!(Snapshot::restore(&shop.admin, &twin).await.unwrap());
        assert!(Snapshot::purge(&shop.admin, &twin).await.unwrap());
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 5);
        let left = shop.stored_one("snapshots").await;
        assert_eq!(left.get_str("organization").unwrap(), "globex");
        assert!(!left.contains_key("_outbox"), "{left}");
        assert_eq!(shop.admin.audit_log().of::<Snapshot>(&twin).await.unwrap().len(), 4);
    }

    /// What others stored is read, changed and migrated in its place, of every tenant; batches lose no twin.
    async fn documents_of_others_are_migrated(stage: Stage) {
        let shop = lab(stage).await;
        let mut ids = Vec::new();
        for (tenant, key) in [("acme", "exp_1"), ("globex", "exp_1"), ("acme", "exp_2"), ("globex", "exp_2")] {
            let document = old(tenant, key);
            ids.push(document.get_object_id("_id").unwrap());
            shop.store_raw("experiments", document).await;
        }
        assert_eq!(Experiment::fetch(&shop.admin, &id("exp_1")).await.unwrap().weight, 7);
        let lines = Experiment::query(&shop.admin).sort(|e| e.id.asc()).select::<Line>().await.unwrap();
        assert_eq!(lines.iter().map(|line| (line.id.to_string(), line.weight)).collect::<Vec<_>>(), [
            ("exp_1".to_owned(), 7), ("exp_2".to_owned(), 7),
        ]);
        Experiment::update(&shop.admin, &id("exp_1"), named("renamed")).await.unwrap();
        let raw = stored(&shop, "acme", "exp_1").await.unwrap();
        assert_eq!((raw.get_i64("weight").unwrap(), raw.get_i32("extra").unwrap(), raw.get_i32("_sv").unwrap()), (7, 5, 2));
        let everybody = shop.db.global_context(User::admin("ops")).dangerously_bypass_permissions("release");
        let done = Experiment::migrate_every_tenant(&everybody).batch(1).await.unwrap();
        assert_eq!((done.scanned, done.migrated, done.complete), (3, 3, true), "{done:?}");
        let after = shop.stored("experiments").await;
        assert!(after.iter().all(|one| one.get("_sv") == Some(&Bson::from(2_i32)) && one.get("extra") == Some(&Bson::from(5_i32))), "{after:?}");
        let mut kept: Vec<_> = after.iter().map(|one| one.get_object_id("_id").unwrap()).collect();
        kept.sort();
        ids.sort();
        assert_eq!(kept, ids);
    }

    /// Values under older keys are found by the same id.
    async fn secrets_are_sealed_anew(stage: Stage) {
        let shop = lab(stage).await;
        twins(&shop).await;
        Experiment::create_with_id(&shop.admin, id("exp_2"), new("more")).await.unwrap();
        rotate(&shop, Purpose::Enc).await;
        let job = shop.admin.dangerously_bypass_permissions("rotation");
        let done = Experiment::reencrypt(&job).batch(1).await.unwrap();
        assert_eq!((done.scanned, done.rewritten, done.failed.len()), (2, 2, 0), "{done:?}");
        assert_eq!(revealed(&shop.admin, &id("exp_1")).await.unwrap(), "token of mine");
        assert_eq!(revealed(&shop.rival, &id("exp_1")).await.unwrap(), "token of theirs");
    }

    /// Its index comes with it: within the tenant, or over all of them.
    async fn its_index_is_declared_with_it(stage: Stage) {
        let shop = lab(stage).await;
        assert!(shop.db.plan_indexes().await.unwrap().is_empty());
        let twin = Id::<Flag>::parse("one").unwrap();
        Flag::create_with_id(&shop.admin, twin.clone(), NewFlag { name: "a".into() }).await.unwrap();
        let error = Flag::create_with_id(&shop.rival, twin.clone(), NewFlag { name: "b".into() }).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert!(Flag::get(&shop.rival, &twin).await.unwrap().is_none());
        assert_eq!(Flag::fetch(&shop.admin, &twin).await.unwrap().name, "a");
        let raw = shop.stored_one("flags").await;
        assert!(matches!(raw.get("_id"), Some(Bson::ObjectId(_))));
    }
}
