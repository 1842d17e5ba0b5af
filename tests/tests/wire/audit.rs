//! What is audited beside audited models, and elsewhere than in the database.

use super::*;

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
