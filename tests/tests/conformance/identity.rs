//! Contract J 36: what a migration makes of a document is the same document, of the same tenant; and who checks the rest.

use bson::Bson;
use model_core::prelude::*;

use crate::harness::{Stage, on_both_stores};
use crate::migrate::{NewShipment, Port, Shipment, ShipmentPatch, old};

fn counted(count: u32) -> ShipmentPatch {
    ShipmentPatch {
        count: Set(count),
        ..Default::default()
    }
}

fn new() -> NewShipment {
    NewShipment {
        name: "Other".into(),
        weight: 1,
        number: "other".into(),
        optional: Default::default(),
    }
}

/// Every path to a document whose migration changes the field of that path fails, and nothing is written.
async fn assert_kept(stage: Stage, mark: &str, path: &str) {
    let port = Port::with(stage, 0).await;
    let mut document = old(7);
    document.insert(mark, true);
    port.store(document.clone()).await;
    let (ctx, id) = (&port.writer, Id::<Shipment>::parse("shp_00007").unwrap());
    let inside = id.clone();
    let failed = [
        Shipment::get(ctx, &id).await.map(drop),
        Shipment::get_many(ctx, [&id]).await.map(drop),
        Shipment::query(ctx).await.map(drop),
        Shipment::update(ctx, &id, counted(5)).await.map(drop),
        Shipment::update_with(ctx, &id, |s| s.count.inc(5))
            .await
            .map(drop),
        Shipment::modify(ctx, &id, |_| Ok(Some(counted(5))))
            .await
            .map(drop),
        Shipment::replace(ctx, &id, new()).await.map(drop),
        Shipment::upsert(ctx, |s| s.id.eq(&id), new(), counted(5))
            .await
            .map(drop),
        Shipment::query(ctx)
            .filter(|s| s.count.eq(0))
            .claim(counted(5))
            .await
            .map(drop),
        Shipment::bulk(ctx).update(id.clone(), counted(5)).await.map(drop),
        Shipment::update_many(ctx, |s| s.count.eq(0), counted(5))
            .await
            .map(drop),
        Shipment::delete_many(ctx, |s| s.count.eq(0)).await.map(drop),
        Shipment::delete(ctx, &id).await.map(drop),
        Shipment::purge(ctx, &id).await.map(drop),
        ctx.transaction(|tx| async move { Shipment::update(&tx, &inside, counted(5)).await })
            .await
            .map(drop),
    ];
    for (position, result) in failed.into_iter().enumerate() {
        let error = result.expect_err(&position.to_string());
        assert!(error.is_decode(), "{position}: {error}");
        assert_eq!(error.path(), Some(path), "{position}: {error}");
    }
    assert_eq!(port.stored().await, [document]);
    assert!(port.log().await.is_empty());
}

on_both_stores! {
    /// A migration does not hand a document to another tenant.
    async fn a_migration_keeps_the_tenant(stage: Stage) {
        assert_kept(stage, "elsewhere", "organization").await;
    }

    /// Nor does it make another document of it.
    async fn a_migration_keeps_the_id(stage: Stage) {
        assert_kept(stage, "another", "_id").await;
    }

    /// What a migration makes is validated when it is written back, by the next write or by `migrate_all`. A read shows it as
    /// it is, like any stored document.
    async fn a_migration_is_validated_when_it_is_written(stage: Stage) {
        let port = Port::with(stage, 0).await;
        let mut short = old(1);
        short.insert("title", "x");
        port.store(short.clone()).await;
        let id = Id::<Shipment>::parse("shp_00001").unwrap();
        assert_eq!(Shipment::fetch(&port.writer, &id).await.unwrap().name, "x");
        assert_eq!(Shipment::query(&port.writer).await.unwrap().len(), 1);
        let written = [
            Shipment::update(&port.writer, &id, counted(5)).await.map(drop),
            Shipment::update_with(&port.writer, &id, |s| s.count.inc(5)).await.map(drop),
            Shipment::update_many(&port.writer, |s| s.count.eq(0), counted(5)).await.map(drop),
        ];
        for error in written.map(Result::unwrap_err) {
            assert!(error.is_invalid(), "{error}");
            assert_eq!(error.violations()[0].path, "name");
        }
        let done = Shipment::migrate_all(&port.job()).await.unwrap();
        assert!(done.failed.len() == 1 && done.failed[0].is_invalid(), "{:?}", done.failed);
        assert_eq!(port.stored().await, [short]);
        let patch = ShipmentPatch { name: Set("Long enough".into()), ..Default::default() };
        Shipment::update(&port.writer, &id, patch).await.unwrap();
        let stored = port.stored().await.remove(0);
        assert_eq!((stored.get("_sv"), stored.get("title")), (Some(&Bson::Int32(3)), None));
        assert_eq!(stored.get_str("name").unwrap(), "Long enough");
    }
}
