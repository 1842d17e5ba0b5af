//! `build()`: nothing connects, builds or drops by surprise, and what is wrong is said with what to do.

use std::time::{Duration, Instant};

use model_core::ModelExt;
use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing;

use crate::harness::{Stage, on_both_stores};
use crate::models::{Member, NewNote, Note, Plan, Project, User, Widget};

on_both_stores! {
    /// A model with encrypted fields needs a keyring, at once.
    async fn encryption_needs_a_keyring(stage: Stage) {
        let error = stage.builder().model::<Widget>().build().await.unwrap_err();
        assert!(error.is_configuration(), "{error}");
        assert_eq!(error.model(), Some("Widget"));
        assert!(error.to_string().contains(".keys("), "{error}");
    }

    /// A password alone does without a keyring: its hash is stored as a PHC string.
    async fn a_password_does_without_a_keyring(stage: Stage) {
        let (policy, limits) = testing::fast_passwords();
        let db = stage.builder().passwords(policy, limits).model::<Member>().build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let password = NewPassword::new("correct horse".to_owned()).unwrap();
        let new = crate::models::NewMember { email: "a@example.com".into(), password };
        let member = Member::create(&ctx, new).await.unwrap();
        let stored = testing::stored(&db, "members").await.unwrap();
        assert!(stored[0].get_str("password").unwrap().starts_with("$argon2id$"));
        let candidate = model_core::crypto::Candidate::new("correct horse".to_owned());
        let verdict = ctx.verify_password(Some(&member.password), &candidate).await.unwrap();
        assert!(matches!(verdict, model_core::crypto::Verdict::Match { .. }));
    }

    /// Only registered models are reached.
    async fn an_unregistered_model_is_refused(stage: Stage) {
        let db = stage.builder().model::<Note>().build().await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let error = Plan::query(&ctx).await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains(".model::"), "{error}");
    }

    /// Duplicates in the way of a unique index are an error that names the index; the other indexes are built.
    async fn duplicates_stop_a_unique_index(stage: Stage) {
        let db = stage.builder().keys(testing::keyring().unwrap()).model::<Project>().model::<Widget>().build_lazy().unwrap();
        for id in ["prj_a", "prj_b"] {
            let document = bson::doc! { "_id": id, "organization": "acme", "name": "same" };
            testing::store_raw(&db, "projects", &document).await.unwrap();
        }
        let error = db.sync_indexes(SyncOptions::default()).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert!(error.to_string().contains("name"), "{error}");
        let plan = db.plan_indexes().await.unwrap().to_string();
        assert!(plan.contains("projects") && !plan.contains("widgets"), "{plan}");
    }
}

/// A unique index that is not there is no promise: `build()` refuses and says what to call.
#[tokio::test]
async fn a_missing_unique_index_is_refused() {
    let stage = Stage::mongo().await;
    let db = stage.builder().model::<Project>().build_lazy().unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    let error = Project::query(&ctx).await.unwrap_err();
    assert!(error.is_configuration(), "{error}");
    assert!(error.to_string().contains("sync_indexes"), "{error}");
    let plan = db.plan_indexes().await.unwrap();
    assert!(!plan.is_empty());
    assert!(plan.to_string().contains("organization_1_name_1"), "{plan}");
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    assert!(db.plan_indexes().await.unwrap().is_empty());
    assert_eq!(Project::query(&ctx).count().await.unwrap(), 0);
}

/// A server that is down is an error within the configured time, not a hang.
#[tokio::test]
async fn a_server_that_is_down_is_an_error() {
    let uri = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300&connectTimeoutMS=300";
    let database = mongodb::Client::with_uri_str(uri).await.unwrap().database("down");
    let begin = Instant::now();
    let error = Db::mongo(database).model::<Note>().build().await.unwrap_err();
    assert!(error.is_unavailable() && error.is_retryable(), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

/// On a server without transactions an audited model is refused at start-up, and others work.
#[tokio::test]
async fn a_server_without_transactions_refuses_audited_models() {
    let database = model_tests::server::standalone().await.fresh_database().await;
    let error = Db::mongo(database.clone())
        .model::<Plan>()
        .build()
        .await
        .unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert_eq!((error.model(), error.operation()), (Some("Plan"), Some("build")));
    assert!(error.to_string().contains("replica set"), "{error}");
    let db = Db::mongo(database.clone()).model::<Note>().build().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    Note::create(
        &ctx,
        NewNote {
            text: "a".into(),
            optional: Default::default(),
        },
    )
    .await
    .unwrap();
    let sink = testing::CollectingSink::new();
    let db = Db::mongo(database)
        .audit_to(sink)
        .model::<Plan>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let ctx = db.global_context(User::admin("ada"));
    Plan::create(
        &ctx,
        crate::models::NewPlan {
            code: "x".into(),
            optional: Default::default(),
        },
    )
    .await
    .unwrap();
}
