//! Many documents at once, and transactions of the application's own.

use bson::doc;
use model_core::prelude::*;
use model_core::{Error, testing};

use super::{Act, Audited, Plain, Wire, new_audited, new_plain, rename_audited, rename_plain};

/// However many documents: one command of a kind, in a transaction.
#[tokio::test]
async fn a_batch_is_one_command() {
    let wire = Wire::new().await;
    let plains = || (0..300).map(|i| new_plain(&format!("p{i}")));
    let (_, sent) = wire
        .sends(async { Plain::create_many(&wire.ctx, plains()).await.unwrap() })
        .await;
    assert_eq!(sent, ["insert", "commitTransaction"]);
    let rename = async {
        Plain::update_many(&wire.ctx, |p| p.name.starts_with("p"), rename_plain("q"))
            .await
            .unwrap()
    };
    let (report, sent) = wire.sends(rename).await;
    assert_eq!(report.written, 300);
    assert_eq!(sent, ["find", "update", "commitTransaction"]);
    let delete = async { Plain::delete_many(&wire.ctx, |p| p.name.eq("q")).await.unwrap() };
    let (report, sent) = wire.sends(delete).await;
    assert_eq!(report.written, 300);
    assert_eq!(sent, ["find", "delete", "commitTransaction"]);
}

/// In the order of what no write changes, so that nothing is remembered of the documents that came.
#[tokio::test]
async fn a_write_by_filter_goes_by_the_id() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.log.take();
    let renamed = Plain::update_many(&wire.ctx, |p| p.name.eq("a"), rename_plain("b")).await;
    assert_eq!(renamed.unwrap().written, 1);
    Plain::delete_many(&wire.ctx, |p| p.name.eq("b"))
        .limit(1)
        .await
        .unwrap();
    let sent = wire.log.take();
    let finds = sent.iter().filter(|sent| sent.name == "find");
    let sorts: Vec<_> = finds
        .map(|find| find.body.get_document("sort").unwrap().clone())
        .collect();
    assert_eq!(sorts, [doc! { "_id": 1 }, doc! { "_id": 1 }]);
}

/// The entries of a batch are one more command.
#[tokio::test]
async fn an_audited_batch_is_one_command_more() {
    let wire = Wire::new().await;
    let audited = || (0..3).map(|i| new_audited(&format!("a{i}")));
    let (_, sent) = wire
        .sends(async { Audited::create_many(&wire.ctx, audited()).await.unwrap() })
        .await;
    assert_eq!(sent, ["insert", "insert", "commitTransaction"]);
    let rename = async {
        Audited::update_many(&wire.ctx, |a| a.name.starts_with("a"), rename_audited("b"))
            .await
            .unwrap()
    };
    let (_, sent) = wire.sends(rename).await;
    assert_eq!(sent, ["find", "update", "insert", "commitTransaction"]);
    let delete = async { Audited::delete_many(&wire.ctx, |a| a.name.eq("b")).await.unwrap() };
    let (_, sent) = wire.sends(delete).await;
    assert_eq!(sent, ["find", "delete", "insert", "commitTransaction"]);
    assert_eq!(testing::stored(&wire.db, "audit_log").await.unwrap().len(), 9);
}

/// Operations of several kinds: one read for all, one command for neighbours of one kind.
#[tokio::test]
async fn a_mixed_bulk_groups_neighbours() {
    let wire = Wire::new().await;
    let old = Plain::create_many(&wire.ctx, ["a", "b", "c"].map(new_plain))
        .await
        .unwrap();
    let ids: Vec<_> = old.into_iter().map(|one| one.id).collect();
    let bulk = Plain::bulk(&wire.ctx)
        .create(new_plain("d"))
        .create(new_plain("e"))
        .update(ids[0].clone(), rename_plain("aa"))
        .update(ids[1].clone(), rename_plain("bb"))
        .delete(ids[2].clone());
    let (_, sent) = wire.sends(async { bulk.await.unwrap() }).await;
    assert_eq!(sent, ["find", "insert", "update", "delete", "commitTransaction"]);
}

/// A rival between the read and the write: one read more tells, and the batch is read and judged again.
#[tokio::test]
async fn a_lost_batch_is_one_read_more_and_begins_again() {
    let wire = Wire::new().await;
    Plain::create_many(&wire.ctx, ["a", "b"].map(new_plain))
        .await
        .unwrap();
    wire.rival.will(Act::Change(wire.unrecorded("plain").await));
    let rename = async {
        Plain::update_many(&wire.ctx, |p| p.name.ne("z"), rename_plain("z"))
            .await
            .unwrap()
    };
    let (report, sent) = wire.sends(rename).await;
    assert_eq!((report.matched, report.written), (2, 2));
    assert_eq!(
        sent,
        [
            "find",
            "update",
            "find",
            "abortTransaction",
            "find",
            "update",
            "commitTransaction"
        ]
    );
}

/// Upsert: a look-up by the key, then a create or an update; a claim: candidates, then an update.
#[tokio::test]
async fn upserts_and_claims() {
    let wire = Wire::new().await;
    let upsert = || Plain::upsert(&wire.ctx, |p| p.code.eq("c1"), coded("a"), rename_plain("b"));
    let (created, sent) = wire.sends(async { upsert().await.unwrap() }).await;
    assert!(created.is_created());
    assert_eq!(sent, ["find", "insert"]);
    let (updated, sent) = wire.sends(async { upsert().await.unwrap() }).await;
    assert_eq!(updated.into_document().name, "b");
    assert_eq!(sent, ["find", "find", "update"]);
    let claim = async {
        let open = Plain::query(&wire.ctx).filter(|p| p.name.eq("b"));
        open.claim(rename_plain("taken")).await.unwrap()
    };
    let (claimed, sent) = wire.sends(claim).await;
    assert!(claimed.is_some());
    assert_eq!(sent, ["find", "find", "update"]);
}

fn coded(name: &str) -> super::NewPlain {
    let mut new = new_plain(name);
    new.optional.code = Some("c1".into());
    new
}

/// A transaction of the application's own adds its commit, and takes audit entries along.
#[tokio::test]
async fn a_transaction_adds_its_commit() {
    let wire = Wire::new().await;
    let work = wire.ctx.transaction(|tx| async move {
        let plain = Plain::create(&tx, new_plain("a")).await?;
        Audited::create(&tx, new_audited("a")).await?;
        Plain::update(&tx, &plain.id, rename_plain("b")).await?;
        Plain::delete(&tx, &plain.id).await?;
        assert_eq!(Plain::query(&tx).count().await?, 0);
        Ok::<_, Error>(())
    });
    let (result, sent) = wire.sends(work).await;
    result.unwrap();
    assert_eq!(
        sent,
        [
            "insert",
            "insert",
            "insert",
            "find",
            "update",
            "find",
            "delete",
            "aggregate",
            "commitTransaction"
        ]
    );
    let undone = wire.ctx.transaction(|tx| async move {
        Plain::create(&tx, new_plain("a")).await?;
        Err::<(), _>(Error::refused("no"))
    });
    let (result, sent) = wire.sends(undone).await;
    assert!(result.unwrap_err().is_refused());
    assert_eq!(sent, ["insert", "abortTransaction"]);
}

/// What failed in a transaction has ended it: whatever is asked of it afterwards, it is not begun anew, which would have no
/// other end.
#[tokio::test]
async fn a_transaction_that_failed_is_not_begun_anew() {
    let wire = Wire::new().await;
    let id = &wire.plain("a").await.id;
    let work = wire.ctx.transaction(|tx| async move {
        let again = Plain::create_with_id(&tx, id.clone(), new_plain("b")).await;
        assert!(again.unwrap_err().is_duplicate());
        Plain::query(&tx).await
    });
    let work = tokio::time::timeout(std::time::Duration::from_secs(30), work);
    let (result, sent) = wire.sends(work).await;
    assert!(result.unwrap().is_err());
    assert_eq!(sent, ["insert", "find", "abortTransaction"]);
}
