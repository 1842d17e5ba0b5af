//! Clients that write all the time, in every way, some of it to the same documents.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model_core::prelude::*;
use model_core::{BulkOutcome, Db, ModelExt};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::ledger::{Attempt, Mark, Story, Told, told};
use crate::model::{Ctx, Lot, LotPatch, NewLot, NewPart, Part, PartPatch, context};

/// No call may take longer, whatever happens to the servers meanwhile: a transaction is tried again for two minutes.
const BOUND: Duration = Duration::from_secs(150);

/// What is common to the tasks: documents that all of them know, and names that nobody had.
pub(crate) struct Shared {
    parts: Mutex<Vec<Id<Part>>>,
    lots: Mutex<Vec<Id<Lot>>>,
    tag: String,
    next: AtomicU64,
    stop: AtomicBool,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            parts: Mutex::default(),
            lots: Mutex::default(),
            tag: format!("{:08x}", below(1 << 32)),
            next: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn name(&self) -> String {
        format!("{}-{}", self.tag, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// A random number.
pub(crate) fn below(bound: u64) -> u64 {
    getrandom::u64().unwrap() % bound
}

macro_rules! writes {
    ($(#[$doc:meta])* $step:ident $model:ident $new:ident $patch:ident $pool:ident) => {
        $(#[$doc])*
        pub(crate) async fn $step(ctx: &Ctx, shared: &Shared) -> (Vec<Mark>, Result<()>) {
            let new = |name: &str| $new { name: name.into() };
            let rename = |name: &str| $patch { name: Set(name.into()), ..Default::default() };
            let known = |id: &Id<$model>| shared.$pool.lock().unwrap().push(id.clone());
            let some = {
                let pool = shared.$pool.lock().unwrap();
                (!pool.is_empty()).then(|| pool[below(pool.len() as u64) as usize].clone())
            };
            let name = shared.name();
            let named = |name: &str| Mark::Named(name.to_owned(), 1);
            match (below(10), some) {
                (2 | 3, Some(id)) => {
                    let done = $model::update(ctx, &id, rename(&name)).await;
                    (vec![named(&name)], done.map(drop))
                }
                (4, Some(id)) => match $model::delete(ctx, &id).await {
                    // Another task was first.
                    Ok(false) => (vec![], Ok(())),
                    done => (vec![Mark::Deleted(id.to_string())], done.map(drop)),
                },
                (5, _) => {
                    let names = [0, 1, 2].map(|i| format!("open {name} {i}"));
                    let done = $model::create_many(ctx, names.iter().map(|name| new(name))).await;
                    done.iter().flatten().for_each(|one| known(&one.id));
                    (names.iter().map(|name| named(name)).collect(), done.map(drop))
                }
                (6, _) => {
                    let open = $model::query(ctx).filter(|d| d.name.starts_with("open"));
                    match open.claim(rename(&name)).await {
                        Ok(None) => (vec![], Ok(())),
                        done => (vec![named(&name)], done.map(drop)),
                    }
                }
                (7, Some(_)) => {
                    let prefix = format!("{}-{}", shared.tag, 1 + below(9));
                    let done = $model::update_many(ctx, |d| d.name.starts_with(&prefix), rename(&name)).limit(4).await;
                    match done {
                        Ok(report) => (vec![Mark::Named(name, report.written as usize)], Ok(())),
                        Err(error) => (vec![named(&name)], Err(error)),
                    }
                }
                (8, Some(id)) => {
                    let other = format!("{name}+");
                    let done = $model::bulk(ctx).update(id, rename(&name)).create(new(&other)).await;
                    if let Ok([_, BulkOutcome::Created(one)]) = done.as_deref() {
                        known(&one.id);
                    }
                    (vec![named(&name), named(&other)], done.map(drop))
                }
                (9, Some(id)) => {
                    let modified = $model::modify(ctx, &id, |_| Ok(Some(rename(&name)))).await;
                    (vec![named(&name)], modified.map(drop))
                }
                _ => {
                    let done = $model::create(ctx, new(&name)).await;
                    done.iter().for_each(|one| known(&one.id));
                    (vec![named(&name)], done.map(drop))
                }
            }
        }
    };
}

writes! {
    /// One write to a model whose entries are written in the document's transaction.
    part_step Part NewPart PartPatch parts
}
writes! {
    /// One write to a model whose entries wait in the document.
    lot_step Lot NewLot LotPatch lots
}

/// A transaction over both models.
pub(crate) async fn transaction_step(ctx: &Ctx, shared: &Shared) -> (Vec<Mark>, Result<()>) {
    let (part, lot) = (shared.name(), shared.name());
    let (new_part, new_lot) = (NewPart { name: part.clone() }, NewLot { name: lot.clone() });
    let done = ctx.transaction(|tx| async move {
        let part = Part::create(&tx, new_part).await?;
        let lot = Lot::create(&tx, new_lot).await?;
        Ok::<_, Error>((part.id, lot.id))
    });
    let done = done.await.map(|(part, lot)| {
        shared.parts.lock().unwrap().push(part);
        shared.lots.lock().unwrap().push(lot);
    });
    (vec![Mark::Named(part, 1), Mark::Named(lot, 1)], done)
}

/// One write of some kind.
pub(crate) async fn step(ctx: &Ctx, shared: &Shared) -> (Vec<Mark>, Result<()>) {
    match below(9) {
        0..4 => part_step(ctx, shared).await,
        4..8 => lot_step(ctx, shared).await,
        _ => transaction_step(ctx, shared).await,
    }
}

/// Tasks that write until they are told to stop.
pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<Vec<Attempt>>>,
    relay: JoinHandle<()>,
}

impl Load {
    pub(crate) fn start(db: &Db, tasks: usize) -> Self {
        let shared = Arc::new(Shared::new());
        let task = |_| tokio::spawn(write(context(db), shared.clone()));
        Self {
            tasks: (0..tasks).map(task).collect(),
            relay: tokio::spawn(relay(db.clone(), shared.clone())),
            shared,
        }
    }

    /// Stops the tasks, and gives what they were told.
    pub(crate) async fn stop(self) -> Vec<Attempt> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut attempts = Vec::new();
        for task in self.tasks {
            attempts.extend(task.await.unwrap());
        }
        self.relay.await.unwrap();
        attempts
    }
}

async fn write(ctx: Ctx, shared: Arc<Shared>) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let call = timeout(BOUND, step(&ctx, &shared));
        let (marks, result) = call.await.expect("every call ends");
        if let Err(error) = &result {
            let expected = error.is_unavailable() || error.is_retryable() || error.is_not_found();
            assert!(expected, "{marks:?}: {error:?}");
        }
        attempts.push(Attempt {
            told: told(&result),
            marks,
        });
    }
    attempts
}

/// The relay runs all the time, and dies whenever the servers do.
async fn relay(db: Db, shared: Arc<Shared>) {
    while !shared.stop.load(Ordering::Relaxed) {
        let moved = timeout(BOUND, db.relay_outbox()).await.expect("the relay ends");
        if let Err(error) = moved {
            assert!(error.is_unavailable() || error.is_retryable(), "{error:?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Counts: acknowledged writes that are lost, entries without a write, writes without an entry. There are none.
pub(crate) async fn check(db: &Db, attempts: &[Attempt], case: &str) {
    // What was under way when its client gave up has ended by now.
    sleep(Duration::from_millis(500)).await;
    db.relay_outbox().await.unwrap();
    let stories = [
        Story::read(db, "parts", "part", case).await,
        Story::read(db, "lots", "lot", case).await,
    ];
    let story = Story::both(stories);
    story.agrees_with(attempts, case);
    let count = |told| attempts.iter().filter(|attempt| attempt.told == told).count();
    let (done, failed, unknown) = (count(Told::Done), count(Told::Failed), count(Told::Unknown));
    println!("{case}: {done} done, {failed} failed, {unknown} unknown");
    assert!(
        done > 20,
        "{case}: too little was done: {done}, {failed}, {unknown}"
    );
}
