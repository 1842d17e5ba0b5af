//! This program once more, for one of its tests: what is killed, or measured, is a process of its own.

use std::env;
use std::process::Command;

use model_tests::server::server;
use mongodb::Database;

/// Names the database, and says that this is such a process.
const VARIABLE: &str = "MODEL_ATTACKED";

/// Runs the ignored test of that name, over that database.
pub(crate) async fn command(test: &str, database: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, database);
    if !database.is_empty() {
        command.env("MONGODB_URI", server().await.uri());
    }
    command
}

pub(crate) fn is_one() -> bool {
    env::var(VARIABLE).is_ok()
}

/// The database that the process was started for; none if somebody runs ignored tests.
pub(crate) async fn database() -> Option<Database> {
    let name = env::var(VARIABLE).ok()?;
    Some(server().await.client().await.database(&name))
}
