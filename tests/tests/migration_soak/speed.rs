//! A migration that is left alone.

use std::time::Instant;

use bson::{Document, doc};
use model_core::prelude::*;
use mongodb::Database;

use crate::{Crate, Robot, count, fill, script, size};

/// How much slower than the script it may be.
const FLOOR: f64 = 0.9;
/// How much memory a run may take more at its end than when a quarter of it was done.
const GROWTH_KIB: u64 = 16 * 1024;

/// What the process holds in memory, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn prepared(total: u64) -> (Database, Db) {
    let database = model_tests::server::fresh_database().await;
    fill(&database.collection("crates"), total).await;
    let db = Db::mongo(database.clone()).model::<Crate>().build_lazy().unwrap();
    db.sync_indexes(Default::default()).await.unwrap();
    (database, db)
}

/// Documents per second of this crate's migration.
async fn ours(total: u64, batch: u32) -> f64 {
    let (database, db) = prepared(total).await;
    let job = db
        .context(TenantId::new("acme").unwrap(), Robot)
        .dangerously_bypass_permissions("soak");
    let mut held = Vec::new();
    let started = Instant::now();
    let report = Crate::migrate_all(&job)
        .batch(batch)
        .on_progress(|so_far| {
            if so_far.migrated * 4 / total >= held.len() as u64 {
                held.push(memory());
            }
        })
        .await
        .unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert!(report.complete && report.migrated == total, "{report}");
    let all = count(&database.collection("crates"), doc! { "_sv": 3, "state": "kept" }).await;
    assert_eq!(all, total);
    eprintln!("memory at the quarters, in KiB: {held:?}");
    if total >= 100_000 {
        assert!(held[held.len() - 1] <= held[1] + GROWTH_KIB, "{held:?}");
    }
    total as f64 / seconds
}

/// The same of a script.
async fn scripts(total: u64, batch: u32) -> f64 {
    let (database, _) = prepared(total).await;
    let started = Instant::now();
    assert_eq!(script::migrate(&database, i64::from(batch)).await, total);
    let seconds = started.elapsed().as_secs_f64();
    let log = database.collection::<Document>("audit_log");
    assert_eq!(count(&log, doc! { "event": "crate.migrate" }).await, total);
    total as f64 / seconds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_is_as_fast_as_a_script() {
    let total = size(2_000);
    let (mut own, mut plain) = (Vec::new(), Vec::new());
    // In turns, since a shared machine is not always as fast.
    for _ in 0..if total >= 100_000 { 3 } else { 1 } {
        plain.push(scripts(total, 500).await);
        own.push(ours(total, 500).await);
    }
    let best = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
    let ratio = best(&own) / best(&plain);
    eprintln!("{total} documents: {own:.0?} a second, a script {plain:.0?}: {ratio:.2}");
    if total >= 100_000 {
        assert!(ratio >= FLOOR, "{ratio:.2}");
    }
}
