//! `schema`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::command::{GraphFormat, SchemaTask};
use super::graph::Graph;
use super::outcome::{Outcome, Status};
use super::svg;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::lifecycle::{Manifest, ManifestDiff};

pub(super) fn carry_out(db: &Db, task: &SchemaTask) -> Result<Outcome> {
    match task {
        SchemaTask::Print => {
            let text = db.manifest().to_string();
            let json = serde_json::from_str(&text).unwrap_or_default();
            Ok(Outcome::new(text, json, Status::Good))
        }
        SchemaTask::Diff { manifest } => {
            let diff = read(manifest)?.diff(&db.manifest());
            Ok(Outcome::new(diff.to_string(), told(&diff), Status::Good))
        }
        SchemaTask::Check { manifest, base } => check(db, manifest, base.as_deref()),
        SchemaTask::Graph { format } => {
            let graph = Graph::of(db.models());
            let text = match format {
                GraphFormat::Mermaid => graph.to_string(),
                GraphFormat::Svg => svg::draw(&graph),
            };
            let json = json!({ "format": format!("{format:?}").to_lowercase(), "graph": text });
            Ok(Outcome::new(text, json, Status::Good))
        }
    }
}

fn read(path: &Path) -> Result<Manifest> {
    let text = fs::read_to_string(path).map_err(|error| {
        let message = format!(
            "cannot read {}: {}; `schema print` prints it",
            path.display(),
            error.kind()
        );
        Error::new(ErrorKind::Configuration, message)
    })?;
    Manifest::parse(&text)
}

fn check(db: &Db, manifest: &Path, base: Option<&Path>) -> Result<Outcome> {
    let now = db.manifest();
    let stale = read(manifest)?.diff(&now);
    let changed = match base {
        Some(base) => read(base)?.diff(&now),
        None => stale.clone(),
    };
    let unmigrated: Vec<_> = changed
        .changes
        .iter()
        .filter(|change| change.unmigrated.is_some())
        .collect();
    let mut text = stale.to_string();
    if !stale.is_empty() {
        text.push_str(&format!(
            "\nthe manifest is stale: write it anew with `schema print > {}`",
            manifest.display()
        ));
    }
    if !unmigrated.is_empty() {
        text.push_str("\nstored documents need a step of `migrate`, and the model a higher `version`:");
        for change in &unmigrated {
            text.push_str(&format!("\n{change}"));
        }
    }
    let is_found = !stale.is_empty() || !unmigrated.is_empty();
    let json = json!({
        "stale": told(&stale),
        "unmigrated": unmigrated.iter().map(|change| change.fact.as_str()).collect::<Vec<_>>(),
    });
    Ok(Outcome::new(text, json, Status::found(is_found)))
}

fn told(diff: &ManifestDiff) -> Value {
    let changes = diff.changes.iter().map(|change| {
        json!({
            "fact": change.fact, "before": change.before, "after": change.after, "unmigrated": change.unmigrated,
        })
    });
    changes.collect()
}
