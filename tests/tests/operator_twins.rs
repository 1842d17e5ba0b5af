//! An update operator does to a document what the server's operator of that name does, byte for byte. Through the public
//! API: handles make the operators, the embedded store keeps what comes out; the bare driver sends the same by `$inc`,
//! `$push` and so on.
//!
//! `MODEL_TEST_SIZE=full` runs 100,000 updates; `MODEL_TEST_SEED` sets the seed.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

#[path = "operator_twins/generate.rs"]
mod generate;
#[path = "operator_twins/models.rs"]
mod models;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::testing;
use mongodb::options::ReturnDocument;

use crate::generate::{Case, Generator, case};
use crate::models::{Nobody, Twin};

/// How many documents stand in a collection together.
const DOCUMENTS: usize = 250;

fn rounds() -> usize {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    if full { 400 } else { 16 }
}

fn seed() -> u64 {
    std::env::var("MODEL_TEST_SEED").map_or(20_260_302, |seed| seed.parse().unwrap())
}

/// The operators that a server knows, and the generator is to use.
const OPERATORS: [&str; 11] = [
    "$addToSet",
    "$bit",
    "$inc",
    "$max",
    "$min",
    "$mul",
    "$pop",
    "$pull",
    "$pullAll",
    "$push",
    "$set",
];

/// The bytes of a document whose keys are in order at every depth: in which order an update puts new keys is the
/// server's own affair.
fn ordered(document: &Document) -> Vec<u8> {
    fn value(of: &Bson) -> Bson {
        match of {
            Bson::Document(document) => sorted(document).into(),
            Bson::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
            other => other.clone(),
        }
    }
    fn sorted(document: &Document) -> Document {
        let mut keys: Vec<_> = document.keys().collect();
        keys.sort();
        keys.into_iter()
            .map(|key| (key.clone(), value(&document[key.as_str()])))
            .collect()
    }
    sorted(document).to_vec().unwrap()
}

async fn on_the_server(
    collection: &mongodb::Collection<Document>,
    id: &str,
    case: &Case,
) -> Option<Document> {
    let done = collection
        .find_one_and_update(doc! { "_id": id }, case.update.clone())
        .array_filters(case.array_filters.clone())
        .return_document(ReturnDocument::After)
        .await;
    done.ok().flatten()
}

/// Whether the model can hold this document at all.
async fn fits(document: &Document) -> bool {
    let db = Db::memory().model::<Twin>().build().await.unwrap();
    testing::store_raw(&db, "twins", document).await.unwrap();
    let id = Id::parse(document.get_str("_id").unwrap()).unwrap();
    Twin::get(&db.global_context(Nobody), &id).await.is_ok()
}

#[tokio::test]
async fn operators_do_what_the_servers_do() {
    let mut g = Generator(seed());
    let server = model_tests::server::fresh_database().await;
    let (mut done, mut changed, mut refused, mut unfit) = (0, 0, 0, 0);
    let mut used = BTreeSet::new();
    for round in 0..rounds() {
        let collection = server.collection::<Document>(&format!("twins{round}"));
        let db = Db::memory().model::<Twin>().build().await.unwrap();
        let ctx = db.global_context(Nobody);
        let before: Vec<Document> = (0..DOCUMENTS)
            .map(|number| g.document(&format!("d{number:03}")))
            .collect();
        collection.insert_many(&before).await.unwrap();
        for document in &before {
            testing::store_raw(&db, "twins", document).await.unwrap();
        }
        let mut expected = Vec::new();
        for document in &before {
            let mut case = case(&mut g);
            used.append(&mut case.used);
            let id = document.get_str("_id").unwrap();
            let typed = case.typed.take().unwrap();
            let ours = Twin::update_with(&ctx, &Id::parse(id).unwrap(), |_| typed).await;
            let theirs = if case.repeated {
                None
            } else {
                on_the_server(&collection, id, &case).await
            };
            let told = || {
                format!(
                    "seed {}, {} {:?}\n{document}",
                    seed(),
                    case.update,
                    case.array_filters
                )
            };
            done += 1;
            expected.push(match (&ours, theirs) {
                (Ok(_), Some(after)) => {
                    changed += usize::from(ordered(&after) != ordered(document));
                    (after, told())
                }
                (Err(error), None) => {
                    assert!(error.is_invalid(), "{error}\n{}", told());
                    refused += 1;
                    (document.clone(), told())
                }
                // What the server would store, the model could not read.
                (Err(error), Some(after)) => {
                    assert!(
                        error.is_invalid() && !fits(&after).await,
                        "{error}\n{}\n{after}",
                        told()
                    );
                    unfit += 1;
                    (document.clone(), told())
                }
                (Ok(_), None) => panic!("the server refuses {}", told()),
            });
        }
        let after = testing::stored(&db, "twins").await.unwrap();
        assert_eq!(after.len(), expected.len());
        for mut ours in after {
            ours.remove("_rev");
            let (theirs, told) = expected
                .iter()
                .find(|(theirs, _)| theirs.get("_id") == ours.get("_id"))
                .unwrap();
            assert!(
                ordered(&ours) == ordered(theirs),
                "{told}\nours   {ours}\ntheirs {theirs}"
            );
        }
        collection.drop().await.unwrap();
    }
    println!("{done} updates: {changed} changed, {refused} refused by both, {unfit} did not fit");
    assert!(changed * 2 > done, "too few changes to say much");
    assert!(refused * 100 > done && unfit > 0, "too few refusals to say much");
    for operator in OPERATORS {
        assert!(used.contains(operator), "no update has {operator}");
    }
}

/// Every action of the operators' table has its case in the generator.
#[test]
fn every_operator_is_generated() {
    let read =
        |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
    let generator = read("tests/tests/operator_twins/generate.rs");
    let mut methods = 0;
    for file in ["field.rs", "array.rs", "map.rs"] {
        let source = read(&format!("model-core/src/query/update/{file}"));
        for name in source
            .split("    pub fn ")
            .skip(1)
            .filter_map(|rest| rest.split(['(', '<']).next())
            .filter(|name| *name != "and")
        {
            assert!(
                generator.contains(&format!(".{name}(")),
                "`{name}` is not generated"
            );
            methods += 1;
        }
    }
    assert!(methods > 25, "the methods were not found: {methods}");
}
