//! Contract I 34: the query side of the audit log, and its hash chain.

use bson::doc;
use model_core::ModelExt;
use model_core::audit::{AuditChange, RequestMeta};
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{NewPlan, Plan, User, Widget, WidgetPatch, new_widget};

/// A program that opens gates.
#[derive(Clone)]
struct Robot(ActorIdentity);

impl Actor for Robot {
    fn identity(&self) -> ActorIdentity {
        self.0.clone()
    }
}

/// Its events have names of their own.
#[derive(Clone, Model)]
#[model(
    collection = "gates",
    audit(
        entity = "barrier",
        create = "gate.built",
        update = "gate.moved",
        delete = "gate.razed"
    )
)]
struct Gate {
    #[model(id)]
    id: Id<Gate>,
    #[model(tenant)]
    organization: TenantId,
    open: bool,
}

impl BaseModel for Gate {
    type Actor = Robot;

    fn can_read(&self, _ctx: &Context<Robot>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &Context<Robot>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Context<Robot>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Context<Robot>) -> bool {
        true
    }
}

on_both_stores! {
    /// A 1, I 34: events are called what the model calls them, single and bulk; a program's key and the application itself
    /// are told apart from people.
    async fn events_and_actors_have_their_names(stage: Stage) {
        let db = stage.builder().model::<Gate>().build_lazy().unwrap();
        db.sync_indexes(Default::default()).await.unwrap();
        let acme = || TenantId::new("acme").unwrap();
        let key = db.context(acme(), Robot(ActorIdentity::api_key("key_7").named("Deployer")));
        let gate = Gate::create(&key, NewGate { open: false }).await.unwrap();
        let patch = || GatePatch { open: Set(true), ..Default::default() };
        Gate::update(&key, &gate.id, patch()).await.unwrap();
        Gate::delete(&key, &gate.id).await.unwrap();
        let system = db.context(acme(), Robot(ActorIdentity::system("nightly")));
        Gate::create_many(&system, [NewGate { open: false }]).await.unwrap();
        Gate::update_many(&system, |g| g.open.eq(false), patch()).await.unwrap();
        Gate::delete_many(&system, |g| g.open.eq(true)).await.unwrap();
        let log = model_core::testing::stored(&db, "audit_log").await.unwrap();
        let events: Vec<_> = log.iter().map(|entry| entry.get_str("event").unwrap()).collect();
        let named = ["gate.built", "gate.moved", "gate.razed"];
        assert_eq!(events, [named, named].concat());
        for (position, entry) in log.iter().enumerate() {
            assert_eq!(entry.get_document("entity").unwrap().get_str("type").unwrap(), "barrier");
            let actor = match position {
                0..3 => doc! { "kind": "api_key", "id": "key_7", "name": "Deployer" },
                _ => doc! { "kind": "system", "id": "nightly" },
            };
            assert_eq!(entry.get_document("actor").unwrap(), &actor);
        }
        let job = key.dangerously_bypass_permissions("report");
        let read = job.audit_log().by("key_7").await.unwrap();
        assert!(read.len() == 3 && read.iter().all(|entry| entry.actor == ActorIdentity::api_key("key_7").named("Deployer")));
    }

    /// The history of one document, the newest first, as it was written.
    async fn the_history_of_a_document(stage: Stage) {
        let shop = stage.shop().await;
        let request = RequestMeta::new().ip("203.0.113.7").route("PATCH /widgets").with("request_id", "r-1");
        let ctx = shop.admin.clone().with_request(request.clone());
        let mut new = new_widget("prj_a", "Blue");
        new.optional.token = Some(Secret::new("hush".to_owned()));
        let widget = Widget::create(&ctx, new).await.unwrap();
        Widget::create(&ctx, new_widget("prj_a", "Other")).await.unwrap();
        shop.tick();
        let patch = WidgetPatch { name: Set("Red".into()), ..Default::default() };
        Widget::update(&ctx, &widget.id, patch).await.unwrap();
        shop.tick();
        Widget::delete(&ctx.dangerously_bypass_permissions("clean-up"), &widget.id).await.unwrap();

        let history = shop.admin.audit_log().of::<Widget>(&widget.id).await.unwrap();
        let events: Vec<_> = history.iter().map(|entry| entry.event.as_str()).collect();
        assert_eq!(events, ["widget.delete", "widget.update", "widget.create"]);
        let update = &history[1];
        assert_eq!((update.entity_type.as_str(), update.entity_name.as_deref()), ("widget", Some("Red")));
        assert_eq!(update.actor, ActorIdentity::user("ada"));
        assert_eq!(update.tenant.as_ref(), Some(shop.admin.tenant()));
        assert_eq!(update.request, request);
        assert!(update.changes.iter().any(|change| matches!(change, AuditChange::Plain { path, before: Some(before), after: Some(after) }
            if path == "name" && before.as_str() == Some("Blue") && after.as_str() == Some("Red"))), "{update:?}");
        assert_eq!(history[0].bypass_reason.as_deref(), Some("clean-up"));
        assert!(history[2].changes.iter().any(|change| matches!(change, AuditChange::Redacted { path } if path == "token")));
    }

    /// What an entry cannot hold is told, and the write does not stand without its entry.
    async fn a_key_that_cannot_be_stored(stage: Stage) {
        let shop = stage.shop().await;
        let keys = ["request\0id", "k\0\x02\0\0\0v\0\x08success\0\0\x02z"];
        for key in keys {
            let ctx = shop.admin.clone().with_request(RequestMeta::new().with(key, "r-1"));
            let error = Widget::create(&ctx, new_widget("prj_a", "Blue")).await.unwrap_err();
            let [violation] = error.violations() else { panic!("{error:?}") };
            assert_eq!((&violation.path, &*violation.rule), (&format!("metadata.{key}"), "key"));
        }
        assert!(shop.stored("widgets").await.is_empty() && shop.audit_log().await.is_empty());
    }

    /// Of two values for one name the application's own counts before the request's, and the entry's own before both.
    async fn keys_of_the_metadata(stage: Stage) {
        let shop = stage.shop().await;
        let request = RequestMeta::new().ip("203.0.113.7").with("ip", "198.51.100.1").with("success", "no").with("id", "r-1");
        Widget::create(&shop.admin.clone().with_request(request), new_widget("prj_a", "Blue")).await.unwrap();
        let [entry] = &shop.audit_log().await[..] else { panic!("one entry") };
        let metadata = entry.get_document("metadata").unwrap();
        let keys: Vec<_> = metadata.keys().map(String::as_str).collect();
        assert_eq!(keys, ["ip", "id", "duration_ms", "success"]);
        assert_eq!((metadata.get_str("ip").unwrap(), metadata.get_bool("success").unwrap()), ("198.51.100.1", true));
    }

    /// By model, actor, event and time, page by page.
    async fn queries_narrow(stage: Stage) {
        let shop = stage.shop().await;
        let bob = shop.acme(User::admin("bob"));
        for (ctx, name) in [(&shop.admin, "One"), (&bob, "Two"), (&shop.admin, "Three")] {
            Widget::create(ctx, new_widget("prj_a", name)).await.unwrap();
            shop.tick();
        }
        Plan::create(&shop.admin, NewPlan { code: "p".into(), optional: Default::default() }).await.unwrap();
        let log = || shop.admin.audit_log();
        assert_eq!(log().entity::<Widget>().await.unwrap().len(), 3);
        assert_eq!(log().by("bob").await.unwrap().len(), 1);
        assert_eq!(log().event("widget.create").await.unwrap().len(), 3);
        assert_eq!(log().event("widget.delete").await.unwrap().len(), 0);
        let start: DateTime<Utc> = crate::harness::START.parse().unwrap();
        assert_eq!(log().since(start + chrono::TimeDelta::seconds(1)).entity::<Widget>().await.unwrap().len(), 2);
        assert_eq!(log().until(start + chrono::TimeDelta::seconds(1)).await.unwrap().len(), 1);
        let first = log().entity::<Widget>().limit(2).await.unwrap();
        let rest = log().entity::<Widget>().limit(2).after(&first[1]).await.unwrap();
        let names: Vec<_> = first.iter().chain(&rest).map(|entry| entry.entity_name.clone().unwrap()).collect();
        assert_eq!(names, ["Three", "Two", "One"]);
    }

    /// Who may not read it gets nothing, and nobody gets another tenant's.
    async fn the_log_is_guarded(stage: Stage) {
        let shop = stage.shop().await;
        let widget = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
        Widget::create(&shop.rival, new_widget("prj_a", "Theirs")).await.unwrap();
        let editor = shop.acme(User::editor("ed", &["prj_a"]));
        assert!(editor.audit_log().await.unwrap_err().is_forbidden());
        let job = editor.dangerously_bypass_permissions("report");
        assert_eq!(job.audit_log().await.unwrap().len(), 1);
        assert!(shop.rival.audit_log().of::<Widget>(&widget.id).await.unwrap().is_empty());
        let global = shop.db.global_context(User::admin("root"));
        assert!(global.audit_log().await.unwrap().is_empty());
        Plan::create(&global, NewPlan { code: "p".into(), optional: Default::default() }).await.unwrap();
        assert_eq!(global.audit_log().await.unwrap().len(), 1);
    }

    /// The chain follows the entries of each tenant, single, bulk and racing ones.
    async fn a_chain_follows(stage: Stage) {
        let shop = stage.shop_with_chain().await;
        let widget = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
        Widget::create_many(&shop.admin, ["One", "Two"].map(|name| new_widget("prj_a", name))).await.unwrap();
        Widget::create(&shop.rival, new_widget("prj_a", "Theirs")).await.unwrap();
        shop.hooks.meet(4);
        let racers: Vec<_> = (0..4).map(|i| {
            let ctx = shop.admin.clone();
            tokio::spawn(async move { Widget::create(&ctx, new_widget("prj_a", &format!("Racer {i}"))).await })
        }).collect();
        for racer in racers {
            racer.await.unwrap().unwrap();
        }
        shop.admin.transaction(|tx| async move {
            Widget::create(&tx, new_widget("prj_a", "Inside")).await?;
            Widget::delete(&tx, &widget.id).await
        }).await.unwrap();
        let report = shop.admin.audit_log().verify_chain().await.unwrap();
        assert!(report.is_intact(), "{report:?}");
        assert_eq!(report.entries, 9);
        assert_eq!(shop.rival.audit_log().verify_chain().await.unwrap().entries, 1);
        let editor = shop.acme(User::editor("ed", &["prj_a"]));
        assert!(editor.audit_log().verify_chain().await.unwrap_err().is_forbidden());
    }

    /// Without a chain there is nothing to verify, and that is said.
    async fn no_chain_no_verification(stage: Stage) {
        let shop = stage.shop().await;
        assert!(shop.admin.audit_log().verify_chain().await.unwrap_err().is_configuration());
    }
}

/// What the history and the chain are read by is planned with the models' own indexes, if anything is audited here.
#[tokio::test]
async fn the_log_has_indexes() {
    let plan = async |builder: model_core::DbBuilder| {
        builder
            .build_lazy()
            .unwrap()
            .plan_indexes()
            .await
            .unwrap()
            .to_string()
    };
    let audited = plan(Db::memory().model::<Plan>()).await;
    for keys in ["entity.type", "actor.id", "at"] {
        assert!(
            audited.contains(&format!("audit_log: tenant_1_{keys}")),
            "{audited}"
        );
    }
    assert!(!audited.contains("chain.number"), "{audited}");
    assert!(
        plan(Db::memory().model::<Plan>().audit_chain())
            .await
            .contains("chain.number")
    );
    assert!(
        !plan(Db::memory().model::<crate::models::Note>())
            .await
            .contains("audit_log")
    );
    let sink = model_core::testing::CollectingSink::new();
    assert!(
        !plan(Db::memory().model::<Plan>().audit_to(sink))
            .await
            .contains("audit_log")
    );
}

/// Somebody with access to the database changes, removes, or cuts off entries: the first that does not fit is named.
#[tokio::test]
async fn a_broken_chain_names_the_entry() {
    let database = model_tests::server::fresh_database().await;
    let db = crate::models::register(Db::mongo(database.clone()))
        .keys(model_core::testing::keyring().unwrap())
        .audit_chain()
        .build_lazy()
        .unwrap();
    db.sync_indexes(Default::default()).await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    for name in ["One", "Two", "Three", "Four"] {
        Widget::create(&ctx, new_widget("prj_a", name)).await.unwrap();
    }
    let log = database.collection::<bson::Document>("audit_log");
    let mut entries = model_core::testing::stored(&db, "audit_log").await.unwrap();
    entries.sort_by_key(|entry| entry.get_document("chain").unwrap().get_i64("number").unwrap());
    let id = |at: usize| entries[at].get_object_id("_id").unwrap();

    log.update_one(doc! { "_id": id(1) }, doc! { "$set": { "actor.id": "mallory" } })
        .await
        .unwrap();
    let report = ctx.audit_log().verify_chain().await.unwrap();
    assert_eq!((report.entries, report.broken), (1, Some(id(1))));
    log.replace_one(doc! { "_id": id(1) }, &entries[1]).await.unwrap();
    assert!(ctx.audit_log().verify_chain().await.unwrap().is_intact());

    log.delete_one(doc! { "_id": id(1) }).await.unwrap();
    let report = ctx.audit_log().verify_chain().await.unwrap();
    assert_eq!((report.entries, report.broken), (1, Some(id(2))));
    log.insert_one(&entries[1]).await.unwrap();
    assert!(ctx.audit_log().verify_chain().await.unwrap().is_intact());

    log.delete_one(doc! { "_id": id(3) }).await.unwrap();
    let report = ctx.audit_log().verify_chain().await.unwrap();
    assert_eq!((report.entries, report.broken), (3, None));
    assert!(!report.is_intact());

    // A head that cannot be read does not begin the chain anew.
    let heads = database.collection::<bson::Document>("audit_chain");
    heads
        .update_one(doc! { "_id": "acme" }, doc! { "$set": { "hash": "junk" } })
        .await
        .unwrap();
    let refused = Widget::create(&ctx, new_widget("prj_a", "Five"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Store, "{refused}");
    assert_eq!(
        database
            .collection::<bson::Document>("widgets")
            .count_documents(doc! {})
            .await
            .unwrap(),
        4
    );
}
