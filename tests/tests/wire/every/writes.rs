//! Operations that write.

use model_core::ModelExt;
use model_core::prelude::*;

use super::model::{
    Parcel, Settings, Tally, Thing, count, first_day, new_parcel, new_settings, new_tally, new_thing, rename,
    reword,
};
use super::probes;

probes! {
    "create" => |ctx, _given| Thing::create(ctx, new_thing("new")).await;
    "create" => |ctx, _given| Parcel::create(ctx, new_parcel()).await;
    "create_with_id" => |ctx, _given| Thing::create_with_id(ctx, Id::generate(), new_thing("new")).await;
    "create_many" => |ctx, _given| Thing::create_many(ctx, ["new", "newer"].map(new_thing)).await;
    "update" => |ctx, given| Thing::update(ctx, &given.one.id, rename("new")).await;
    "update" => |ctx, given| Parcel::update(ctx, &given.parcel.id, reword("new")).await;
    "Update::if_revision" => |ctx, given|
        Thing::update(ctx, &given.one.id, rename("new")).if_revision(given.one.revision).await;
    "update_by" => |ctx, _given| Thing::update_by(ctx, |t| t.key.eq("one"), rename("new")).await;
    "delete_by" => |ctx, _given| Thing::delete_by(ctx, |t| t.key.eq("one")).await;
    "replace_by" => |ctx, _given| Thing::replace_by(ctx, |t| t.key.eq("one"), new_thing("one")).await;
    "update_with_by" => |ctx, _given| Thing::update_with_by(ctx, |t| t.key.eq("one"), |t| t.weight.inc(1)).await;
    "modify_by" => |ctx, _given| Thing::modify_by(ctx, |t| t.key.eq("one"), |_| Ok(Some(rename("new")))).await;
    "purge_by" => |ctx, _given| Thing::purge_by(ctx, |t| t.key.eq("one")).await;
    "restore_by" => |ctx, _given| Thing::restore_by(ctx, |t| t.key.eq("gone")).await;
    "replace" => |ctx, given| Thing::replace(ctx, &given.one.id, new_thing("new")).await;
    "update_with" => |ctx, given| Thing::update_with(ctx, &given.one.id, |t| t.weight.inc(1)).await;
    "modify" => |ctx, given| Thing::modify(ctx, &given.one.id, |_| Ok(Some(rename("new")))).await;
    "Modify::if_revision" => |ctx, given|
        Thing::modify(ctx, &given.one.id, |_| Ok(Some(rename("new")))).if_revision(given.one.revision).attempts(2).await;
    "update_many" => |ctx, _given| Thing::update_many(ctx, |t| t.key.ne("old"), rename("new")).limit(9).await;
    "BulkWrite::allow_all" => |ctx, _given| Thing::update_many(ctx, |_| Filter::all(), rename("new")).allow_all().await;
    "delete_many" => |ctx, _given| Thing::delete_many(ctx, |t| t.key.in_(["one", "two"])).await;
    "upsert" => |ctx, _given| Thing::upsert(ctx, |t| t.key.eq("new"), new_thing("new"), rename("new")).await;
    "upsert" => |ctx, _given| Thing::upsert(ctx, |t| t.key.eq("one"), new_thing("one"), rename("new")).await;
    "Bulk::create" => |ctx, _given| Thing::bulk(ctx).create(new_thing("new")).create(new_thing("newer")).await;
    "Bulk::create_with_id" => |ctx, _given| Thing::bulk(ctx).create_with_id(Id::generate(), new_thing("new")).await;
    "Bulk::update" => |ctx, given| Thing::bulk(ctx).update(given.one.id.clone(), rename("new")).await;
    "Bulk::replace" => |ctx, given| Thing::bulk(ctx).replace(given.one.id.clone(), new_thing("one")).await;
    "Bulk::delete" => |ctx, given| Thing::bulk(ctx).delete(given.one.id.clone()).await;
    // Of a model without an id.
    "create" => |ctx, _given| Tally::create(ctx, new_tally(2)).await;
    "update_by" => |ctx, _given| Tally::update_by(ctx, first_day, count(2)).await;
    "update_with_by" => |ctx, _given| Tally::update_with_by(ctx, first_day, |t| t.count.inc(1)).await;
    "upsert" => |ctx, _given| Tally::upsert(ctx, first_day, new_tally(1), count(2)).await;
    "delete_by" => |ctx, _given| Tally::delete_by(ctx, first_day).await;
    "update_many" => |ctx, _given| Tally::update_many(ctx, |t| t.of.eq("one"), count(2)).await;
    "Bulk::update_by" => |ctx, _given| Tally::bulk(ctx).update_by(first_day, count(2)).create(new_tally(2)).await;
    "Query::claim" => |ctx, _given| Tally::query(ctx).filter(|t| t.count.eq(0)).claim(count(1)).await;
    "Bulk::update_by" => |ctx, _given|
        Thing::bulk(ctx).update_by(|t| t.key.eq("one"), rename("new")).delete_by(|t| t.key.eq("none")).await;
    "Bulk::replace_by" => |ctx, _given| Thing::bulk(ctx).replace_by(|t| t.key.eq("one"), new_thing("one")).await;
    "Bulk::delete_by" => |ctx, _given| Thing::bulk(ctx).delete_by(|t| t.key.eq("one")).await;
    "Query::claim" => |ctx, _given| Thing::query(ctx).filter(|t| t.name.eq("thing")).claim(rename("taken")).await;
    // A softly deleted document keeps what refers to it; a purge takes it along, or empties what referred.
    "delete" => |ctx, given| Thing::delete(ctx, &given.one.id).await;
    "Delete::if_revision" => |ctx, given| Thing::delete(ctx, &given.one.id).if_revision(given.one.revision).await;
    "delete" => |ctx, given| Parcel::delete(ctx, &given.parcel.id).await;
    "purge" => |ctx, given| Thing::purge(ctx, &given.one.id).await;
    "restore" => |ctx, given| Thing::restore(ctx, &given.deleted).await;
    "singleton" => |ctx, _given| Settings::singleton(ctx, new_settings).await;
    "GlobalContext::verify_and_upgrade" => |ctx, given| async {
        use model_core::crypto::Candidate;
        let found = Thing::fetch(ctx, &given.one.id).await?;
        ctx.verify_and_upgrade(found.password.as_ref(), &Candidate::new("correct horse".to_owned())).await
    }.await;
}
