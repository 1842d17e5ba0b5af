//! What the audit log calls a document: by its id, or by its composite key where that alone names it.

use bson::Bson;

use crate::engine::read::load;
use crate::engine::write::diff::to_bson;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::value::IdValue;

/// The name of a stored document.
pub(in crate::engine) fn named(schema: &ModelSchema, id: &IdValue, document: &[u8]) -> String {
    if schema.has_id() {
        return id.to_string();
    }
    let parts = schema.key.iter().map(|part| {
        let value = load::raw_field(document, part).ok().flatten();
        to_bson(value).unwrap_or(Bson::Null)
    });
    joined(parts)
}

/// The name of the document that a key names.
///
/// # Errors
/// `Configuration`: the model's documents have ids, or the key lacks a part.
pub(crate) fn entity_of_key(schema: &ModelSchema, key: &Node) -> Result<String> {
    if schema.has_id() {
        return Err(Error::new(
            ErrorKind::Configuration,
            "the entries of this model name its documents by their ids",
        ));
    }
    let nodes = match key {
        Node::And(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    let mut parts = Vec::with_capacity(schema.key.len());
    for part in schema.key {
        let value = nodes.iter().find_map(|node| match node {
            Node::Field {
                path,
                test: Test::Eq(value),
            } if path == part => Some(value.clone()),
            _ => None,
        });
        parts.push(value.ok_or_else(|| {
            let message = "the entries of a document are found by `eq` on each part of its key";
            Error::new(ErrorKind::Configuration, message).at_path(*part)
        })?);
    }
    Ok(joined(parts))
}

/// The parts between slashes; `~` and `/` inside of them as in a JSON pointer (RFC 6901), so that no two keys look alike.
fn joined(parts: impl IntoIterator<Item = Bson>) -> String {
    let texts = parts
        .into_iter()
        .map(|part| text(part).replace('~', "~0").replace('/', "~1"));
    texts.collect::<Vec<_>>().join("/")
}

fn text(value: Bson) -> String {
    match value {
        Bson::String(text) => text,
        Bson::ObjectId(id) => id.to_hex(),
        Bson::DateTime(at) => at
            .to_chrono()
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        other => match IdValue::from_bson(&other) {
            Some(id) => id.to_string(),
            None => other.to_string(),
        },
    }
}
