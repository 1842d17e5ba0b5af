//! Two tenants, three roles, random documents and random calls of every verb: whatever happens, an actor learns what a few
//! lines of plain Rust ([`rules`]) say that it may learn, and the documents end as they say.
//!
//! `MODEL_TEST_SIZE=full` (10,000 sequences on each store) is for `.ci/soak`; `MODEL_TEST_SEED` runs one sequence again.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod calls;
mod generate;
mod model;
mod reads;
mod rules;

use std::collections::BTreeMap;
use std::env;

use bson::Document;
use model_core::{Db, Id, testing};

use crate::generate::{Random, World};
use crate::model::{Stage, open};
use crate::rules::{Plain, State};

#[tokio::test]
async fn on_the_embedded_store() {
    for seed in seeds(300, 10_000) {
        sequence(&open(Db::memory()).await, seed).await;
    }
}

/// How many sequences run beside each other: what they wait for is the server's journal.
const WORLDS: u64 = 16;

/// Each world has a database of its own, which is empty when a sequence begins.
#[tokio::test(flavor = "multi_thread")]
async fn on_mongodb() {
    let seeds = seeds(15, 10_000);
    let worlds: Vec<_> = (0..WORLDS.min(seeds.end - seeds.start))
        .map(|world| {
            let seeds = seeds.clone().skip(world as usize).step_by(WORLDS as usize);
            tokio::spawn(async move {
                let database = model_tests::server::fresh_database().await;
                let db = open(Db::mongo(database.clone())).await;
                for seed in seeds {
                    sequence(&db, seed).await;
                    for collection in ["papers", "audit_log"] {
                        let all = database.collection::<Document>(collection);
                        all.delete_many(Document::new()).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for world in worlds {
        world.await.unwrap();
    }
}

fn seeds(small: u64, full: u64) -> std::ops::Range<u64> {
    if let Ok(seed) = env::var("MODEL_TEST_SEED") {
        let seed = seed.parse().unwrap();
        return seed..seed + 1;
    }
    match env::var("MODEL_TEST_SIZE").as_deref() {
        Ok("full") => 0..full,
        _ => 0..small,
    }
}

/// One sequence of calls, in tenants of its own.
async fn sequence(db: &Db, seed: u64) {
    let stage = Stage::new(db, seed);
    let mut world = World::new(Random::new(seed));
    let mut state = State::default();
    for step in 0..24 {
        let (who, call) = world.call(&state, step);
        let case = format!("seed {seed}, step {step}: {who:?} {call:?}");
        let before = state.clone();
        let expected = rules::apply(&mut state, &who, &call);
        let found = calls::perform(&stage, &who, &call).await;
        let told = found.shown();
        assert_eq!(found.plain(), expected, "{case}");
        state.learn_ids(&found);
        let foreign = format!("canary-{}-", 1 - who.tenant);
        assert!(!told.contains(&foreign), "{case}: another tenant's: {told}");
        for error in found.errors() {
            assert!(!error.contains("canary"), "{case}: a value in {error}");
            for hidden in before.papers.iter().filter(|paper| !rules::reads(&who, paper)) {
                let id = hidden.id.as_ref().unwrap().to_string();
                let own_words = call.names(&id);
                assert!(
                    own_words || !error.contains(&id),
                    "{case}: a hidden id in {error}"
                );
            }
        }
    }
    let stored = testing::stored(db, "papers").await.unwrap();
    let stored: BTreeMap<_, _> = stored
        .iter()
        .filter_map(|one| {
            let tenant = stage.tenant_number(one.get_str("organization").unwrap())?;
            let plain = Plain {
                id: None,
                tenant,
                owner: one.get_str("owner").unwrap().to_owned(),
                level: one.get_i64("level").unwrap(),
                code: one.get_str("code").unwrap().to_owned(),
                text: one.get_str("text").unwrap().to_owned(),
                parent: one
                    .get_object_id("parent")
                    .ok()
                    .map(|id| Id::parse(&id.to_hex()).unwrap()),
                count: one.get_i64("count").unwrap(),
            };
            Some((plain.text.clone(), plain))
        })
        .collect();
    let expected: BTreeMap<_, _> = state
        .papers
        .into_iter()
        .map(|paper| (paper.text.clone(), Plain { id: None, ..paper }))
        .collect();
    assert_eq!(stored, expected, "seed {seed}: the documents at the end");
}
