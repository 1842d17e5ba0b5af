//! Sharding. There is no cluster to test against: the commands are held to the server's manual by tests of their form.

use bson::{Document, doc};
use mongodb::Database;

use super::super::{Sharding, StoreResult};
use super::error::store_error;

/// How the collection lies on the cluster, as a router tells it; a replica set has no shards.
pub(super) async fn sharding(db: &Database, collection: &str) -> StoreResult<Sharding> {
    let hello = run(db, doc! { "hello": 1 }).await?;
    if !is_router(&hello) {
        return Ok(Sharding::NoCluster);
    }
    let config = db.client().database("config");
    let reply = run(&config, placed(db.name(), collection)).await?;
    Ok(found(&reply))
}

/// Spreads the collection over the shards.
pub(super) async fn shard(db: &Database, collection: &str, key: &Document) -> StoreResult<()> {
    let admin = db.client().database("admin");
    run(&admin, enable(db.name())).await?;
    run(&admin, shard_collection(db.name(), collection, key)).await?;
    Ok(())
}

async fn run(db: &Database, command: Document) -> StoreResult<Document> {
    let outcome = db.run_command(command).await;
    outcome.map_err(|error| store_error(&error))
}

/// Whether a router of a sharded cluster has answered.
pub(super) fn is_router(hello: &Document) -> bool {
    hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid")
}

/// Asks the cluster's own records for the collection.
fn placed(database: &str, collection: &str) -> Document {
    let id = format!("{database}.{collection}");
    doc! { "find": "collections", "filter": { "_id": id }, "limit": 1, "singleBatch": true }
}

fn found(reply: &Document) -> Sharding {
    let record = reply
        .get_document("cursor")
        .and_then(|cursor| cursor.get_array("firstBatch"))
        .ok()
        .and_then(|batch| batch.first()?.as_document());
    // Until version 5, a dropped collection kept its record; from version 7 on, unsharded ones may have one.
    let is_gone = |record: &&Document| record.get_bool("dropped").unwrap_or_default();
    let is_whole = |record: &&Document| record.get_bool("unsplittable").unwrap_or_default();
    let record = record.filter(|record| !is_gone(record) && !is_whole(record));
    match record.and_then(|record| record.get_document("key").ok()) {
        Some(key) => Sharding::By(key.clone()),
        None => Sharding::Whole,
    }
}

/// Before version 6, a database has to be told; later it changes nothing.
fn enable(database: &str) -> Document {
    doc! { "enableSharding": database }
}

/// `unique` stays false: uniqueness is that of the declared indexes.
fn shard_collection(database: &str, collection: &str, key: &Document) -> Document {
    doc! { "shardCollection": format!("{database}.{collection}"), "key": key.clone(), "unique": false }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::{Sharding, enable, found, is_router, placed, shard_collection};

    #[test]
    fn commands_have_the_form_of_the_manual() {
        assert_eq!(enable("shop"), doc! { "enableSharding": "shop" });
        let key = doc! { "organization": 1, "_id": "hashed" };
        let expected = doc! { "shardCollection": "shop.widgets", "key": key.clone(), "unique": false };
        let command = shard_collection("shop", "widgets", &key);
        assert_eq!(command, expected);
        assert_eq!(command.keys().next().map(String::as_str), Some("shardCollection"));
        let command = placed("shop", "widgets");
        assert_eq!(command.keys().next().map(String::as_str), Some("find"));
        assert_eq!(
            command.get_document("filter").unwrap(),
            &doc! { "_id": "shop.widgets" }
        );
    }

    #[test]
    fn a_router_and_its_records_are_understood() {
        assert!(is_router(&doc! { "isWritablePrimary": true, "msg": "isdbgrid" }));
        assert!(!is_router(&doc! { "isWritablePrimary": true, "setName": "rs0" }));
        let reply = |records: Vec<bson::Document>| doc! { "cursor": { "id": 0_i64, "firstBatch": records } };
        let key = doc! { "organization": 1 };
        let placed = doc! { "_id": "shop.widgets", "key": key.clone(), "unique": false };
        assert_eq!(found(&reply(vec![placed])), Sharding::By(key.clone()));
        assert_eq!(found(&reply(vec![])), Sharding::Whole);
        for gone in ["dropped", "unsplittable"] {
            let record = doc! { "_id": "shop.widgets", "key": key.clone(), gone: true };
            assert_eq!(found(&reply(vec![record])), Sharding::Whole);
        }
    }
}
