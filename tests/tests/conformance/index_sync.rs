//! Contract K 42: in which order a sync works, whose indexes it touches, what it tells.

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::{IndexOrigin, IndexStep, Model, SyncEvent, SyncOptions, testing};
use mongodb::Database;

use crate::harness::on_both_stores;
use crate::models::{Ctx, User, open_policy};

macro_rules! release {
    ($model:ident [$($index:tt)*]) => {
        #[derive(Clone, Model)]
        #[model(collection = "releases", $($index)*)]
        struct $model {
            #[model(id)]
            id: Id<$model>,
            #[model(tenant)]
            org: TenantId,
            a: i32,
            b: String,
        }

        impl BaseModel for $model {
            type Actor = User;

            open_policy!(Self, Ctx);
        }
    };
}

release!(First[index(a, name = "old")]);
release!(Second[index(a, b, name = "new", replaces = "old")]);
release!(SameKeys[index(a, unique, name = "newer", replaces = "old")]);
release!(Nothing []);
release!(OneText[index(b = text, name = "words")]);
release!(OtherText[index(b = text(3), global, replaces = "words")]);
release!(UniqueB [index(b, unique), index(a)]);

fn handle<M: BaseModel>(database: &Database) -> Db {
    Db::mongo(database.clone()).model::<M>().build_lazy().unwrap()
}

async fn names(database: &Database) -> Vec<String> {
    let mut names = database
        .collection::<Document>("releases")
        .list_index_names()
        .await
        .unwrap();
    names.sort();
    names
}

/// What is superseded goes without being asked for, once its successor is there: also where the keys are the same, and
/// where there is room for one only.
#[tokio::test]
async fn what_is_replaced_goes_after_its_successor_is_there() {
    let database = model_tests::server::fresh_database().await;
    handle::<First>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    let db = handle::<Second>(&database);
    let plan = db.plan_indexes().await.unwrap().to_string();
    let expected = [
        r#"+ create releases: new { "org": 1, "a": 1, "b": 1 }"#,
        r#"- extra releases: old { "org": 1, "a": 1 } (superseded)"#,
    ];
    assert_eq!(plan.lines().collect::<Vec<_>>(), expected);
    let mut told = Vec::new();
    let sync = db.sync_indexes(SyncOptions::new()).on_progress(|event| {
        if let SyncEvent::Begun { step, number, of } = event {
            told.push(format!(
                "{number}/{of} {}",
                step.to_string().split(' ').next().unwrap()
            ));
        } else if let SyncEvent::Done { .. } = event {
            told.push("done".to_owned());
        }
    });
    sync.await.unwrap();
    assert_eq!(told, ["1/2 +", "done", "2/2 -", "done"]);
    assert_eq!(names(&database).await, ["_id_", "new"]);
    db.check_indexes().await.unwrap();

    database.drop().await.unwrap();
    handle::<First>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    handle::<SameKeys>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    assert_eq!(names(&database).await, ["_id_", "newer"]);

    database.drop().await.unwrap();
    handle::<OneText>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    let other = handle::<OtherText>(&database);
    other.sync_indexes(SyncOptions::new()).await.unwrap();
    assert_eq!(names(&database).await, ["_id_", "b_text"]);
    other.check_indexes().await.unwrap();
}

/// A successor that cannot be built leaves what it was to replace.
#[tokio::test]
async fn what_is_replaced_stays_if_its_successor_cannot_be_built() {
    let database = model_tests::server::fresh_database().await;
    handle::<First>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    let documents = [1, 2].map(|id| doc! { "_id": id, "org": "acme", "a": 5, "b": "canary" });
    let collection = database.collection::<Document>("releases");
    collection.insert_many(documents).await.unwrap();
    let db = handle::<SameKeys>(&database);
    let error = db
        .sync_indexes(SyncOptions::new().drop_extra(true))
        .await
        .unwrap_err();
    assert!(error.is_duplicate(), "{error}");
    assert_eq!(names(&database).await, ["_id_", "old"]);
}

/// What others have made is shown, and touched only where that is asked for.
#[tokio::test]
async fn what_others_have_made_stays() {
    let database = model_tests::server::fresh_database().await;
    handle::<First>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    let theirs = doc! { "key": { "b": 1 }, "name": "theirs" };
    database
        .run_command(doc! { "createIndexes": "releases", "indexes": [theirs] })
        .await
        .unwrap();
    let db = handle::<Nothing>(&database);
    let report = db.sync_indexes(SyncOptions::new()).await.unwrap();
    assert_eq!((report.done.len(), report.left.len()), (0, 2));
    let report = db
        .sync_indexes(SyncOptions::new().drop_extra(true))
        .await
        .unwrap();
    assert_eq!(names(&database).await, ["_id_", "theirs"]);
    assert!(
        matches!(
            report.left.as_slice(),
            [IndexStep::Extra {
                origin: IndexOrigin::Foreign,
                ..
            }]
        ),
        "{report:?}"
    );
    let error = db.check_indexes().await.unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_configuration() && text.contains(r#"- extra releases: theirs { "b": 1 } (made by others)"#),
        "{text}"
    );
    db.sync_indexes(SyncOptions::new().drop_foreign(true))
        .await
        .unwrap();
    assert_eq!(names(&database).await, ["_id_"]);
    db.check_indexes().await.unwrap();
}

/// Hidden by one sync, dropped by the next: a hidden index is a plan's business as before.
#[tokio::test]
async fn an_index_can_be_hidden_before_it_goes() {
    let database = model_tests::server::fresh_database().await;
    handle::<First>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    let db = handle::<Nothing>(&database);
    let careful = SyncOptions::new().drop_extra(true).hide_first(true);
    let report = db.sync_indexes(careful).await.unwrap();
    assert_eq!((report.done.len(), report.hidden.len()), (0, 1));
    assert_eq!(names(&database).await, ["_id_", "old"]);
    let plan = db.plan_indexes().await.unwrap().to_string();
    assert_eq!(plan, r#"- extra releases: old { "org": 1, "a": 1 } (hidden)"#);
    // Declared again, it comes back.
    let again = handle::<First>(&database);
    assert_eq!(
        again.plan_indexes().await.unwrap().to_string(),
        "~ show releases: old"
    );
    again.sync_indexes(SyncOptions::new()).await.unwrap();
    again.check_indexes().await.unwrap();
    for _ in 0..2 {
        db.sync_indexes(careful).await.unwrap();
    }
    assert_eq!(names(&database).await, ["_id_"]);
}

on_both_stores! {
    /// The documents in the way are named by their ids, not by what is in them; nothing is built halfway.
    async fn duplicates_are_named_by_their_ids(stage: Stage) {
        let db = stage.builder().model::<UniqueB>().build_lazy().unwrap();
        let raw = |id: &str, b: Bson| doc! { "_id": id, "org": "acme", "a": 1, "b": b };
        for (id, b) in [
            ("one", "canary".into()), ("two", "canary".into()), ("three", "other".into()),
            ("four", Bson::Array(vec!["x".into(), "x".into()])), ("five", Bson::Array(vec!["y".into(), "x".into()])),
            ("six", Bson::Array(Vec::new())), ("seven", Bson::Null),
        ] {
            testing::store_raw(&db, "releases", &raw(id, b)).await.unwrap();
        }
        let error = db.sync_indexes(SyncOptions::new()).await.unwrap_err();
        let text = error.to_string();
        assert!(error.is_duplicate() && error.index() == Some("org_1_b_1_unique"), "{text}");
        for part in ["one", "two", "four", "five"] {
            assert!(text.contains(&format!("\"{part}\"")), "{text}");
        }
        for part in ["canary", "three", "six", "seven"] {
            assert!(!text.contains(part), "{text}");
        }
        let left = db.plan_indexes().await.unwrap();
        assert_eq!(left.steps.len(), 1, "{left}");
    }

    /// An empty array and an absent field are two keys, and one document may have one key twice.
    async fn what_only_looks_like_a_duplicate_is_none(stage: Stage) {
        let db = stage.builder().model::<UniqueB>().build_lazy().unwrap();
        for (id, b) in [("one", Bson::Array(Vec::new())), ("two", Bson::Null), ("three", Bson::Array(vec!["x".into(), "x".into()]))] {
            let raw = doc! { "_id": id, "org": "acme", "a": 1, "b": b };
            testing::store_raw(&db, "releases", &raw).await.unwrap();
        }
        db.sync_indexes(SyncOptions::new()).await.unwrap();
        db.check_indexes().await.unwrap();
    }
}
