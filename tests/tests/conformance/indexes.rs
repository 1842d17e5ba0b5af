//! Contract K, for the forms that are built: what is declared is what the server gets, what it does, and what a plan
//! says of a difference.

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::{DbBuilder, IndexStep, Model, ModelExt, SyncOptions, testing};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// Every form of an index.
#[derive(Clone, Model)]
#[model(collection = "indexed", rename_all = "camelCase")]
#[model(index(project_name, score = desc), index(score, unique, name = "my_score"))]
#[model(index(inner.sort_key = desc), index(items.label, kind), index(kind, global), index(kind, score, exists(note, project_name)))]
struct Indexed {
    #[model(id)]
    id: Id<Indexed>,
    #[model(tenant)]
    organization: TenantId,
    #[model(index)]
    project_name: String,
    score: i64,
    #[model(index = desc)]
    kind: String,
    #[model(unique)]
    code: Option<String>,
    #[model(unique(global))]
    email: String,
    note: Option<String>,
    inner: Inner,
    items: Vec<Item>,
    #[model(ttl = "90d")]
    expires: Option<DateTime<Utc>>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
struct Inner {
    sort_key: i32,
}

#[derive(Clone, Embedded)]
struct Item {
    #[model(rename = "l")]
    label: String,
}

/// The same in a global model: no tenant in front.
#[derive(Clone, Model)]
#[model(collection = "indexed_global", global, index(a, b = desc, unique))]
struct Worldwide {
    #[model(id)]
    id: Id<Worldwide>,
    a: Option<i32>,
    b: i32,
}

/// What `Drifted` is at first, by other clients' hands or an older release.
#[derive(Clone, Model)]
#[model(collection = "drift", index(b), index(c, name = "by_c"), index(a = desc))]
struct Before {
    #[model(id)]
    id: Id<Before>,
    #[model(tenant)]
    organization: TenantId,
    #[model(index)]
    a: i32,
    b: i32,
    c: i32,
    d: i32,
    #[model(ttl = "1d")]
    at: DateTime<Utc>,
}

/// The same collection, declared otherwise.
#[derive(Clone, Model)]
#[model(
    collection = "drift",
    index(b, unique),
    index(c, name = "by_c"),
    index(d),
    index(c, b)
)]
struct After {
    #[model(id)]
    id: Id<After>,
    #[model(tenant)]
    organization: TenantId,
    #[model(index)]
    a: i32,
    b: i32,
    c: i32,
    d: i32,
    #[model(ttl = "2d")]
    at: DateTime<Utc>,
}

/// The same collection, with no index declared.
#[derive(Clone, Model)]
#[model(collection = "drift")]
struct Bare {
    #[model(id)]
    id: Id<Bare>,
    #[model(tenant)]
    organization: TenantId,
}

/// The same collection: what was an index is unique, under another name.
#[derive(Clone, Model)]
#[model(collection = "drift", index(c, unique, name = "only_c", replaces = "by_c"))]
struct Successor {
    #[model(id)]
    id: Id<Successor>,
    #[model(tenant)]
    organization: TenantId,
    c: i32,
}

macro_rules! open {
    ($($model:ident: $ctx:ty),*) => {$(
        impl BaseModel for $model {
            type Actor = User;

            open_policy!(Self, $ctx);
        }
    )*};
}

open!(Indexed: Ctx, Worldwide: GlobalContext<User>, Before: Ctx, After: Ctx, Bare: Ctx, Successor: Ctx);

fn new_indexed(score: i64, code: Option<&str>, email: &str) -> NewIndexed {
    NewIndexed {
        project_name: "p".into(),
        score,
        kind: "k".into(),
        email: email.into(),
        inner: Inner { sort_key: 1 },
        items: vec![Item { label: "a".into() }, Item { label: "b".into() }],
        optional: NewIndexedOptional {
            code: code.map(str::to_owned),
            ..Default::default()
        },
    }
}

async fn synced(builder: DbBuilder) -> Db {
    let db = builder.build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db
}

/// What a plan for an empty database creates, by name.
async fn planned<M: BaseModel>() -> Vec<Document> {
    let db = Db::memory().model::<M>().build_lazy().unwrap();
    let plan = db.plan_indexes().await.unwrap();
    let mut all: Vec<_> = plan
        .steps
        .into_iter()
        .map(|step| match step {
            IndexStep::Create { index, .. } => index,
            other => panic!("{other}"),
        })
        .collect();
    all.sort_by_key(|index| index.get_str("name").unwrap().to_owned());
    all
}

fn sorted(mut all: Vec<Document>) -> Vec<Document> {
    all.sort_by_key(|index| index.get_str("name").unwrap().to_owned());
    all
}

/// K 39-41: the tenant first, but with `global` and in a TTL index; stored names; an optional unique field partial.
#[tokio::test]
async fn declarations_become_these_indexes() {
    let exists = || doc! { "$exists": true };
    let expected = sorted(vec![
        doc! { "key": { "organization": 1, "projectName": 1 }, "name": "organization_1_projectName_1" },
        doc! { "key": { "organization": 1, "kind": -1 }, "name": "organization_1_kind_-1" },
        doc! { "key": { "organization": 1, "projectName": 1, "score": -1 }, "name": "organization_1_projectName_1_score_-1" },
        doc! { "key": { "organization": 1, "score": 1 }, "name": "my_score", "unique": true },
        doc! { "key": { "organization": 1, "inner.sortKey": -1 }, "name": "organization_1_inner.sortKey_-1" },
        doc! { "key": { "organization": 1, "items.l": 1, "kind": 1 }, "name": "organization_1_items.l_1_kind_1" },
        doc! { "key": { "kind": 1 }, "name": "kind_1" },
        doc! { "key": { "organization": 1, "kind": 1, "score": 1 }, "name": "organization_1_kind_1_score_1_exists_note_projectName",
        "partialFilterExpression": { "note": exists(), "projectName": exists() } },
        doc! { "key": { "organization": 1, "code": 1 }, "name": "organization_1_code_1_unique_partial", "unique": true,
        "partialFilterExpression": { "code": exists() } },
        doc! { "key": { "email": 1 }, "name": "email_1_unique", "unique": true },
        doc! { "key": { "expires": 1 }, "name": "expires_1_ttl", "expireAfterSeconds": 7_776_000 },
    ]);
    assert_eq!(planned::<Indexed>().await, expected);
    let global = vec![
        doc! { "key": { "a": 1, "b": -1 }, "name": "a_1_b_-1_unique_partial", "unique": true,
        "partialFilterExpression": { "a": exists() } },
    ];
    assert_eq!(planned::<Worldwide>().await, global);
}

on_both_stores! {
    /// K 42: after a sync the plan is empty, and stays so; a second sync does nothing.
    async fn after_a_sync_the_plan_is_empty(stage: Stage) {
        let db = stage.builder().model::<Indexed>().model::<Worldwide>().build_lazy().unwrap();
        let plan = db.plan_indexes().await.unwrap();
        assert!(!plan.is_empty() && plan.steps.iter().all(|step| matches!(step, IndexStep::Create { .. })), "{plan}");
        let report = db.sync_indexes(SyncOptions::default()).await.unwrap();
        assert_eq!((report.done.len(), report.left.len()), (plan.steps.len(), 0));
        let again = db.plan_indexes().await.unwrap();
        assert!(again.is_empty(), "{again}");
        let report = db.sync_indexes(SyncOptions::new().drop_extra(true)).await.unwrap();
        assert!(report.done.is_empty() && report.left.is_empty(), "{report:?}");
        assert!(db.plan_indexes().await.unwrap().is_empty());
    }

    /// Unique with the tenant in front, without it, and on an optional field: two absent are fine, two equal are not.
    async fn unique_means_what_it_says(stage: Stage) {
        let db = synced(stage.builder().model::<Indexed>().model::<Worldwide>()).await;
        let acme = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let rival = db.context(TenantId::new("globex").unwrap(), User::admin("rita"));
        let duplicate = |result: Result<Indexed>| {
            let error = result.unwrap_err();
            assert!(error.is_duplicate(), "{error}");
            error.index().unwrap().to_owned()
        };
        Indexed::create(&acme, new_indexed(1, None, "a@x.y")).await.unwrap();
        Indexed::create(&acme, new_indexed(2, None, "b@x.y")).await.unwrap();
        Indexed::create(&acme, new_indexed(3, Some("c"), "c@x.y")).await.unwrap();
        let same_code = Indexed::create(&acme, new_indexed(4, Some("c"), "d@x.y")).await;
        assert_eq!(duplicate(same_code), "organization_1_code_1_unique_partial");
        Indexed::create(&rival, new_indexed(3, Some("c"), "e@x.y")).await.unwrap();
        assert_eq!(duplicate(Indexed::create(&acme, new_indexed(3, None, "f@x.y")).await), "my_score");
        assert_eq!(duplicate(Indexed::create(&rival, new_indexed(9, None, "a@x.y")).await), "email_1_unique");
        let third = Indexed::query(&acme).filter(|i| i.score.eq(1)).first().await.unwrap().unwrap();
        let patch = IndexedPatch { code: Set(Some("c".into())), ..Default::default() };
        assert_eq!(duplicate(Indexed::update(&acme, &third.id, patch).await), "organization_1_code_1_unique_partial");
        let patch = IndexedPatch { score: Set(2), ..Default::default() };
        assert_eq!(duplicate(Indexed::update(&acme, &third.id, patch).await), "my_score");
        let free = IndexedPatch { score: Set(5), code: Set(Some("free".into())), ..Default::default() };
        Indexed::update(&acme, &third.id, free).await.unwrap();
        // Null is absence: another client's null does not stand in the way either.
        for (id, code) in [(1, Bson::Null), (2, Bson::Null)] {
            let raw = doc! { "_id": bson::oid::ObjectId::from_bytes([id; 12]), "organization": "acme", "score": 100 + i32::from(id), "email": format!("{id}@n.n"), "code": code };
            let stored = testing::store_raw(&db, "indexed", &raw).await;
            // The server counts a stored null as existing, so the second one is a duplicate there: both stores agree.
            assert_eq!(stored.is_ok(), id == 1, "{stored:?}");
        }
        let global = db.global_context(User::admin("ada"));
        let new = |a, b| NewWorldwide { b, optional: NewWorldwideOptional { a } };
        Worldwide::create(&global, new(None, 1)).await.unwrap();
        Worldwide::create(&global, new(None, 1)).await.unwrap();
        Worldwide::create(&global, new(Some(1), 1)).await.unwrap();
        assert!(Worldwide::create(&global, new(Some(1), 1)).await.unwrap_err().is_duplicate());
        Worldwide::create(&global, new(Some(1), 2)).await.unwrap();
    }

    /// Duplicates that stand in the way of a unique index are reported with its name; the others are built.
    async fn duplicates_are_reported_before_a_unique_index(stage: Stage) {
        let db = stage.builder().model::<Indexed>().build_lazy().unwrap();
        for id in [1, 2] {
            let raw = doc! { "_id": bson::oid::ObjectId::from_bytes([id; 12]), "organization": "acme", "score": 1, "email": format!("{id}@n.n"), "code": "canary" };
            testing::store_raw(&db, "indexed", &raw).await.unwrap();
        }
        let error = db.sync_indexes(SyncOptions::default()).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        let text = error.to_string();
        assert!(text.contains("my_score") && text.contains("organization_1_code_1_unique_partial"), "{text}");
        assert!(!text.contains("canary"), "{text}");
        let left = db.plan_indexes().await.unwrap();
        assert_eq!(left.steps.len(), 2, "{left}");
    }
}

/// A handle that knows another declaration of what is stored.
fn redeclared<M: BaseModel>(db: &Db) -> Db {
    testing::another_process(db).model::<M>().build_lazy().unwrap()
}

async fn drifted(stage: Stage) -> Db {
    let db = stage.builder().model::<Before>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    redeclared::<After>(&db)
}

/// The indexes that are there, as a declaration without any sees them.
async fn names(db: &Db) -> Vec<String> {
    let plan = redeclared::<Bare>(db).plan_indexes().await.unwrap().to_string();
    let extra = plan
        .lines()
        .map(|line| line.strip_prefix("- extra drift: ").unwrap());
    let mut names: Vec<_> = extra
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

on_both_stores! {
    /// K 42: exactly what differs: a changed option, a changed time to live, a new index, one that is no longer declared.
    async fn a_plan_shows_exactly_the_drift(stage: Stage) {
        let db = drifted(stage).await;
        let plan = db.plan_indexes().await.unwrap();
        let shown: Vec<_> = plan.to_string().lines().map(str::to_owned).collect();
        let expected = [
            r#"+ create drift: organization_1_d_1 { "organization": 1, "d": 1 }"#,
            r#"+ create drift: organization_1_c_1_b_1 { "organization": 1, "c": 1, "b": 1 }"#,
            r#"~ replace drift: organization_1_b_1 (differs: unique) by organization_1_b_1_unique { "organization": 1, "b": 1 } unique: true"#,
            "~ ttl drift: at_1_ttl 86400 s -> 172800 s",
            r#"- extra drift: organization_1_a_-1 { "organization": 1, "a": -1 }"#,
        ];
        let mut sorted_shown = shown.clone();
        sorted_shown.sort();
        let mut sorted_expected = expected.map(str::to_owned).to_vec();
        sorted_expected.sort();
        assert_eq!(sorted_shown, sorted_expected);
        assert!(
            shown[0].starts_with('+') && shown[4].starts_with('-'),
            "what is dropped comes last: {shown:?}"
        );
        assert!(db.check_indexes().await.unwrap_err().is_configuration());
    }

    /// Nothing is dropped unasked; what is asked for is done, in an order in which the old serves until the new is there.
    async fn a_sync_drops_only_when_told(stage: Stage) {
        let db = drifted(stage).await;
        let report = db.sync_indexes(SyncOptions::default()).await.unwrap();
        let left: Vec<_> = report.left.iter().map(IndexStep::to_string).collect();
        assert!(left.iter().any(|step| step.contains("organization_1_a_-1")), "{left:?}");
        let now = names(&db).await;
        for name in ["organization_1_a_-1", "organization_1_a_1", "by_c", "organization_1_d_1", "at_1_ttl"] {
            assert!(now.iter().any(|known| known == name), "{name} in {now:?}");
        }
        let report = db.sync_indexes(SyncOptions::new().drop_extra(true)).await.unwrap();
        assert!(report.left.is_empty(), "{report:?}");
        let plan = db.plan_indexes().await.unwrap();
        assert!(plan.is_empty(), "{plan}");
        db.check_indexes().await.unwrap();
        let expected = [
            "at_1_ttl", "by_c", "organization_1_a_1", "organization_1_b_1_unique", "organization_1_c_1_b_1", "organization_1_d_1",
        ];
        assert_eq!(names(&db).await, expected);
    }

    /// What is superseded goes without being asked for, after its successor is there, and stays if that cannot be built.
    async fn what_is_replaced_goes_after_its_successor(stage: Stage) {
        let db = drifted(stage).await;
        let row = |id: u8| doc! { "_id": bson::oid::ObjectId::from_bytes([id; 12]), "organization": "acme", "a": 1, "b": 2, "c": 3, "d": 4, "at": crate::harness::date(crate::harness::START) };
        for id in [1, 2] {
            testing::store_raw(&db, "drift", &row(id)).await.unwrap();
        }
        let before = names(&db).await;
        let unique = redeclared::<Successor>(&db);
        let error = unique.sync_indexes(SyncOptions::new()).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!(names(&db).await, before);
        redeclared::<Before>(&db).check_indexes().await.unwrap();
        let ctx = redeclared::<Before>(&db);
        let ctx = ctx.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        assert_eq!(Before::delete_many(&ctx, |d| d.d.eq(4)).await.unwrap().written, 2);
        unique.sync_indexes(SyncOptions::new()).await.unwrap();
        let now = names(&db).await;
        assert!(!now.contains(&"by_c".to_owned()) && now.contains(&"only_c".to_owned()), "{now:?}");
    }
}

/// An option that we do not know is drift, too: hidden, sparse, a collation, another filter.
#[tokio::test]
async fn an_option_of_other_hands_is_drift() {
    for (option, value) in [
        ("hidden", Bson::Boolean(true)),
        ("sparse", Bson::Boolean(true)),
        ("collation", doc! { "locale": "de", "strength": 2 }.into()),
        ("partialFilterExpression", doc! { "b": { "$gt": 5 } }.into()),
        ("unique", Bson::Boolean(true)),
        ("expireAfterSeconds", Bson::Int32(5)),
    ] {
        let database = model_tests::server::fresh_database().await;
        let mut index = doc! { "key": { "organization": 1, "b": 1 }, "name": "organization_1_b_1" };
        if option == "expireAfterSeconds" {
            index.insert("key", doc! { "at": 1 });
        }
        index.insert(option, value);
        database
            .run_command(doc! { "createIndexes": "drift", "indexes": [index] })
            .await
            .unwrap();
        let db = Db::mongo(database).model::<Before>().build_lazy().unwrap();
        let plan = db.plan_indexes().await.unwrap();
        let changed: Vec<_> = plan
            .steps
            .iter()
            .filter(|step| !matches!(step, IndexStep::Create { .. }))
            .collect();
        assert_eq!(changed.len(), 1, "{option}: {plan}");
        let text = changed[0].to_string();
        assert!(
            text.contains(option) || text.starts_with("~ ttl") || text.starts_with("~ show"),
            "{option}: {text}"
        );
        // Others have made it: it goes only where that is asked for. And it can be put right.
        let report = db
            .sync_indexes(SyncOptions::new().drop_extra(true))
            .await
            .unwrap();
        let in_place = ["hidden", "expireAfterSeconds"].contains(&option) && report.left.is_empty();
        assert!(in_place || report.left.len() == 1, "{option}: {report:?}");
        db.sync_indexes(SyncOptions::new().drop_foreign(true))
            .await
            .unwrap();
        let plan = db.plan_indexes().await.unwrap();
        assert!(plan.is_empty(), "{option}: {plan}");
    }
}

/// An index under another name with the same meaning is no drift.
#[tokio::test]
async fn a_name_is_no_difference() {
    let database = model_tests::server::fresh_database().await;
    let index = doc! { "key": { "organization": 1_i64, "b": 1.0 }, "name": "by_hand", "unique": false };
    database
        .run_command(doc! { "createIndexes": "drift", "indexes": [index] })
        .await
        .unwrap();
    let db = Db::mongo(database).model::<Before>().build_lazy().unwrap();
    let plan = db.plan_indexes().await.unwrap();
    assert!(
        plan.steps
            .iter()
            .all(|step| matches!(step, IndexStep::Create { .. })),
        "{plan}"
    );
    assert!(!plan.to_string().contains("organization_1_b_1"), "{plan}");
}

/// The server lets documents go when their time is over, and does not need the tenant for it.
#[tokio::test]
async fn a_ttl_index_is_one_the_server_takes() {
    let database = model_tests::server::fresh_database().await;
    synced(Db::mongo(database.clone()).model::<Indexed>()).await;
    let listed = database
        .run_command(doc! { "listIndexes": "indexed" })
        .await
        .unwrap();
    let all = listed
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap();
    let ttl: Vec<_> = all
        .iter()
        .filter_map(Bson::as_document)
        .filter(|index| index.contains_key("expireAfterSeconds"))
        .collect();
    assert_eq!(ttl.len(), 1);
    assert_eq!(ttl[0].get_document("key").unwrap(), &doc! { "expires": 1 });
}
