//! Operations over all documents that a tenant has in a collection, or in all.

use model_core::ModelExt;

use super::model::{Parcel, Thing, rename};
use super::probes;

probes! {
    "migrate_all" => |ctx, _given| async {
        let report = Thing::migrate_all(ctx).batch(1).await?;
        assert_eq!(report.migrated, 1, "{report:?}");
        Ok::<_, model_core::Error>(())
    }.await;
    "MigrateAll::dry_run" => |ctx, _given| Thing::migrate_all(ctx).dry_run(5).await;
    "reencrypt" => |ctx, _given| async {
        let report = Thing::reencrypt(ctx).batch(1).await?;
        assert!(report.rewritten > 0, "{report:?}");
        Ok::<_, model_core::Error>(())
    }.await;
    "Reencrypt::inspect" => |ctx, _given| Thing::reencrypt(ctx).inspect().await;
    "check_stored" => |ctx, _given| Thing::check_stored(ctx).batch(1).await;
    "check_stored" => |ctx, _given| Parcel::check_stored(ctx).await;
    "delete_in_batches" => |ctx, given| Thing::delete_in_batches(ctx, &given.one.id).batch(1).await;
    "DeleteInBatches::purging" => |ctx, given| Thing::delete_in_batches(ctx, &given.one.id).purging().batch(1).await;
    "DeleteInBatches::dry_run" => |ctx, given| Thing::delete_in_batches(ctx, &given.one.id).purging().dry_run().await;
    "Context::erase_tenant" => |ctx, _given| ctx.erase_tenant().batch(1).await;
    "EraseTenant::dry_run" => |ctx, _given| ctx.erase_tenant().dry_run().await;
    "Context::erase_subject" => |ctx, given| ctx.erase_subject(&given.one.id).batch(1).await;
    "EraseSubject::dry_run" => |ctx, given| ctx.erase_subject(&given.one.id).dry_run().await;
    "Context::export_tenant" => |ctx, _given| ctx.export_tenant(&mut Vec::new()).await;
    "ExportTenant::open_secrets" => |ctx, _given| ctx.export_tenant(&mut Vec::new()).open_secrets().await;
    "Context::export_subject" => |ctx, given| ctx.export_subject(&given.one.id, &mut Vec::new()).await;
    "ExportSubject::open_secrets" => |ctx, given| {
        ctx.export_subject(&given.one.id, &mut Vec::new()).open_secrets().await
    };
    "Context::transaction" => |ctx, given| ctx.transaction(|tx| async move {
        Thing::update(&tx, &given.one.id, rename("new")).await?;
        Thing::query(&tx).count().await
    }).await;
}
