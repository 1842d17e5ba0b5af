//! Writes of one document, and what a lost race costs.

use std::future::IntoFuture;

use super::*;

/// Row `create`.
#[tokio::test]
async fn a_create_is_one_insert() {
    let wire = Wire::new().await;
    assert_eq!(wire.sends(wire.plain("a")).await.1, ["insert"]);
    assert_eq!(
        wire.sends(wire.audited("a")).await.1,
        ["insert", "insert", "commitTransaction"]
    );
    let viewer = wire.person(true, false);
    let (denied, sent) = wire
        .sends(async { Audited::create(&viewer, new_audited("b")).await })
        .await;
    assert!(denied.unwrap_err().is_forbidden());
    assert!(sent.is_empty(), "{sent:?}");
    let (invalid, sent) = wire
        .sends(async { Audited::create(&wire.ctx, new_audited("")).await })
        .await;
    assert!(invalid.unwrap_err().is_invalid());
    assert!(sent.is_empty(), "{sent:?}");
}

/// Row `create`, a lost race: `Duplicate`, and nothing of the entry.
#[tokio::test]
async fn a_duplicate_is_one_insert() {
    let wire = Wire::new().await;
    let plain = wire.plain("a").await;
    let again = async { Plain::create_with_id(&wire.ctx, plain.id.clone(), new_plain("b")).await };
    let (error, sent) = wire.sends(again).await;
    assert!(error.unwrap_err().is_duplicate());
    assert_eq!(sent, ["insert"]);
    let audited = wire.audited("a").await;
    let again = async { Audited::create_with_id(&wire.ctx, audited.id.clone(), new_audited("b")).await };
    let (error, sent) = wire.sends(again).await;
    assert!(error.unwrap_err().is_duplicate());
    assert_eq!(sent, ["insert", "abortTransaction"]);
    let log = testing::stored(&wire.db, "audit_log").await.unwrap();
    assert_eq!(log.len(), 1, "the first create's");
}

/// Row `update`.
#[tokio::test]
async fn an_update_is_a_find_and_an_update() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let (updated, sent) = wire
        .sends(async { Plain::update(&wire.ctx, &plain.id, rename_plain("b")).await })
        .await;
    assert_eq!(updated.unwrap().name, "b");
    assert_eq!(sent, ["find", "update"]);
    let update = async { Audited::update(&wire.ctx, &audited.id, rename_audited("b")).await };
    assert_eq!(
        wire.sends(update).await.1,
        ["find", "update", "insert", "commitTransaction"]
    );
}

/// Row `update_with`, `modify`: as an update; a lost race costs the commands of the lost attempt and begins again.
#[tokio::test]
async fn a_computed_update_is_an_update_that_begins_again() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let push = async { Plain::update_with(&wire.ctx, &plain.id, |p| p.tags.push("x")).await };
    let (updated, sent) = wire.sends(push).await;
    assert_eq!(updated.unwrap().tags, ["x"]);
    assert_eq!(sent, ["find", "update"]);
    let same = async { Plain::update_with(&wire.ctx, &plain.id, |p| p.tags.add_to_set("x")).await };
    assert_eq!(wire.sends(same).await.1, ["find"]);
    wire.rival.will(Act::Change(wire.unrecorded("plain").await));
    let push = async { Plain::update_with(&wire.ctx, &plain.id, |p| p.tags.push("y")).await };
    let (updated, sent) = wire.sends(push).await;
    assert_eq!(updated.unwrap().tags, ["x", "y"]);
    assert_eq!(sent, ["find", "update", "find", "find", "update"]);
    wire.rival.will(Act::Change(wire.unrecorded("audited").await));
    let patch = |_: &Audited| Ok(Some(rename_audited("b")));
    let modify = async { Audited::modify(&wire.ctx, &audited.id, patch).await };
    let (updated, sent) = wire.sends(modify).await;
    assert_eq!(updated.unwrap().name, "b");
    let lost = ["find", "update", "find", "abortTransaction"];
    let won = ["find", "update", "insert", "commitTransaction"];
    assert_eq!(sent, [lost, won].concat());
}

/// Row `update` that changes nothing; and those that are denied, missing, invalid or outdated.
#[tokio::test]
async fn what_writes_nothing_is_one_find() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let same = async { Plain::update(&wire.ctx, &plain.id, rename_plain(" a ")).await };
    assert_eq!(wire.sends(same).await.1, ["find"]);
    let same = async { Audited::update(&wire.ctx, &audited.id, rename_audited("a")).await };
    assert_eq!(wire.sends(same).await.1, ["find"]);
    let empty = async { Audited::update(&wire.ctx, &audited.id, AuditedPatch::default()).await };
    assert_eq!(wire.sends(empty).await.1, ["find"]);
    for (person, patch, kind) in [
        (
            wire.person(true, false),
            rename_audited("b"),
            ErrorKind::Forbidden,
        ),
        (wire.person(false, true), rename_audited("b"), ErrorKind::NotFound),
        (wire.person(true, true), rename_audited(""), ErrorKind::Invalid),
    ] {
        let (error, sent) = wire
            .sends(async { Audited::update(&person, &audited.id, patch).await })
            .await;
        assert_eq!(error.unwrap_err().kind(), kind);
        assert_eq!(sent, ["find"], "{kind:?}");
    }
    let missing = Id::generate();
    let (error, sent) = wire
        .sends(async { Audited::update(&wire.ctx, &missing, rename_audited("b")).await })
        .await;
    assert!(error.unwrap_err().is_not_found());
    assert_eq!(sent, ["find"]);
    let outdated = Revision::parse("1").unwrap();
    let update = async {
        Plain::update(&wire.ctx, &plain.id, rename_plain("b"))
            .if_revision(outdated)
            .await
    };
    let (error, sent) = wire.sends(update).await;
    assert!(error.unwrap_err().is_conflict());
    assert_eq!(sent, ["find"]);
    let (deleted, sent) = wire
        .sends(async { Audited::delete(&wire.ctx, &missing).await })
        .await;
    assert!(!deleted.unwrap());
    assert_eq!(sent, ["find"]);
    let viewer = wire.person(true, false);
    let (error, sent) = wire
        .sends(async { Audited::delete(&viewer, &audited.id).await })
        .await;
    assert!(error.unwrap_err().is_forbidden());
    assert_eq!(sent, ["find"]);
}

/// Row `delete`.
#[tokio::test]
async fn a_delete_is_a_find_and_a_delete() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let (deleted, sent) = wire
        .sends(async { Plain::delete(&wire.ctx, &plain.id).await })
        .await;
    assert!(deleted.unwrap());
    assert_eq!(sent, ["find", "delete"]);
    let delete = async { Audited::delete(&wire.ctx, &audited.id).await };
    assert_eq!(
        wire.sends(delete).await.1,
        ["find", "delete", "insert", "commitTransaction"]
    );
}

/// Column "a lost race", of `update`: told apart by one more find; nothing is written, nothing audited.
#[tokio::test]
async fn a_lost_update_is_told_apart_by_one_more_find() {
    let wire = Wire::new().await;
    for (gone, kind) in [(false, ErrorKind::Conflict), (true, ErrorKind::NotFound)] {
        let act = async |name| {
            let collection = wire.unrecorded(name).await;
            wire.rival.will(if gone {
                Act::Remove(collection)
            } else {
                Act::Change(collection)
            });
        };
        let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
        act("plain").await;
        let update = async { Plain::update(&wire.ctx, &plain.id, rename_plain("b")).await };
        let (error, sent) = wire.sends(update).await;
        assert_eq!(error.unwrap_err().kind(), kind);
        assert_eq!(sent, ["find", "update", "find"]);
        act("audited").await;
        let before = testing::stored(&wire.db, "audit_log").await.unwrap().len();
        let update = async { Audited::update(&wire.ctx, &audited.id, rename_audited("b")).await };
        let (error, sent) = wire.sends(update).await;
        assert_eq!(error.unwrap_err().kind(), kind);
        assert_eq!(sent, ["find", "update", "find", "abortTransaction"]);
        assert_eq!(
            testing::stored(&wire.db, "audit_log").await.unwrap().len(),
            before
        );
    }
}

/// Column "a lost race", of `delete`: `Conflict`, or what was asked for if it is gone.
#[tokio::test]
async fn a_lost_delete_is_told_apart_by_one_more_find() {
    let wire = Wire::new().await;
    for gone in [false, true] {
        let act = async |name| {
            let collection = wire.unrecorded(name).await;
            wire.rival.will(if gone {
                Act::Remove(collection)
            } else {
                Act::Change(collection)
            });
        };
        let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
        act("plain").await;
        let (plain, sent) = wire
            .sends(async { Plain::delete(&wire.ctx, &plain.id).await })
            .await;
        assert_eq!(sent, ["find", "delete", "find"]);
        act("audited").await;
        let (audited, sent) = wire
            .sends(async { Audited::delete(&wire.ctx, &audited.id).await })
            .await;
        assert_eq!(sent, ["find", "delete", "find", "abortTransaction"]);
        for result in [plain, audited] {
            match result {
                Ok(deleted) => assert!(gone && !deleted),
                Err(error) => assert!(!gone && error.is_conflict(), "{error}"),
            }
        }
    }
}

/// A transaction that runs into another is begun anew, from its first write.
#[tokio::test]
async fn a_transaction_is_begun_anew() {
    let wire = Wire::new().await;
    let audited = wire.audited("a").await;
    let fail_point = doc! {
        "configureFailPoint": "failCommand",
        "mode": { "times": 2 },
        "data": {
            "failCommands": ["update"],
            "namespace": format!("{}.audited", wire.database.name()),
            "errorCode": 112,
            "errorLabels": ["TransientTransactionError"],
        },
    };
    let admin = model_tests::server::server()
        .await
        .client()
        .await
        .database("admin");
    admin.run_command(fail_point).await.unwrap();
    let update = async { Audited::update(&wire.ctx, &audited.id, rename_audited("b")).await };
    let (updated, sent) = wire.sends(update).await;
    admin
        .run_command(doc! { "configureFailPoint": "failCommand", "mode": "off" })
        .await
        .unwrap();
    assert_eq!(updated.unwrap().name, "b");
    let once = ["update", "abortTransaction"];
    let whole = [
        &["find"][..],
        &once,
        &once,
        &["update", "insert", "commitTransaction"],
    ]
    .concat();
    assert_eq!(sent, whole);
}

/// A write by a key sends what one by the id does: the document is read once. All keys of a bulk are one more `find`.
#[tokio::test]
async fn a_write_by_a_key_is_one_by_the_id() {
    let wire = Wire::new().await;
    for code in ["a", "b", "c"] {
        let mut new = new_audited(code);
        new.optional.code = Some(code.into());
        Audited::create(&wire.ctx, new).await.unwrap();
    }
    let by = |code: &'static str| move |a: &'static AuditedFields| a.code.eq(code);
    let written = ["find", "update", "insert", "commitTransaction"];
    let updated = Audited::update_by(&wire.ctx, by("a"), rename_audited("new"));
    assert_eq!(wire.sends(updated.into_future()).await.1, written);
    let computed = Audited::update_with_by(&wire.ctx, by("a"), |a| a.name.set("newer"));
    assert_eq!(wire.sends(computed.into_future()).await.1, written);
    let deleted = Audited::delete_by(&wire.ctx, by("c"));
    let sent = wire.sends(deleted.into_future()).await.1;
    assert_eq!(sent, ["find", "delete", "insert", "commitTransaction"]);
    let (none, sent) = wire
        .sends(Audited::delete_by(&wire.ctx, by("c")).into_future())
        .await;
    assert!(!none.unwrap());
    assert_eq!(sent, ["find"]);
    let bulk = Audited::bulk(&wire.ctx)
        .update_by(by("a"), rename_audited("newest"))
        .update_by(by("b"), rename_audited("newest"));
    assert_eq!(wire.sends(bulk.into_future()).await.1, written);
}
