//! Contract K 43: the server itself refuses what another client writes wrongly, and nothing that we write.

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use model_core::prelude::*;
use model_core::{Model, testing};
use mongodb::Database;

use crate::harness::Stage;
use crate::models::{Ctx, User, open_policy};

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
struct Limits {
    #[model(range(0..=100))]
    per_day: u16,
    #[model(len(..=5))]
    label: Option<String>,
    #[model(default)]
    below: Vec<Limits>,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
enum Status {
    Open,
    InReview,
}

#[derive(Clone, Embedded)]
#[model(tag = "kind", rename_all = "lowercase")]
enum Source {
    Unknown,
    Link { href: String },
    Files(Vec<String>),
}

#[derive(Clone, Model)]
#[model(collection = "guarded", id_prefix = "grd_", validator)]
struct Guarded {
    #[model(id)]
    id: Id<Guarded>,
    #[model(tenant)]
    org: TenantId,
    #[model(trim, len(2..=8), pattern = "^[a-z]+$")]
    name: String,
    #[model(pattern = r"^\d+$")]
    digits: Option<String>,
    #[model(one_of("a", "b"))]
    grade: Option<String>,
    #[model(items(..=2), len(..=3))]
    tags: Vec<String>,
    #[model(range(0..=10))]
    rank: i64,
    #[model(range(..=0.1))]
    share: f32,
    limits: Limits,
    status: Status,
    source: Source,
    labels: std::collections::BTreeMap<String, i32>,
    any: bson::Bson,
    token: Encrypted<String>,
    spare: Option<Encrypted<String>>,
    password: PasswordHash,
    #[model(created_at)]
    created: DateTime<Utc>,
}

#[derive(Clone, Model)]
#[model(
    collection = "guarded",
    id_prefix = "grd_",
    validator(level = "moderate", action = "warn")
)]
struct Relaxed {
    #[model(id)]
    id: Id<Relaxed>,
    #[model(tenant)]
    org: TenantId,
    #[model(len(2..=9))]
    name: String,
}

#[derive(Clone, Model)]
#[model(collection = "guarded", id_prefix = "grd_")]
struct Unguarded {
    #[model(id)]
    id: Id<Unguarded>,
    #[model(tenant)]
    org: TenantId,
}

macro_rules! open {
    ($($model:ident),*) => {$(
        impl BaseModel for $model {
            type Actor = User;

            open_policy!(Self, Ctx);
        }
    )*};
}

open!(Guarded, Relaxed, Unguarded);

async fn handle<M: BaseModel>(database: &Database) -> Db {
    let (policy, limits) = testing::fast_passwords();
    let builder = Db::mongo(database.clone()).keys(testing::keyring().unwrap());
    builder
        .passwords(policy, limits)
        .model::<M>()
        .build()
        .await
        .unwrap()
}

fn new(name: &str, source: Source) -> NewGuarded {
    NewGuarded {
        name: name.into(),
        tags: vec!["x".into(), "y".into()],
        rank: 10,
        share: 0.1,
        limits: Limits {
            per_day: 100,
            label: None,
            below: vec![Limits {
                per_day: 0,
                label: Some("five5".into()),
                below: Vec::new(),
            }],
        },
        status: Status::InReview,
        source,
        labels: [("k".to_owned(), 1)].into(),
        any: doc! { "whatever": [1, "x"] }.into(),
        token: Secret::from("tok"),
        password: NewPassword::new("correct horse battery".to_owned()).unwrap(),
        optional: NewGuardedOptional {
            digits: Some("123".into()),
            grade: Some("b".into()),
            spare: Some(Secret::from("spare")),
        },
    }
}

/// A document that our codec could have written.
async fn stored() -> (Database, Document) {
    let database = model_tests::server::fresh_database().await;
    let db = handle::<Guarded>(&database).await;
    db.sync_validators().await.unwrap();
    db.check_validators().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    for source in [
        Source::Link { href: "x".into() },
        Source::Files(vec!["f".into()]),
        Source::Unknown,
    ] {
        let guarded = Guarded::create(&ctx, new(" widget ", source)).await.unwrap();
        let patch = GuardedPatch {
            grade: Set(None),
            spare: Set(None),
            rank: Set(0),
            ..Default::default()
        };
        Guarded::update(&ctx, &guarded.id, patch).await.unwrap();
    }
    let mut all = testing::stored(&db, "guarded").await.unwrap();
    (database, all.remove(0))
}

fn set(document: &mut Document, path: &str, value: Bson) {
    match path.split_once('.') {
        Some((first, rest)) => set(document.get_document_mut(first).unwrap(), rest, value),
        None => drop(document.insert(path, value)),
    }
}

/// What other clients get wrong, one thing at a time; and what they may well do.
#[tokio::test]
async fn another_client_is_refused_what_we_could_not_read() {
    let (database, valid) = stored().await;
    let collection = database.collection::<Document>("guarded");
    let many = |items: &[&str]| Bson::Array(items.iter().map(|item| (*item).into()).collect());
    let bytes = |subtype| {
        Bson::Binary(Binary {
            subtype,
            bytes: vec![0xE1; 60],
        })
    };
    let wrong: Vec<(&str, Bson)> = vec![
        ("_id", "wgt_1".into()),
        ("_id", bson::oid::ObjectId::from_bytes([7; 12]).into()),
        ("org", Bson::Null),
        ("name", 5.into()),
        ("name", "x".into()),
        ("name", "toolonganame".into()),
        ("name", "UPPER".into()),
        // A digit is one of ASCII's, and the end is the end, on the server as in the engine.
        ("digits", "١٢٣".into()),
        ("digits", "123\n".into()),
        ("grade", "c".into()),
        ("tags", "x".into()),
        ("tags", many(&["a", "b", "c"])),
        ("tags", many(&["abcd"])),
        ("tags", Bson::Array(vec![Bson::Null])),
        ("rank", 11.into()),
        ("rank", (-1).into()),
        ("rank", 1.5.into()),
        ("rank", "1".into()),
        ("limits", Bson::Null),
        ("limits.perDay", 101.into()),
        ("limits.perDay", Bson::Null),
        ("limits.label", "longer".into()),
        ("limits.below", Bson::Array(vec![5.into()])),
        ("status", "Open".into()),
        ("status", doc! { "kind": "open" }.into()),
        ("source", doc! { "kind": "link" }.into()),
        ("source", doc! { "kind": "line", "href": "x" }.into()),
        ("source", "link".into()),
        ("labels", doc! { "k": "x" }.into()),
        ("token", "plaintext".into()),
        ("token", Bson::Null),
        ("spare", "plaintext".into()),
        ("password", "hunter2".into()),
        ("created", "2026-01-01".into()),
        ("created", 1_767_225_600_000_i64.into()),
        ("_rev", "1".into()),
    ];
    for (number, (path, value)) in wrong.into_iter().enumerate() {
        let mut document = valid.clone();
        document.insert("_id", format!("grd_wrong{number}"));
        set(&mut document, path, value.clone());
        let outcome = collection.insert_one(&document).await;
        let text = format!("{:?}", outcome.as_ref().map(|_| ()));
        assert!(text.contains("121"), "{path} = {value}: {text}");
    }
    for (number, absent) in ["org", "name", "limits", "source", "token", "created"]
        .into_iter()
        .enumerate()
    {
        let mut document = valid.clone();
        document.insert("_id", format!("grd_absent{number}"));
        document.remove(absent);
        assert!(
            collection.insert_one(&document).await.is_err(),
            "{absent} is absent"
        );
    }
    let fine: Vec<(&str, Bson)> = vec![
        ("unknown", 5.into()),
        ("digits", Bson::Null),
        ("grade", Bson::Null),
        ("rank", 7.0.into()),
        ("rank", 7.into()),
        ("limits.label", Bson::Null),
        ("limits.unknown", true.into()),
        ("source", "unknown".into()),
        ("any", Bson::Null),
        ("spare", bytes(BinarySubtype::Sensitive)),
        (
            "password",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA".into(),
        ),
    ];
    for (number, (path, value)) in fine.into_iter().enumerate() {
        let mut document = valid.clone();
        document.insert("_id", format!("grd_fine{number}"));
        document.remove("_rev");
        set(&mut document, path, value.clone());
        let outcome = collection.insert_one(&document).await;
        assert!(outcome.is_ok(), "{path} = {value}: {outcome:?}");
    }
}

/// Planned and set like indexes: exactly what differs, and nothing after that; what others have set stays.
#[tokio::test]
async fn a_plan_of_validators_shows_exactly_the_drift() {
    let database = model_tests::server::fresh_database().await;
    let db = handle::<Relaxed>(&database).await;
    let plan = db.plan_validators().await.unwrap();
    assert_eq!(
        plan.to_string(),
        "+ validator guarded (level moderate, action warn)"
    );
    assert!(db.check_validators().await.unwrap_err().is_configuration());
    db.sync_validators().await.unwrap();
    assert_eq!(
        db.plan_validators().await.unwrap().to_string(),
        "the validators are as declared"
    );

    // By other hands: another level, another bound.
    database
        .run_command(doc! { "collMod": "guarded", "validationLevel": "strict" })
        .await
        .unwrap();
    let plan = db.plan_validators().await.unwrap();
    assert_eq!(plan.to_string(), "~ validator guarded (differs: validationLevel)");
    db.sync_validators().await.unwrap();
    let listed = database
        .run_command(doc! { "listCollections": 1, "filter": { "name": "guarded" } })
        .await
        .unwrap();
    let batch = listed
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap();
    let options = batch[0].as_document().unwrap().get_document("options").unwrap();
    let mut validator = options.get_document("validator").unwrap().clone();
    let properties = validator
        .get_document_mut("$jsonSchema")
        .unwrap()
        .get_document_mut("properties")
        .unwrap();
    properties
        .get_document_mut("name")
        .unwrap()
        .insert("maxLength", 10);
    database
        .run_command(doc! { "collMod": "guarded", "validator": validator })
        .await
        .unwrap();
    let plan = db.plan_validators().await.unwrap();
    assert_eq!(plan.to_string(), "~ validator guarded (differs: name.maxLength)");
    db.sync_validators().await.unwrap();
    db.check_validators().await.unwrap();
    // A warning is no refusal.
    let collection = database.collection::<Document>("guarded");
    collection
        .insert_one(doc! { "_id": "grd_1", "org": 5 })
        .await
        .unwrap();

    // No longer declared: what a sync has set, one removes; what others have set stays.
    let db = handle::<Unguarded>(&database).await;
    assert_eq!(
        db.plan_validators().await.unwrap().to_string(),
        "- validator guarded"
    );
    db.sync_validators().await.unwrap();
    db.check_validators().await.unwrap();
    let theirs = doc! { "collMod": "guarded", "validator": { "org": { "$type": "string" } } };
    database.run_command(theirs).await.unwrap();
    assert!(db.plan_validators().await.unwrap().is_empty());
}

/// Nobody else writes there.
#[tokio::test]
async fn the_embedded_store_has_no_validators() {
    let db = Stage::memory()
        .builder()
        .model::<Relaxed>()
        .build()
        .await
        .unwrap();
    assert!(db.sync_validators().await.unwrap_err().is_unsupported());
    let db = Stage::memory()
        .builder()
        .model::<Unguarded>()
        .build()
        .await
        .unwrap();
    assert!(db.sync_validators().await.unwrap().is_empty());
}
