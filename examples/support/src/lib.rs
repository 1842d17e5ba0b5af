//! What the example apps share: the choice of the store, and lines for a reader.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the output is what an example is for"
)]

mod mongoose;
mod show;

use model_core::prelude::*;
use model_core::{DbBuilder, SyncOptions};

pub use mongoose::mongoose;
pub use show::{heading, json, line, raw, refused, stored};

/// Runs a scenario on the embedded store, or where `MONGODB_URI` is set on that server, in a database of its own that is
/// dropped at the end.
///
/// # Errors
/// Those of the scenario, and of the connection.
pub async fn on_a_store(
    app: &str,
    scenario: impl AsyncFnOnce(DbBuilder) -> Result<()>,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    match std::env::var("MONGODB_URI") {
        Ok(uri) => {
            let client = mongodb::Client::with_uri_str(uri).await?;
            let name = format!("model_core_{app}_{}", std::process::id());
            eprintln!("store: MongoDB, database {name}, dropped at the end");
            let database = client.database(&name);
            let result = scenario(Db::mongo(database.clone())).await;
            database.drop().await?;
            result?;
        }
        Err(_) => {
            eprintln!("store: embedded, in memory (set MONGODB_URI to run on MongoDB)");
            scenario(Db::memory()).await?;
        }
    }
    Ok(())
}

/// Makes the declared collections and builds the declared indexes, as a release does, and shows how many there are.
///
/// # Errors
/// Those of the store.
pub async fn prepare(db: &Db) -> Result<()> {
    heading("Indexes: what the models declare");
    println!("{}", db.plan_indexes().await?);
    db.sync_collections().await?;
    db.sync_indexes(SyncOptions::default()).await?;
    db.check_indexes().await?;
    line("built; a second plan is empty");
    Ok(())
}

/// Runs each test on both stores. The first line names what opens the app over a builder.
#[macro_export]
macro_rules! on_both_stores {
    (open with $open:path; $($(#[doc = $doc:literal])* async fn $name:ident($app:ident: $App:ty) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[doc = $doc])*
            async fn check($app: $App) $body

            #[tokio::test]
            async fn on_the_embedded_store() {
                check($open(model_core::Db::memory()).await).await;
            }

            #[tokio::test]
            async fn on_mongodb() {
                check($open(model_core::Db::mongo(model_tests::server::fresh_database().await)).await).await;
            }
        }
    )*};
}
