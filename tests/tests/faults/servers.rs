//! Servers that step down, are killed, and come back.

use std::time::Duration;

use model_tests::server::ReplicaSet;
use tokio::time::sleep;

use crate::load::{Load, below, check};
use crate::model::open;
use crate::sized;

async fn a_while() {
    sleep(Duration::from_millis(300 + below(500))).await;
}

/// Under load the primary steps down; then it is killed and comes back, time after time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_set_loses_its_primary() {
    let mut set = ReplicaSet::start(3).await;
    let db = open(set.fresh_database().await).await;
    let load = Load::start(&db, 8);
    for _ in 0..sized(2, 20) {
        a_while().await;
        set.step_down().await;
        a_while().await;
        let primary = set.primary().await;
        set.kill(primary);
        a_while().await;
        set.restart(primary).await;
        set.primary().await;
    }
    a_while().await;
    let attempts = load.stop().await;
    check(&db, &attempts, "replica set").await;
}

/// A single server is killed at any moment, and started again on its data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_is_killed() {
    let mut set = ReplicaSet::start(1).await;
    let db = open(set.fresh_database().await).await;
    let load = Load::start(&db, 8);
    for _ in 0..sized(4, 50) {
        a_while().await;
        set.kill(0);
        set.restart(0).await;
        set.primary().await;
    }
    a_while().await;
    let attempts = load.stop().await;
    check(&db, &attempts, "single server").await;
}
