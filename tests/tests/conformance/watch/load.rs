//! A consumer that is killed again and again while others write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::TryStreamExt;
use model_core::ModelExt;
use model_core::prelude::*;

use super::{Memo, desk, memo, says, told};
use crate::harness::on_both_stores;
use crate::models::Ctx;

/// How many documents each writer makes, changes and deletes.
fn size() -> usize {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    if full { 3_000 } else { 40 }
}

/// What a consumer keeps: it outlives the consumer.
#[derive(Default)]
struct Kept {
    token: Option<String>,
    /// What it has dealt with, in order.
    seen: Vec<String>,
    /// The deletions among it.
    gone: BTreeSet<String>,
}

/// Goes on where the one before it was killed. It may be killed between dealing with an event and storing its token.
async fn consume(ctx: Ctx, kept: Arc<Mutex<Kept>>) -> Result<()> {
    let token = kept.lock().unwrap().token.clone();
    let mut stream = Memo::watch(&ctx).resume_after(token.unwrap()).await?;
    while let Some(watched) = stream.try_next().await? {
        {
            let (mut kept, told) = (kept.lock().unwrap(), told(&watched));
            if told.starts_with("- ") {
                kept.gone.insert(told.clone());
            }
            kept.seen.push(told);
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
        kept.lock().unwrap().token = Some(watched.token);
    }
    Ok(())
}

/// No faster than the consumer follows: the embedded store remembers no more than 4,096 changes.
async fn write(ctx: Ctx, writer: &'static str, kept: Arc<Mutex<Kept>>) {
    for n in 0..size() {
        // Two writers are seen.
        while n > kept.lock().unwrap().gone.len() / 2 + 200 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let name = format!("{writer}{n}");
        let one = Memo::create(&ctx, memo("eve", &name)).await.unwrap();
        Memo::update(&ctx, &one.id, says(&format!("{name}*")))
            .await
            .unwrap();
        Memo::purge(&ctx, &one.id).await.unwrap();
    }
}

on_both_stores! {
    /// Each event at least once and in its document's order, none of another tenant.
    async fn a_consumer_that_is_killed_loses_nothing(stage: Stage) {
        let desk = desk(stage).await;
        let start = Memo::watch(&desk.eve).await.unwrap().token();
        assert!(start.is_some());
        let kept = Arc::new(Mutex::new(Kept { token: start, ..Kept::default() }));
        let writers = [("a", &desk.admin), ("b", &desk.admin), ("rival", &desk.rival)];
        let writers = writers.map(|(name, ctx)| tokio::spawn(write(ctx.clone(), name, Arc::clone(&kept))));
        let mut kills = 0;
        let all = 2 * 3 * size();
        let end = std::time::Instant::now() + Duration::from_secs(if size() > 100 { 900 } else { 60 });
        loop {
            let consumer = tokio::spawn(consume(desk.eve.clone(), Arc::clone(&kept)));
            tokio::time::sleep(Duration::from_millis(60 + 7 * (kills % 11))).await;
            assert!(!consumer.is_finished(), "{:?}", consumer.await);
            consumer.abort();
            let _ = consumer.await;
            kills += 1;
            let mut distinct = kept.lock().unwrap().seen.clone();
            distinct.sort();
            distinct.dedup();
            if distinct.len() >= all {
                break;
            }
            assert!(std::time::Instant::now() < end, "{} of {all}", distinct.len());
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let kept = kept.lock().unwrap();
        let mut first = BTreeMap::new();
        for (place, told) in kept.seen.iter().enumerate() {
            first.entry(told.as_str()).or_insert(place);
        }
        for writer in ["a", "b"] {
            for n in 0..size() {
                let name = format!("{writer}{n}");
                let expected = [format!("+ {name}"), format!("{name} -> {name}*"), format!("- {name}*")];
                let places = expected.map(|told| first.remove(told.as_str()));
                assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {places:?}");
            }
        }
        assert!(first.is_empty(), "events of others: {first:?}");
        println!("{kills} kills, {} of {all} events told twice", kept.seen.len() - all);
    }
}
