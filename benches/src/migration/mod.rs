//! A migration of all documents, against a plain script on the bare driver that makes the same updates, notes the same audit
//! entries in the same transactions, and keeps a record of how far it has come.

mod script;

use std::time::Instant;

use bson::{Document, doc};
use model_core::prelude::*;
use model_tests::server;
use mongodb::{Collection, Database};

use crate::document::TENANT;
use crate::growth::resident;
use crate::report::{self, Row};
use crate::statistics::median;

/// How often each side has its turn.
const ROUNDS: usize = 3;
/// The least speed, as a share of the script's.
const SPEED: f64 = 0.9;
/// By how much the memory of this process may grow between a quarter of a run and its end.
const GROWTH: f64 = 1.25;
/// How many documents a batch has.
const BATCH: u32 = 500;

#[derive(Clone)]
struct Robot;

impl Actor for Robot {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("migration")
    }
}

/// Version 1 had a text for the size; version 2 made it a number; version 3 brought the state.
#[derive(Clone, Model)]
#[model(
    collection = "crates",
    id_prefix = "crt_",
    version = 3,
    audit(entity = "crate")
)]
struct Crate {
    #[model(id)]
    id: Id<Crate>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    #[model(since = 2)]
    size: u32,
    #[model(since = 3)]
    state: String,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
}

impl BaseModel for Crate {
    type Actor = Robot;

    fn can_read(&self, _ctx: &Context<Robot>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &Context<Robot>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Context<Robot>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Context<Robot>) -> bool {
        true
    }

    fn migrate(mut document: Document, info: &MigrateInfo) -> Result<Document> {
        if info.stored_version < 2 {
            let size = document
                .get_str("size")
                .ok()
                .and_then(|size| size.parse::<i64>().ok());
            document.insert("size", size.unwrap_or_default());
        }
        if info.stored_version < 3 {
            document.insert("state", "kept");
        }
        Ok(document)
    }
}

/// Both sides in turns, each on documents of its own.
///
/// # Panics
/// If there is no server, or a side does not migrate every document.
pub async fn all(documents: u32) -> Vec<Row> {
    report::heading(&format!("A migration of {documents} documents, against a script"));
    let (mut ours, mut scripts) = (Vec::new(), Vec::new());
    let mut memory = Vec::new();
    for round in 0..ROUNDS {
        // Each side comes first in every second round.
        for turn in [round, round + 1] {
            if turn % 2 == 0 {
                scripts.push(by_script(documents).await);
            } else {
                ours.push(by_the_crate(documents, &mut memory).await);
            }
        }
    }
    let name = format!("migrate {documents}");
    // Medians: three rounds have no interval worth the name.
    let mut rows = vec![Row::exact(&name, "us each", median(&ours), median(&scripts)).at_most(1.0 / SPEED)];
    // Of the last run: the allocator has settled.
    if let (Some(quarter), Some(end)) = (memory.first(), memory.last()) {
        let name = format!("{name}: the end, to a quarter");
        rows.push(Row::exact(name, "MiB", *end, *quarter).at_most(GROWTH));
    }
    report::show(rows).collect()
}

/// A database of documents of version 1.
async fn filled(documents: u32) -> (Database, Db) {
    let database = server::fresh_database().await;
    let crates: Collection<Document> = database.collection("crates");
    for start in (0..documents).step_by(10_000) {
        let old = (start..documents.min(start + 10_000)).map(|number| {
            doc! {
                "_id": format!("crt_{number:07}"), "organization": TENANT, "name": format!("Crate {number}"),
                "size": (number % 97).to_string(), "updated_at": bson::DateTime::from_millis(0),
            }
        });
        crates.insert_many(old).await.unwrap();
    }
    let db = Db::mongo(database.clone()).model::<Crate>().build_lazy().unwrap();
    db.sync_indexes(model_core::SyncOptions::new()).await.unwrap();
    (database, db)
}

/// Microseconds for each document.
#[allow(clippy::disallowed_methods, reason = "this is the clock")]
async fn by_the_crate(documents: u32, memory: &mut Vec<f64>) -> f64 {
    let (database, db) = filled(documents).await;
    let ctx = db.context(TenantId::new(TENANT).unwrap(), Robot);
    let job = ctx.dangerously_bypass_permissions("migration");
    memory.clear();
    let quarters = u64::from(documents / 4).max(1);
    let start = Instant::now();
    let run = Crate::migrate_all(&job).batch(BATCH).on_progress(|so_far| {
        if so_far.migrated / quarters > memory.len() as u64 {
            memory.push(resident());
        }
    });
    let report = run.await.unwrap();
    let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(documents);
    assert!(
        report.complete && report.migrated == u64::from(documents),
        "{report}"
    );
    let kept = doc! { "_sv": 3, "state": "kept", "size": { "$type": "long" } };
    assert_eq!(count(&database, "crates", kept).await, u64::from(documents));
    server::drop_database(database).await;
    each
}

/// Microseconds for each document.
#[allow(clippy::disallowed_methods, reason = "this is the clock")]
async fn by_script(documents: u32) -> f64 {
    let (database, _) = filled(documents).await;
    let start = Instant::now();
    assert_eq!(
        script::migrate(&database, i64::from(BATCH)).await,
        u64::from(documents)
    );
    let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(documents);
    let migrated = doc! { "event": "crate.migrate" };
    assert_eq!(
        count(&database, "audit_log", migrated).await,
        u64::from(documents)
    );
    server::drop_database(database).await;
    each
}

async fn count(database: &Database, collection: &str, filter: Document) -> u64 {
    let collection = database.collection::<Document>(collection);
    collection.count_documents(filter).await.unwrap()
}
