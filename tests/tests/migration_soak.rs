//! A migration that is killed five times, while writers go on: every document is migrated exactly once, and no update is
//! lost. How fast it is beside a plain script, and how much memory it takes, is measured in `benches/`.
//! `MODEL_TEST_SIZE=full` migrates a million documents, a number that many; `MODEL_TEST_SEED` sets the seed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bson::{Document, doc};
use futures_util::TryStreamExt;
use futures_util::future::{join, join_all, select};
use model_core::prelude::*;
use mongodb::Collection;
use tokio::sync::Notify;

const WRITERS: u64 = 4;
const KILLS: u64 = 5;

#[derive(Clone)]
struct Robot;

impl Actor for Robot {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("soak")
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
    #[model(default = 0)]
    touched: u64,
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
            let size: i64 = document
                .get_str("size")
                .unwrap_or_default()
                .parse()
                .unwrap_or_default();
            document.insert("size", size);
        }
        if info.stored_version < 3 {
            document.insert("state", "kept");
        }
        Ok(document)
    }
}

fn old(number: u64) -> Document {
    doc! {
        "_id": format!("crt_{number:07}"), "organization": "acme", "name": format!("Crate {number}"),
        "size": (number % 97).to_string(), "touched": 0_i64, "updated_at": bson::DateTime::from_millis(0),
    }
}

/// How many documents.
fn size(small: u64) -> u64 {
    match std::env::var("MODEL_TEST_SIZE") {
        Ok(size) if size == "full" => 1_000_000,
        Ok(size) => size.parse().unwrap_or(small),
        Err(_) => small,
    }
}

/// Stores that many documents of version 1.
async fn fill(crates: &Collection<Document>, total: u64) {
    for start in (0..total).step_by(10_000) {
        let documents = (start..total.min(start + 10_000)).map(old);
        crates.insert_many(documents).await.unwrap();
    }
}

/// xorshift: the same seed, the same kills.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

async fn count(collection: &Collection<Document>, filter: Document) -> u64 {
    collection.count_documents(filter).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_survives_kills_and_writers() {
    let total = size(4_000);
    let full = total >= 100_000;
    let seed = std::env::var("MODEL_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let mut seed: u64 = seed.unwrap_or(0x5EED);
    eprintln!("MODEL_TEST_SEED={seed}");
    let database = model_tests::server::fresh_database().await;
    let crates = database.collection::<Document>("crates");
    fill(&crates, total).await;
    let db = Db::mongo(database.clone())
        .model::<Crate>()
        .build()
        .await
        .unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), Robot);
    let job = ctx.dangerously_bypass_permissions("soak");
    let (over, updates) = (AtomicBool::new(false), AtomicU64::new(0));
    let batch = if full { 1_000 } else { 100 };
    let started = Instant::now();
    let runs = async {
        let mut kills = 0;
        loop {
            // The run goes on where the one before it was killed, once that one's lease has ended.
            let batches = AtomicU64::new(0);
            let last = 1 + random(&mut seed) % (total / batch / (KILLS + 2));
            let (killed, armed) = (Notify::new(), kills < KILLS);
            let run = Crate::migrate_all(&job)
                .batch(u32::try_from(batch).unwrap())
                .lease(Duration::from_millis(1_500));
            let run = run.on_progress(|_| {
                if armed && batches.fetch_add(1, Ordering::Relaxed) + 1 == last {
                    killed.notify_one();
                }
            });
            // Not between two batches, but somewhere in the next one.
            let delay = Duration::from_micros(random(&mut seed) % 20_000);
            let kill = async {
                killed.notified().await;
                tokio::time::sleep(delay).await;
            };
            match select(std::pin::pin!(run.into_future()), std::pin::pin!(kill)).await {
                futures_util::future::Either::Left((Ok(report), _)) => {
                    over.store(true, Ordering::Relaxed);
                    return (report, kills);
                }
                futures_util::future::Either::Left((Err(error), _)) => {
                    assert!(error.is_conflict(), "{error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                futures_util::future::Either::Right(_) => kills += 1,
            }
        }
    };
    let writers = (0..WRITERS).map(|writer| {
        let (ctx, over, updates) = (&ctx, &over, &updates);
        async move {
            let mut state = 77 + writer;
            while !over.load(Ordering::Relaxed) {
                let id = Id::parse(&format!("crt_{:07}", random(&mut state) % total)).unwrap();
                Crate::update_with(ctx, &id, |c| c.touched.inc(1)).await.unwrap();
                updates.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let ((report, kills), _) = join(runs, join_all(writers)).await;
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(
        (kills, report.failed.len(), report.complete, report.resumed),
        (KILLS, 0, true, true)
    );
    let updates = updates.into_inner();
    eprintln!(
        "{total} documents in {seconds:.1} s, with {updates} updates meanwhile, {} raced in the last run",
        report.raced
    );
    assert_eq!(
        count(
            &crates,
            doc! { "_sv": 3, "state": "kept", "size": { "$type": "long" } }
        )
        .await,
        total
    );
    // Each of them once: by the migration, or by the first update that came before it.
    let log = database.collection::<Document>("audit_log");
    let brought = doc! { "changes": { "$elemMatch": { "path": "state" } } };
    let migrated = count(&log, doc! { "event": "crate.migrate" }).await;
    let twice = [
        doc! { "$match": { "event": "crate.migrate" } },
        doc! { "$group": { "_id": "$entity.id", "n": { "$sum": 1 } } },
        doc! { "$match": { "n": { "$gt": 1 } } },
    ];
    let twice: Vec<Document> = log.aggregate(twice).await.unwrap().try_collect().await.unwrap();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(count(&log, brought).await, migrated);
    assert_eq!(count(&log, doc! { "event": "crate.update" }).await, updates);
    let touched = [doc! { "$group": { "_id": null, "sum": { "$sum": "$touched" } } }];
    let touched: Vec<Document> = crates
        .aggregate(touched)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        touched[0].get_i64("sum").unwrap(),
        i64::try_from(updates).unwrap()
    );
}
