//! Does something with secrets so many times, for valgrind to count: `secrets-probe envelope ours|bare <times>` seals and
//! opens, `secrets-probe <database> sealed|binary <times>`, with `MONGODB_URI`, reads all documents.

#![allow(
    clippy::expect_used,
    reason = "the caller is a benchmark, which shows the message"
)]

use std::env;

use model_benches::secrets;
use model_benches::unrevealed::Shelf;
use model_tests::server::server;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let mut argument = || {
        arguments
            .next()
            .expect("secrets-probe envelope|<database> <side> <times>")
    };
    let (what, side, times) = (argument(), argument(), argument());
    let times = times.parse().expect("a number of times");
    if what == "envelope" {
        secrets::there_and_back(&side, times).await;
        return;
    }
    let database = server().await.client().await.database(&what);
    Shelf::new(database).await.read(&side, times).await;
}
