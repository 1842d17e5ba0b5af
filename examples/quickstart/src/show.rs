//! Prints for a reader: what differs from run to run is masked.

use bson::{Bson, Document};
use model_core::prelude::*;

pub fn heading(text: &str) {
    println!("\n## {text}\n");
}

pub fn line(text: &str) {
    println!("- {text}");
}

/// Shows the error of an operation that has to fail; fails if it did not.
pub fn refused<T>(what: &str, result: Result<T>) -> Result<()> {
    match result {
        Ok(_) => Err(Error::refused(format!("{what}: it was not refused"))),
        Err(error) => {
            line(&format!("{what}: {error}"));
            Ok(())
        }
    }
}

/// Raw documents, as they are stored.
pub fn raw(documents: &[Document]) {
    for document in documents {
        println!("stored: {{");
        for (key, value) in document {
            println!("  {key}: {}", text(key, value));
        }
        println!("}}");
    }
}

fn text(key: &str, value: &Bson) -> String {
    match value {
        Bson::Binary(binary) => format!(
            "binary of subtype {}, {} bytes",
            u8::from(binary.subtype),
            binary.bytes.len()
        ),
        Bson::Int64(_) if key == "_rev" => "(a number that every write moves)".to_owned(),
        Bson::DateTime(date) => date.to_chrono().to_rfc3339(),
        other => other.to_string(),
    }
}

/// The audit log, one entry a paragraph.
pub fn audit(entries: &[Document]) {
    for entry in entries {
        let part = |path: &str| -> String {
            let mut parts = path.split('.');
            let first = parts.next().and_then(|key| entry.get(key)).cloned();
            let value = parts.fold(first, |value, key| value?.as_document()?.get(key).cloned());
            value
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_default()
        };
        let reason = entry
            .get_str("bypass_reason")
            .map(|reason| format!(" (bypass: {reason})"))
            .unwrap_or_default();
        line(&format!(
            "{} by {} on {}{reason}",
            part("event"),
            part("actor.id"),
            part("entity.id")
        ));
        for change in entry
            .get_array("changes")
            .into_iter()
            .flatten()
            .filter_map(Bson::as_document)
        {
            let path = change.get_str("path").unwrap_or_default();
            let side = |key: &str| {
                change
                    .get(key)
                    .map_or("(absent)".to_owned(), |value| text("", value))
            };
            if change.get_bool("changed").is_ok() {
                println!("    {path}: changed");
            } else {
                println!("    {path}: {} -> {}", side("before"), side("after"));
            }
        }
    }
}
