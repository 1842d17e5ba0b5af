//! Does one verb so many times on a database that is filled, for valgrind to count:
//! `verb-probe <database> <verb> Ours|Bare|Batched|Floor <times>`, with `MONGODB_URI`.

#![allow(
    clippy::expect_used,
    reason = "the caller is a benchmark, which shows the message"
)]

use std::env;

use model_benches::stage::{Side, Stage, Verb};
use model_tests::server::server;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let mut argument = || {
        arguments
            .next()
            .expect("verb-probe <database> <verb> <side> <times>")
    };
    let (database, verb, side, times) = (argument(), argument(), argument(), argument());
    let verb = Verb::named(&verb);
    let side = Side::ALL.into_iter().find(|known| format!("{known:?}") == side);
    let database = server().await.client().await.database(&database);
    let stage = Stage::new(database).await;
    let times = times.parse().expect("a number of times");
    stage
        .run(verb.expect("a known verb"), side.expect("a known side"), times)
        .await;
}
