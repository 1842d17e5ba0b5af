//! A process that is killed in the middle, by a signal that it cannot see, and started again.

use std::process::Stdio;
use std::time::Duration;

use bson::{Document, doc};
use mongodb::Database;
use serde_json::Value;

use crate::{Program, told};

const KILLS: u64 = 3;
const TOTAL: u64 = 400;

/// Runs `migrate run`, and kills the process some batches after fewer than `left` documents are left, each time a little later
/// in a batch.
async fn run_and_kill(program: &Program, number: u64, collection: &str, older: &Document, left: u64) {
    let (_, database) = program.server.as_ref().unwrap();
    let mut child = program
        .command("migrate run --batch 20 --throttle 100 --lease 1")
        .env("ADMIN_STEPS", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while count(database, collection, older.clone()).await >= left {
        assert!(child.try_wait().unwrap().is_none(), "it ends by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(95 + 7 * number)).await;
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "it was killed: {status}");
    // Its lease ends.
    tokio::time::sleep(Duration::from_millis(1_300)).await;
}

/// A server takes back what a killed process has left open after a minute, if nothing is said.
async fn take_back_soon(database: &Database) {
    let limit = doc! { "setParameter": 1, "transactionLifetimeLimitSeconds": 5 };
    let admin = database.client().database("admin");
    admin.run_command(limit).await.unwrap();
}

/// Once the lease of the killed run has ended.
fn run_to_the_end(program: &Program) -> Value {
    for _ in 0..100 {
        let mut command = program.command("migrate run --batch 20 --lease 1 --json");
        let (code, out, err) = told(command.env("ADMIN_STEPS", "1").output().unwrap());
        if code == 0 {
            return serde_json::from_str(&out).unwrap();
        }
        assert!(code == 3 && out.contains("Conflict"), "{code} {out}{err}");
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the lease does not end");
}

async fn count(database: &Database, collection: &str, filter: Document) -> u64 {
    let collection = database.collection::<Document>(collection);
    collection.count_documents(filter).await.unwrap()
}

/// Killed three times: every document is moved exactly once, and every move is noted exactly once.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_killed() {
    let program = Program::over_mongodb().await;
    let (_, database) = program.server.as_ref().unwrap();
    take_back_soon(database).await;
    let boards = (0..TOTAL).map(|number| {
        let label = format!("Board {number:04}");
        doc! { "_id": format!("{number:04}"), "label": label }
    });
    let collection = database.collection::<Document>("boards");
    collection.insert_many(boards).await.unwrap();
    assert_eq!(program.run("indexes sync").0, 0);
    let mut left = TOTAL;
    for number in 0..KILLS {
        run_and_kill(&program, number, "boards", &doc! {}, left).await;
        let now = count(database, "boards", doc! {}).await;
        assert!(now < left && now > 0, "{now} of {left}");
        assert_eq!(now % 20, 0, "a batch is whole or not at all");
        let moved = count(database, "shelves", doc! { "label": { "$regex": "^Board" } }).await;
        assert_eq!(moved + now, TOTAL);
        left = now;
    }
    let done = run_to_the_end(&program);
    assert_eq!(
        (&done[0]["resumed"], &done[0]["complete"]),
        (&true.into(), &true.into())
    );
    assert_eq!(count(database, "boards", doc! {}).await, 0);
    assert_eq!(
        count(database, "shelves", doc! { "label": { "$regex": "^Board" } }).await,
        TOTAL
    );
    assert_eq!(count(database, "__model_moves", doc! {}).await, TOTAL);
}

/// The same of documents: each is migrated exactly once, as the audit log knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_killed() {
    let program = Program::over_mongodb().await;
    let (_, database) = program.server.as_ref().unwrap();
    take_back_soon(database).await;
    let more = (0..TOTAL).map(|number| {
        doc! {
            "_id": format!("crt_k{number:04}"), "organization": "acme", "shelf": "shf_1", "name": "Crate",
            "size": "1",
        }
    });
    let crates = database.collection::<Document>("crates");
    crates.insert_many(more).await.unwrap();
    assert_eq!(program.run("indexes sync").0, 0);
    let older = doc! { "_sv": { "$ne": 2 } };
    let mut left = count(database, "crates", older.clone()).await;
    for number in 0..KILLS {
        run_and_kill(&program, number, "crates", &older, left).await;
        let now = count(database, "crates", older.clone()).await;
        assert!(now < left && now > 0, "{now} of {left}");
        let entries = count(database, "audit_log", doc! { "event": "crate.migrate" }).await;
        assert_eq!(
            entries + now,
            TOTAL + 3,
            "a document and its entry are written together"
        );
        left = now;
    }
    run_to_the_end(&program);
    assert_eq!(count(database, "crates", older).await, 0);
    let entries = database.collection::<Document>("audit_log");
    let ids = entries
        .distinct("entity.id", doc! { "event": "crate.migrate" })
        .await
        .unwrap();
    assert_eq!(ids.len() as u64, TOTAL + 3);
    let all = count(database, "audit_log", doc! { "event": "crate.migrate" }).await;
    assert_eq!(all, TOTAL + 3);
    assert_eq!(program.run("audit verify --tenant acme").0, 0);
}
