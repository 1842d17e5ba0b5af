//! The administration command as a program: in a pipe, with bad arguments, against both stores; its output is part of
//! what it promises.

#[path = "admin/arguments.rs"]
mod arguments;
#[path = "admin/kills.rs"]
mod kills;
#[path = "admin/looks.rs"]
mod looks;
#[path = "admin/migrate.rs"]
mod migrate;
#[path = "admin/release.rs"]
mod release;
#[path = "admin/schema.rs"]
mod schema;

use std::process::{Command, Output};

use bson::Document;
use model_tests::depot;
use model_tests::server;
use mongodb::Database;
use serde_json::Value;

/// A run of the program over what `depot::documents` begins with, on the embedded store or on a database.
struct Program {
    server: Option<(String, Database)>,
}

impl Program {
    fn embedded() -> Self {
        Self { server: None }
    }

    async fn over_mongodb() -> Self {
        let database = server::fresh_database().await;
        for (collection, document) in depot::documents() {
            database
                .collection::<Document>(collection)
                .insert_one(document)
                .await
                .unwrap();
        }
        Self {
            server: Some((server::server().await.uri().to_owned(), database)),
        }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_model-admin"));
        command
            .args(arguments.split_whitespace())
            .env_remove("MONGODB_URI");
        if let Some((uri, database)) = &self.server {
            command
                .env("MONGODB_URI", uri)
                .env("ADMIN_DATABASE", database.name());
        }
        command
    }

    /// The exit code, what was printed, what was told beside it.
    fn run(&self, arguments: &str) -> (i32, String, String) {
        told(self.command(arguments).output().unwrap())
    }

    fn json(&self, arguments: &str) -> (i32, Value) {
        let (code, out, err) = self.run(&format!("{arguments} --json"));
        let value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        (code, value)
    }
}

fn told(output: Output) -> (i32, String, String) {
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}
