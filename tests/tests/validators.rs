//! Every document that our codec writes passes the server's validator, and so does every other spelling of it that we
//! read.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a failure here is a failed test; not all of the codec's test support is needed"
)]

#[path = "codec/generate.rs"]
mod generate;
#[path = "codec/model.rs"]
mod model;

use bson::{Bson, Document};
use model_core::Db;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::generate::{disguise, everything};
use crate::model::{Everything, expected};

#[tokio::test]
async fn what_our_codec_writes_and_reads_passes() {
    let database = model_tests::server::fresh_database().await;
    let db = Db::mongo(database.clone())
        .model::<Everything>()
        .build()
        .await
        .unwrap();
    db.sync_validators().await.unwrap();
    db.check_validators().await.unwrap();
    let collection = database.collection::<Document>("everything");
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    let mut runner = TestRunner::deterministic();
    let mut ids = 0_u32;
    let mut seed = 7_usize;
    let mut choices = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below.max(1)
    };
    for number in 0..if full { 4_000 } else { 200 } {
        let model = everything().new_tree(&mut runner).unwrap().current();
        let mut written = expected(&model);
        let mut other = disguise(&written, &mut choices);
        // The server refuses an undefined value where it takes null.
        for (_, value) in other.iter_mut().filter(|(_, value)| **value == Bson::Undefined) {
            *value = Bson::Null;
        }
        for (document, name) in [(&mut written, "written"), (&mut other, "other")] {
            ids += 1;
            document.insert(
                "_id",
                bson::oid::ObjectId::parse_str(format!("{ids:024x}")).unwrap(),
            );
            let outcome = collection.insert_one(&*document).await;
            assert!(outcome.is_ok(), "{number} {name}: {outcome:?}\n{document:?}");
        }
    }
}
