//! The document that a unique key names, whether it is there or not.

use bson::RawDocumentBuf;

use crate::engine::read::accept;
use crate::engine::read::load;
use crate::engine::unit::{Action, Deleted, ReadUnit, Unit, visible};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test, matches};
use crate::schema::ModelSchema;
use crate::store::{Find, into_error};
use crate::value::IdValue;

/// The id of the document that `key` selects, if the caller sees one.
///
/// # Errors
/// `Configuration`: the key does not name one document, so that two callers could make two.
pub(crate) async fn find_by_key(unit: &mut dyn ReadUnit, key: &Node) -> Result<Option<IdValue>> {
    unit.caller().ports.admit(unit.schema()).await?;
    require_unique(unit.schema(), key)?;
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

/// The document that `key` selects for a write, if the caller sees one, with its id. Whether it may be read is not asked yet.
///
/// # Errors
/// As [`find_by_key`].
pub(crate) async fn stored_by_key(
    unit: &dyn Unit,
    key: &Node,
    action: Action,
) -> Result<Option<(IdValue, RawDocumentBuf)>> {
    let (schema, caller) = (unit.schema(), unit.caller());
    caller.ports.admit(schema).await?;
    require_unique(schema, key)?;
    let selection = visible(unit, action.deleted(), key.clone()).await?;
    let found = caller.store()?.find_one(schema.collection, &selection).await;
    match found.map_err(into_error)? {
        Some(document) => Ok(Some((load::id(schema, document.as_bytes())?, document))),
        None => Ok(None),
    }
}

/// The same for each of several keys, in one command; nothing is sent for none.
pub(crate) async fn stored_by_keys(
    unit: &dyn Unit,
    keys: &[&Node],
) -> Result<Vec<Option<(IdValue, RawDocumentBuf)>>> {
    let (schema, caller) = (unit.schema(), unit.caller());
    let mut found: Vec<_> = keys.iter().map(|_| None).collect();
    if keys.is_empty() {
        return Ok(found);
    }
    caller.ports.admit(schema).await?;
    for (position, key) in keys.iter().enumerate() {
        require_unique(schema, key).map_err(|error| error.at_position(position))?;
    }
    let any = Node::Or(keys.iter().map(|key| (*key).clone()).collect());
    let find = Find::all(schema.collection, visible(unit, Deleted::Hidden, any).await?);
    let mut cursor = caller.store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            let (id, document) = (load::id(schema, raw)?, load::owned(raw)?);
            for (key, slot) in keys.iter().zip(&mut found) {
                if matches(key, &document) {
                    *slot = Some((id.clone(), document.clone()));
                }
            }
            Ok(true)
        })?;
    }
    Ok(found)
}

fn require_unique(schema: &ModelSchema, key: &Node) -> Result<()> {
    if is_unique(schema, key) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        "a document is named by `eq` on each field of a unique index, or by its id",
    ))
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
        .all_indexes()
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
