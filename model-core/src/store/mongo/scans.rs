//! Operations that looked at every document of a collection, as the server's profiler notes them.

use bson::{Bson, Document, doc};
use mongodb::Database;

use super::super::{Scan, StoreResult};
use super::error::store_error;
use super::read;

/// Begins to note them, and forgets what was noted before.
pub(super) async fn watch(db: &Database) -> StoreResult<()> {
    run(db, doc! { "profile": 0 }).await?;
    let dropped = db.collection::<Document>("system.profile").drop().await;
    dropped.map_err(|error| store_error(&error))?;
    let filter = doc! { "planSummary": { "$regex": "COLLSCAN" } };
    run(db, doc! { "profile": 1, "filter": filter }).await
}

/// Ends it, and tells what was noted.
pub(super) async fn take(db: &Database) -> StoreResult<Vec<Scan>> {
    run(db, doc! { "profile": 0, "filter": "unset" }).await?;
    let noted = read::all(db, &doc! { "find": "system.profile" }).await?;
    Ok(noted.iter().filter_map(|entry| scan(db.name(), entry)).collect())
}

async fn run(db: &Database, command: Document) -> StoreResult<()> {
    let outcome = db.run_command(command).await;
    outcome.map(|_| ()).map_err(|error| store_error(&error))
}

fn scan(database: &str, entry: &Document) -> Option<Scan> {
    let place = entry
        .get_str("ns")
        .ok()?
        .strip_prefix(database)?
        .strip_prefix('.')?;
    let command = entry.get_document("command").ok()?;
    let stage = command
        .get_array("pipeline")
        .ok()
        .and_then(|stages| stages.first()?.as_document());
    let filter = command
        .get_document("filter")
        .or_else(|_| command.get_document("q"))
        .ok()
        .or_else(|| stage?.get_document("$match").ok());
    let mut paths = Vec::new();
    if let Some(filter) = filter {
        collect(filter, &mut paths);
    }
    let verb = entry.get_str("op").unwrap_or_default();
    let verb = match verb {
        "command" | "query" => command.keys().next().map_or(verb, String::as_str),
        other => other,
    };
    Some(Scan {
        collection: place.to_owned(),
        verb: verb.to_owned(),
        paths,
    })
}

/// The fields that a filter names, and no value.
fn collect(filter: &Document, paths: &mut Vec<String>) {
    for (key, value) in filter {
        if !key.starts_with('$') {
            if !paths.contains(key) {
                paths.push(key.clone());
            }
            continue;
        }
        if let Bson::Array(parts) = value {
            parts
                .iter()
                .filter_map(Bson::as_document)
                .for_each(|part| collect(part, paths));
        }
    }
}
