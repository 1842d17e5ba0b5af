//! Prints for a reader: what differs from run to run is masked.

use bson::{Bson, Document};
use model_core::prelude::*;
use model_core::testing;

/// The title of a stop.
pub fn heading(text: &str) {
    println!("\n## {text}\n");
}

/// One fact.
pub fn line(text: impl AsRef<str>) {
    println!("- {}", text.as_ref());
}

/// A view, as an API would send it; ids and instants are masked.
pub fn json(view: &impl serde::Serialize) {
    let mut value = serde_json::to_value(view).unwrap_or_default();
    mask(&mut value);
    println!("{}", serde_json::to_string_pretty(&value).unwrap_or_default());
}

fn mask(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if is_id(text) => *text = "(an id)".into(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask),
        serde_json::Value::Object(members) => {
            if let Some(revision) = members.get_mut("revision") {
                *revision = "(a number that every write moves)".into();
            }
            members.values_mut().for_each(mask);
        }
        _ => {}
    }
}

/// An `ObjectId`, a UUID, or a prefix and its random part.
fn is_id(text: &str) -> bool {
    if text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4 {
        return text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    }
    let random = text.rsplit('_').next().unwrap_or(text);
    matches!((random.len(), text.len()), (24, 24) | (32, _))
        && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Shows the error of an operation that has to fail; fails if it did not.
///
/// # Errors
/// The operation was not refused.
pub fn refused<T>(what: &str, result: Result<T>) -> Result<()> {
    match result {
        Ok(_) => Err(Error::refused(format!("{what}: it was not refused"))),
        Err(error) => {
            let text = error.to_string();
            let words = text.split(' ').map(|word| {
                match word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                    id if is_id(id) => word.replace(id, "(an id)"),
                    _ => word.to_owned(),
                }
            });
            line(format!("{what}: {}", words.collect::<Vec<_>>().join(" ")));
            Ok(())
        }
    }
}

/// The documents of a collection, as a backup shows them.
///
/// # Errors
/// Those of the store.
pub async fn stored(db: &Db, collection: &'static str) -> Result<()> {
    raw(&testing::stored(db, collection).await?);
    Ok(())
}

/// Raw documents, as they are stored.
pub fn raw(documents: &[Document]) {
    for document in documents {
        println!("stored: {{");
        for (key, value) in by_name(document) {
            println!("  {key}: {}", text(key, value));
        }
        println!("}}");
    }
}

/// The members of a document by their names: out of a time series they come in an order of the server's.
fn by_name(document: &Document) -> Vec<(&String, &Bson)> {
    let mut members: Vec<_> = document.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    members
}

fn text(key: &str, value: &Bson) -> String {
    match value {
        Bson::Binary(binary) => format!(
            "binary of subtype {}, {} bytes",
            u8::from(binary.subtype),
            binary.bytes.len()
        ),
        Bson::ObjectId(_) => "(an id)".to_owned(),
        Bson::Int64(_) if key == "_rev" => "(a number that every write moves)".to_owned(),
        Bson::DateTime(date) => date.to_chrono().to_rfc3339(),
        Bson::Document(document) => {
            let members = by_name(document).into_iter();
            let members = members.map(|(key, value)| format!("{key}: {}", text(key, value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Bson::Array(items) => {
            let items = items.iter().map(|item| text("", item));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
