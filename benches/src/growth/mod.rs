//! What becomes of costs as collections grow: pages, streams, populate, bulk work, tenants, scopes.
//!
//! In these tables the right-hand column is no other library but the small case: the ratio says how much the large one
//! costs beside it.

mod bulk;
mod indexes;

use std::fs;
use std::path::Path;
use std::process::Command;

use bson::oid::ObjectId;
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions};
use model_tests::events::CommandLog;
use model_tests::server;
use mongodb::{Collection, Database};

pub use self::bulk::bulk;
pub use self::indexes::indexes;
use crate::document::{Row as Stored, TENANT, User, Widget, row};
use crate::report::{self, Row};
use crate::rounds::{Variant, take};
use crate::stage::DOCUMENTS;

/// How many documents a page has.
const PAGE: u64 = 10;
/// How much more the large case may cost than the small one.
const LIMIT: f64 = 1.10;
/// How many documents are written to the server at a time, to fill a collection.
const FILLING: u32 = 50_000;

/// So many documents of the tenant.
async fn fill(collection: &Collection<Stored>, documents: u32) {
    for first in (0..documents).step_by(FILLING as usize) {
        let rows = (first..documents.min(first + FILLING)).map(row);
        collection.insert_many(rows).await.unwrap();
    }
}

async fn context(database: &Database) -> Context<User> {
    let db = Db::mongo(database.clone())
        .model::<Widget>()
        .build()
        .await
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.context(TenantId::new(TENANT).unwrap(), User)
}

/// A page late in a collection, against an early one.
///
/// # Panics
/// If there is no server.
pub async fn pages(rounds: usize) -> Vec<Row> {
    let database = server::fresh_database().await;
    fill(&database.collection("widgets"), DOCUMENTS).await;
    let ctx = &context(&database).await;
    // A cursor knows nothing of sizes.
    let mut after = Vec::new();
    for before in [1, 999_u64] {
        let page = Widget::query(ctx).page(PAGE * before, None).await.unwrap();
        after.push(page.next.expect("more follow"));
    }
    let page = |after: Option<&'static str>| {
        Variant::new(move |times| async move {
            for _ in 0..times {
                let page = Widget::query(ctx).page(PAGE, after).await.unwrap();
                assert_eq!(page.items.len() as u64, PAGE);
            }
        })
    };
    // For as long as the process.
    let cursors: Vec<&'static str> = after
        .into_iter()
        .map(|cursor| &*cursor.to_string().leak())
        .collect();
    let variants = [page(None), page(Some(cursors[0])), page(Some(cursors[1]))];
    let [first, second, late] = take(variants, rounds, 20).await;
    let rows = [
        Row::sampled("page 1,000 to page 2", "wall us", &late.wall, &second.wall).at_most(LIMIT),
        Row::sampled("page 1,000 to page 2", "CPU us", &late.cpu, &second.cpu).at_most(LIMIT),
        Row::sampled("page 1,000 to page 1", "wall us", &late.wall, &first.wall),
        Row::sampled("page 1,000 to page 1", "CPU us", &late.cpu, &first.cpu),
    ];
    server::drop_database(database).await;
    report::show(rows).collect()
}

/// The memory of a process that does nothing but read a collection from one end to the other.
///
/// # Panics
/// If there is no server, or the program fails.
pub async fn stream(program: &Path, documents: u32) -> Vec<Row> {
    let database = server::fresh_database().await;
    fill(&database.collection("widgets"), documents).await;
    let output = Command::new(program)
        .args([database.name(), &documents.to_string()])
        .env("MONGODB_URI", server::server().await.uri())
        .output()
        .expect("the probe starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let memory: Vec<f64> = text
        .split_whitespace()
        .map(|number| number.parse().expect("MiB"))
        .collect();
    println!("resident memory at the quarters, MiB: {memory:.1?}");
    let [first, later @ ..] = memory.as_slice() else {
        panic!("the probe tells of no quarter")
    };
    let most = later.iter().copied().fold(0.0, f64::max);
    let name = format!("stream of {documents}, the most to a quarter");
    let row = Row::exact(name, "MiB", most, *first).at_most(LIMIT);
    server::drop_database(database).await;
    report::show([row]).collect()
}

/// Reads all documents of the database, and gives the memory of this process at each quarter, in MiB.
///
/// # Panics
/// If there are not so many.
pub async fn streamed(database: &Database, documents: u32) -> Vec<f64> {
    let ctx = context(database).await;
    let mut all = Widget::query(&ctx).stream();
    let (mut memory, mut count) = (Vec::new(), 0);
    while all.try_next().await.unwrap().is_some() {
        count += 1;
        if count % (documents / 4) == 0 {
            memory.push(resident());
        }
    }
    assert_eq!(count, documents);
    memory
}

/// The commands that a populate of one relation sends, by the number of documents that refer.
///
/// # Panics
/// If there is no server.
#[allow(clippy::cast_precision_loss, reason = "a few commands")]
pub async fn populate() -> Vec<Row> {
    let (database, log): (Database, CommandLog) = server::recorded_database().await;
    fill(&database.collection("widgets"), DOCUMENTS).await;
    let ctx = context(&database).await;
    let targets: Vec<Ref<Widget>> = (0..DOCUMENTS)
        .map(|number| Ref::from(row(number).into_model().id))
        .collect();
    let mut rows = Vec::new();
    for parents in [10, 1_000, 10_000] {
        let referring = &targets[..parents];
        log.take();
        let loaded = Widget::populate(&ctx, referring, |reference| reference)
            .await
            .unwrap();
        let finds = log.take_names().iter().filter(|name| *name == "find").count();
        assert!(referring.iter().all(|reference| loaded.get(reference).is_some()));
        rows.push(
            Row::exact(
                format!("populate {parents} to one command"),
                "commands",
                finds as f64,
                1.0,
            )
            .at_most(1.0),
        );
    }
    server::drop_database(database).await;
    report::show(rows).collect()
}

/// The memory that this process holds, in MiB.
#[allow(clippy::cast_precision_loss, reason = "kibibytes")]
pub(crate) fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells what a process holds");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .expect("VmRSS");
    number.parse::<u64>().expect("kibibytes") as f64 / 1024.0
}

/// The id of the document of that number.
fn object_id(number: u32) -> ObjectId {
    row(number).id
}
