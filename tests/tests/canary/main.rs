//! A planted secret in every kind of field, then every operation; then nobody finds it: not in the files of the database
//! and its log (of every command), not in what this crate and the driver trace, not in an error and its causes, an audit
//! entry, a view, a debug output or the message of a panic.
//!
//! A marker that is no secret goes the same ways and is found, so that the search is known to see. In a binary of its own:
//! the subscriber and the panic hook are those of the process.

mod listen;
mod model;
mod operations;

use std::path::{Path, PathBuf};

use bson::doc;
use model_core::prelude::*;
use model_core::testing;
use model_tests::server::Server;
use mongodb::Client;

use crate::model::{CANARY, MARKER, User, register};

/// The forms in which bytes are written: as they are, in hexadecimal, in base64 of any alignment, as a list of numbers.
fn forms(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<_> = text.bytes().map(|byte| byte.to_string()).collect();
    let mut forms = vec![text.to_owned(), hex.to_uppercase(), hex, list.join(", ")];
    for shift in 0..3 {
        let shifted = [&b"..."[..shift], text.as_bytes()].concat();
        let encoded = BASE64.encode(shifted);
        // Without the digits that its neighbours have a share in.
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// Whether the bytes hold the text in any of its forms.
fn holds(bytes: &[u8], forms: &[Vec<u8>]) -> bool {
    forms
        .iter()
        .any(|form| bytes.windows(form.len()).any(|window| window == form.as_slice()))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Everything that was said, by whom.
type Said = Vec<(String, Vec<u8>)>;

fn search(said: &Said) {
    let (canary, marker) = (forms(CANARY), forms(MARKER));
    for (who, bytes) in said {
        // The text alone says what leaked; the value would be in this test's own output.
        assert!(!holds(bytes, &canary), "the canary is in {who}");
    }
    for who in [
        "the files",
        "the trace",
        "debug outputs",
        "audit entries",
        "views",
        "panics",
    ] {
        let of = said.iter().filter(|(name, _)| name.starts_with(who));
        assert!(
            of.map(|(_, bytes)| bytes).any(|bytes| holds(bytes, &marker)),
            "{who} were not seen"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_canary_is_nowhere() {
    let trace = listen::trace();
    let panics = listen::panics();
    let server = Server::start().await.unwrap();
    let mut options = server.client_options().await;
    options.tracing_max_document_length_bytes = Some(1 << 20);
    let client = Client::with_options(options).unwrap();
    let database = client.database("canary");
    // Every command into the server's log.
    database
        .run_command(doc! { "profile": 2, "slowms": -1 })
        .await
        .unwrap();
    let folder = client
        .database("admin")
        .run_command(doc! { "getCmdLineOpts": 1 })
        .await
        .unwrap();
    let storage = folder
        .get_document("parsed")
        .unwrap()
        .get_document("storage")
        .unwrap();
    let folder = PathBuf::from(storage.get_str("dbPath").unwrap());

    let mut said = Said::new();
    for (name, builder) in [("embedded", Db::memory()), ("mongodb", Db::mongo(database))] {
        let clock = testing::FixedClock::at("2026-03-01T09:00:00Z");
        let (policy, limits) = testing::fast_passwords();
        let db = register(builder)
            .keys(model::keyring())
            .clock(clock.clone())
            .passwords(policy, limits)
            .build_lazy()
            .unwrap();
        db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::new("ada"));
        for (what, text) in operations::all(&db, &ctx, &clock).await {
            said.push((format!("{what} ({name})"), text.into_bytes()));
        }
        for collection in ["safes", "audit_log", "__model_keys"] {
            let stored = format!("{:?}", testing::stored(&db, collection).await.unwrap());
            let what = if collection == "audit_log" {
                "audit entries"
            } else {
                collection
            };
            said.push((format!("{what} ({name})"), stored.into_bytes()));
        }
    }
    let admin = client.database("admin");
    admin.run_command(doc! { "fsync": 1 }).await.unwrap();
    let mut found = Vec::new();
    files(&folder, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for path in found {
        // Some go while the server runs.
        if let Ok(bytes) = std::fs::read(&path) {
            said.push((format!("the files: {}", path.display()), bytes));
        }
    }
    said.push(("the trace".to_owned(), trace.take()));
    said.push(("panics".to_owned(), panics.take()));
    search(&said);
}
