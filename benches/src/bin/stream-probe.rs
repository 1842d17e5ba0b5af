//! Reads all documents of a database in a process that does nothing else, and tells its memory at each quarter, in MiB:
//! `stream-probe <database> <documents>`, with `MONGODB_URI`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "the caller is a benchmark, which reads what is printed and shows the message"
)]

use std::env;

use model_benches::growth;
use model_tests::server::server;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let mut argument = || arguments.next().expect("stream-probe <database> <documents>");
    let (database, documents) = (argument(), argument());
    let database = server().await.client().await.database(&database);
    let documents = documents.parse().expect("a number of documents");
    for memory in growth::streamed(&database, documents).await {
        println!("{memory}");
    }
}
