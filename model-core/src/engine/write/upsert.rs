//! The document that a unique key names, whether it is there or not.

use crate::engine::read::accept;
use crate::engine::read::load;
use crate::engine::unit::{Deleted, ReadUnit, visible};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::store::into_error;
use crate::value::IdValue;

/// The id of the document that `key` selects, if the caller sees one.
///
/// # Errors
/// `Configuration`: the key does not name one document, so that two callers could make two.
pub(crate) async fn find_by_key(unit: &mut dyn ReadUnit, key: &Node) -> Result<Option<IdValue>> {
    unit.caller().ports.admit(unit.schema()).await?;
    if !is_unique(unit.schema(), key) {
        return Err(Error::new(
            ErrorKind::Configuration,
            "a document is named by `eq` on each field of a unique index, or by its id",
        ));
    }
    let selection = visible(&*unit, Deleted::Hidden, key.clone()).await?;
    let found = unit
        .caller()
        .store()?
        .find_one(unit.schema().collection, &selection)
        .await
        .map_err(into_error)?;
    match found {
        Some(document) if accept(unit, document.as_bytes()).await? => {
            load::id(unit.schema(), document.as_bytes()).map(Some)
        }
        _ => Ok(None),
    }
}

/// Whether `key` is an equality on each field of a unique index (the tenant's comes by itself).
fn is_unique(schema: &ModelSchema, key: &Node) -> bool {
    let parts = match key {
        Node::And(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    let mut equal = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Node::Field { path, test } if is_one_value(test) => equal.push(path.as_ref()),
            _ => return false,
        }
    }
    if equal.contains(&schema.id_field) {
        return true;
    }
    let named = |path: &str| {
        // The tokens of a field have no Rust path.
        let stored = schema.stored_path(path);
        let stored = stored.as_deref().unwrap_or(path);
        Some(stored) == schema.tenant_field() || equal.contains(&stored)
    };
    schema
        .indexes
        .iter()
        .any(|index| index.unique && index.keys.iter().all(|key| named(key.path)))
}

/// Whether the test asks for one value. Of a secret the whole token is that: truncated ones are of several.
fn is_one_value(test: &Test) -> bool {
    match test {
        Test::Eq(value) => *value != bson::Bson::Null,
        Test::Blind(blind) => blind.values.len() == 1 && blind.bits.is_none(),
        _ => false,
    }
}
