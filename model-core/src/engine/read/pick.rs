//! Reads of some fields only: what is sent, and what has to come whole after all.

use std::collections::HashMap;

use super::Open;
use super::load;
use crate::engine::unit::{Deleted, ReadUnit, visible};
use crate::error::Result;
use crate::query::{Node, SortKey, Test};
use crate::schema::{FieldSchema, ModelSchema, reserved};
use crate::store::{Find, into_error};
use crate::value::IdValue;

/// Documents that came whole, by their ids.
pub(in crate::engine) type Whole = HashMap<IdValue, Vec<u8>>;

/// The fields that alone are needed; none: the whole documents. A seal is over the whole document, so that a part of a
/// sealed one could not be trusted.
fn picks(unit: &dyn ReadUnit) -> Option<&[&'static FieldSchema]> {
    unit.picks().filter(|_| unit.schema().seal.is_none())
}

/// The stored fields to send: those that are needed, and those that say what the document is.
pub(in crate::engine) fn fields(unit: &dyn ReadUnit, sort: &[SortKey]) -> Vec<&'static str> {
    picks(unit).map_or_else(Vec::new, |picked| stored(unit.schema(), picked, sort))
}

/// The same of a model.
pub(crate) fn stored(
    schema: &'static ModelSchema,
    picked: &[&FieldSchema],
    sort: &[SortKey],
) -> Vec<&'static str> {
    let mut fields: Vec<&'static str> = picked.iter().flat_map(|field| field.stored_names()).collect();
    fields.extend(schema.tenant_field());
    // By these, the next page is found.
    let sorted = sort.iter().filter_map(|key| key.path.split('.').next());
    fields.extend(
        sorted
            .filter_map(|name| schema.field(name))
            .map(|field| field.stored),
    );
    fields.extend([schema.id_field, reserved::SCHEMA_VERSION]);
    fields.retain(|field| *field != reserved::ID);
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// The documents of the batch that are of an older version, whole: `migrate` must not be given a part.
pub(in crate::engine) async fn outdated(unit: &dyn ReadUnit, open: &mut Open) -> Result<Whole> {
    let schema = unit.schema();
    let mut whole = Whole::new();
    if schema.version == 1 || picks(unit).is_none() {
        return Ok(whole);
    }
    let mut ids = Vec::new();
    open.each(&mut |raw| {
        if is_outdated(schema, raw)? {
            ids.extend(id(schema, raw)?.map(|id| id.to_bson()));
        }
        Ok(true)
    })?;
    if ids.is_empty() {
        return Ok(whole);
    }
    // In boxes: a query of a model without older documents stays small.
    let by_id = Node::field(schema.id_field, Test::In(ids));
    let selection = Box::pin(visible(unit, Deleted::Included, by_id)).await?;
    let find = Find::all(schema.collection, selection);
    let mut cursor = unit.caller().store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            whole.extend(id(schema, raw)?.map(|id| (id, raw.to_vec())));
            Ok(true)
        })?;
    }
    Ok(whole)
}

/// The whole document in the place of a part of it; none if it is gone since.
pub(in crate::engine) fn instead<'a>(
    unit: &dyn ReadUnit,
    whole: &'a Whole,
    raw: &'a [u8],
) -> Result<Option<&'a [u8]>> {
    if picks(unit).is_none() || !is_outdated(unit.schema(), raw)? {
        return Ok(Some(raw));
    }
    let found = id(unit.schema(), raw)?.and_then(|id| whole.get(&id));
    Ok(found.map(Vec::as_slice))
}

fn is_outdated(schema: &ModelSchema, raw: &[u8]) -> Result<bool> {
    Ok(schema.version > 1 && load::stored_version(raw)? < schema.version)
}

fn id(schema: &ModelSchema, raw: &[u8]) -> Result<Option<IdValue>> {
    let id = load::raw_field(raw, schema.id_field)?;
    let id = id.map(IdValue::decode).transpose();
    id.map_err(|error| error.at(schema.id_field).into_error())
}
