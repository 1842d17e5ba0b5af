//! Clients that are killed between any two steps of a write.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use bson::doc;
use model_tests::server::{ReplicaSet, server};
use tokio::time::sleep;

use crate::ledger::{Attempt, Mark, Told};
use crate::load::{Shared, below, check, step};
use crate::model::{context, open};
use crate::sized;

/// Tells a client where to write.
const DATABASE: &str = "MODEL_TEST_CLIENT_DATABASE";
/// What a client's report of a write begins with.
const REPORT: &str = "acknowledged";

/// What the killed process runs: it writes, and reports what was acknowledged, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by `a_client_is_killed`, which kills it"]
async fn writes_until_it_is_killed() {
    let name = env::var(DATABASE).unwrap();
    let db = open(server().await.client().await.database(&name)).await;
    // Each has documents of its own: the transaction of one that was killed holds its documents until the server ends it.
    let shared = Shared::new();
    let ctx = context(&db);
    loop {
        let (marks, result) = step(&ctx, &shared).await;
        match result {
            Ok(()) => {}
            // Deleted a moment ago, by itself; or held by the transaction of one that was killed.
            Err(error) if error.is_not_found() || error.is_retryable() => continue,
            Err(error) => panic!("{error:?}"),
        }
        for mark in marks {
            match mark {
                Mark::Named(name, count) => println!("\n{REPORT}\t{name}\t{count}"),
                Mark::Deleted(id) => println!("\n{REPORT}\t{id}"),
            }
        }
    }
}

/// Runs a client, kills it, and gives what it reported.
fn run_and_kill(database: &str, uri: &str, life: Duration) -> Vec<Attempt> {
    let mut client = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "client::writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(DATABASE, database)
        .env("MONGODB_URI", uri)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(client.stdout.take().unwrap());
    let mut lines = String::new();
    while !lines.contains(REPORT) {
        assert_ne!(
            output.read_line(&mut lines).unwrap(),
            0,
            "the client ended: {lines}"
        );
    }
    std::thread::sleep(life);
    client.kill().unwrap();
    client.wait().unwrap();
    output.read_to_string(&mut lines).unwrap();
    assert!(!lines.contains("panicked"), "{lines}");
    let reports = lines
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'));
    let marks = reports.filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [REPORT, name, count] => Some(Mark::Named(name.to_owned(), count.parse().unwrap())),
        [REPORT, id] => Some(Mark::Deleted(id.to_owned())),
        _ => None,
    });
    marks
        .map(|mark| Attempt {
            marks: vec![mark],
            told: Told::Done,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_killed() {
    let set = ReplicaSet::start(1).await;
    let database = set.fresh_database().await;
    // What a killed client had begun keeps its documents locked for a minute, if the server is not told otherwise.
    let soon = doc! { "setParameter": 1, "transactionLifetimeLimitSeconds": 2 };
    database
        .client()
        .database("admin")
        .run_command(soon)
        .await
        .unwrap();
    let db = open(database.clone()).await;
    let mut attempts = Vec::new();
    for _ in 0..sized(20, 200) {
        let (name, uri) = (database.name().to_owned(), set.uri());
        let life = Duration::from_micros(below(60_000));
        let run = tokio::task::spawn_blocking(move || run_and_kill(&name, &uri, life));
        attempts.extend(run.await.unwrap());
    }
    sleep(Duration::from_millis(500)).await;
    check(&db, &attempts, "killed clients").await;
}
