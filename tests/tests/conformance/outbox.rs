//! Audit entries that wait inside the document, on servers without transactions too.

use bson::{Bson, doc};
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{change, on_both_stores};
use crate::models::{NewParcel, Parcel, ParcelPatch, User};

fn parcel(text: &str) -> NewParcel {
    NewParcel {
        text: text.into(),
        optional: Default::default(),
    }
}

fn text(text: &str) -> ParcelPatch {
    ParcelPatch {
        text: Set(text.into()),
        ..Default::default()
    }
}

on_both_stores! {
    /// The entries are in the document's own write; the relay moves each once, in order, and leaves the document as it was.
    async fn entries_wait_and_move(stage: Stage) {
        let shop = stage.shop().await;
        let created = Parcel::create(&shop.admin, parcel("a")).await.unwrap();
        shop.tick();
        Parcel::update(&shop.admin, &created.id, text("b")).await.unwrap();
        assert!(shop.audit_log().await.is_empty());
        let stored = shop.stored_one("parcels").await;
        assert_eq!(stored.get_array("_outbox").unwrap().len(), 2);
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 2);
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 0);
        let mut settled = shop.stored_one("parcels").await;
        assert!(!settled.contains_key("_outbox"));
        settled.insert("_outbox", stored.get_array("_outbox").unwrap().clone());
        assert_eq!(settled.get("_rev"), stored.get("_rev"));
        let log = shop.audit_log().await;
        let events: Vec<_> = log.iter().map(|entry| entry.get_str("event").unwrap()).collect();
        assert_eq!(events, ["parcel.create", "parcel.update"]);
        assert_eq!(change(&log[1], "text").unwrap(), &doc! { "path": "text", "before": "a", "after": "b" });
        assert_eq!(Parcel::fetch(&shop.admin, &created.id).await.unwrap().text, "b");
    }

    /// A deleted document is gone for every reader at once, and from the store with its last entry.
    async fn a_deleted_document_leaves_with_its_entry(stage: Stage) {
        let shop = stage.shop().await;
        let created = Parcel::create(&shop.admin, parcel("a")).await.unwrap();
        Parcel::create(&shop.admin, parcel("kept")).await.unwrap();
        assert!(Parcel::delete(&shop.admin, &created.id).await.unwrap());
        assert!(!Parcel::delete(&shop.admin, &created.id).await.unwrap());
        assert!(Parcel::get(&shop.admin, &created.id).await.unwrap().is_none());
        assert_eq!(Parcel::query(&shop.admin).count().await.unwrap(), 1);
        assert_eq!(Parcel::query(&shop.admin).with_deleted().await.unwrap().len(), 1);
        assert!(Parcel::update(&shop.admin, &created.id, text("b")).await.unwrap_err().is_not_found());
        assert!(!Parcel::restore(&shop.admin, &created.id).await.unwrap());
        assert_eq!(shop.stored("parcels").await.len(), 2);
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 3);
        assert_eq!(shop.stored_one("parcels").await.get_str("text").unwrap(), "kept");
        assert_eq!(shop.audit_log().await.len(), 3);
    }

    /// A relay that died between the two steps moves nothing twice.
    async fn a_relay_may_die_anywhere(stage: Stage) {
        let shop = stage.shop().await;
        Parcel::create(&shop.admin, parcel("a")).await.unwrap();
        let waiting = shop.stored_one("parcels").await.get_array("_outbox").unwrap().clone();
        let entry = waiting[0].as_document().unwrap().get_document("entry").unwrap().clone();
        // It had written the entry and not yet taken it out of the document.
        shop.store_raw("audit_log", entry).await;
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 0);
        assert_eq!(shop.audit_log().await.len(), 1);
        assert!(!shop.stored_one("parcels").await.contains_key("_outbox"));
    }

    /// An outbox that cannot be read is not written over.
    async fn a_malformed_outbox_is_left_alone(stage: Stage) {
        let shop = stage.shop().await;
        let id: Id<Parcel> = Id::generate();
        shop.store_raw("parcels", doc! { "_id": id.to_bson(), "organization": "acme", "text": "a", "_outbox": "junk" }).await;
        let error = Parcel::update(&shop.admin, &id, text("b")).await.unwrap_err();
        assert!(error.is_decode(), "{error}");
        assert_eq!(shop.stored_one("parcels").await.get_str("_outbox").unwrap(), "junk");
    }

    /// Bulk writes embed theirs, secrets stay out, and other documents' entries are not touched.
    async fn bulk_writes_embed_theirs(stage: Stage) {
        let shop = stage.shop().await;
        let mut secret = parcel("s");
        secret.optional.secret = Some(Secret::new("canary".to_owned()));
        Parcel::create_many(&shop.admin, [parcel("a"), parcel("b"), secret]).await.unwrap();
        Parcel::update_many(&shop.admin, |l| l.text.ne("a"), text("c")).await.unwrap();
        Parcel::delete_many(&shop.admin, |l| l.text.eq("a")).await.unwrap();
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 6);
        let log = shop.audit_log().await;
        assert!(!format!("{log:?}").contains("canary"));
        assert_eq!(shop.stored("parcels").await.len(), 2);
    }

    /// A sink of the application's own is fed from the outbox.
    async fn a_sink_is_fed(stage: Stage) {
        let (shop, sink) = stage.shop_with_sink().await;
        Parcel::create(&shop.admin, parcel("a")).await.unwrap();
        assert!(sink.take().is_empty());
        assert_eq!(shop.db.relay_outbox().await.unwrap(), 1);
        let entries = sink.take();
        assert_eq!((entries.len(), entries[0].event.as_str()), (1, "parcel.create"));
    }
}

/// On a server without transactions an audited model is refused, one with an outbox works.
#[tokio::test]
async fn on_a_server_without_transactions() {
    let database = model_tests::server::standalone().await.fresh_database().await;
    let open = || {
        Db::mongo(database.clone())
            .keys(model_core::testing::keyring().unwrap())
            .model::<Parcel>()
    };
    let db = open().build().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    let created = Parcel::create(&ctx, parcel("a")).await.unwrap();
    Parcel::update(&ctx, &created.id, text("b")).await.unwrap();
    Parcel::create_many(&ctx, [parcel("x"), parcel("y")])
        .await
        .unwrap();
    Parcel::update_many(&ctx, |l| l.text.in_(["x", "y"]), text("z"))
        .await
        .unwrap();
    Parcel::delete(&ctx, &created.id).await.unwrap();
    assert_eq!(db.relay_outbox().await.unwrap(), 7);
    let log = model_core::testing::stored(&db, "audit_log").await.unwrap();
    assert_eq!(log.len(), 7);
    assert!(
        log.iter()
            .all(|entry| entry.get("tenant") == Some(&Bson::from("acme")))
    );
    let refused = open().model::<crate::models::Widget>().build().await.unwrap_err();
    assert!(refused.is_unsupported(), "{refused}");
    let refused = open().audit_chain().build().await.unwrap_err();
    assert!(refused.is_unsupported(), "{refused}");
    let refused = ctx
        .transaction(|tx| async move { Parcel::create(&tx, parcel("t")).await })
        .await
        .unwrap_err();
    assert!(refused.is_unsupported(), "{refused}");
}
