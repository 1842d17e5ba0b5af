//! What somebody would write by hand: the same bulk updates with the bare driver, the audit entries in the same
//! transaction, and a record of how far it has come.

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::Database;

/// Migrates all documents of version 1, so many at a time; how many there were.
pub(crate) async fn migrate(database: &Database, batch: i64) -> u64 {
    let crates = database.collection::<Document>("crates");
    let progress = database.collection::<Document>("script_progress");
    progress.insert_one(doc! { "_id": "crates" }).await.unwrap();
    let mut session = database.client().start_session().await.unwrap();
    let (mut after, mut done) = (String::new(), 0);
    loop {
        let older = doc! {
            "organization": "acme", "$nor": [{ "_sv": { "$gte": 3 } }], "_id": { "$gt": &after },
        };
        let found = crates
            .find(older)
            .sort(doc! { "_id": 1 })
            .limit(batch)
            .await
            .unwrap();
        let documents: Vec<Document> = found.try_collect().await.unwrap();
        let Some(last) = documents.last() else { return done };
        after = last.get_str("_id").unwrap().to_owned();
        let (mut updates, mut entries) = (Vec::new(), Vec::new());
        for document in &documents {
            let size: i64 = document.get_str("size").unwrap().parse().unwrap();
            let id = document.get_str("_id").unwrap();
            updates.push(doc! {
                "q": { "organization": "acme", "_id": id, "_rev": { "$exists": false } },
                "u": { "$set": { "size": size, "state": "kept", "_sv": 3, "_rev": 1_i64 } },
            });
            entries.push(doc! {
                "_id": ObjectId::from_bytes(bytes()), "tenant": "acme", "actor": { "kind": "system", "id": "soak" },
                "event": "crate.migrate", "entity": { "type": "crate", "id": id },
                "changes": [
                    { "path": "size", "before": document.get("size").cloned(), "after": size },
                    { "path": "state", "after": "kept" },
                ],
                "request": {}, "bypass_reason": "soak", "at": bson::DateTime::from_millis(0), "duration_ms": 0_i64,
            });
        }
        let count = updates.len();
        session.start_transaction().await.unwrap();
        let written = database.run_command(doc! { "update": "crates", "updates": updates });
        let written = written.session(&mut session).await.unwrap();
        assert_eq!(written.get_i32("n").unwrap() as usize, count);
        let log = database.collection::<Document>("audit_log");
        log.insert_many(entries).session(&mut session).await.unwrap();
        session.commit_transaction().await.unwrap();
        done += count as u64;
        let so_far = doc! { "$set": { "after": &after, "migrated": done as i64 } };
        progress
            .update_one(doc! { "_id": "crates" }, so_far)
            .await
            .unwrap();
    }
}

/// Twelve random bytes.
fn bytes() -> [u8; 12] {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}
