//! Queries by fields that documents of older versions do not have yet.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bson::RawDocument;

use super::migrations::{self, Place};
use crate::engine::caller::Caller;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, ReadOptions, SortKey, Test, matches};
use crate::schema::{FieldSchema, ModelSchema, reserved};
use crate::store::{Find, Selection, into_error};

/// Up to which version there are no older documents, as this process has found out.
#[derive(Debug, Default)]
pub(crate) struct Settled(Mutex<HashMap<Place, u32>>);

impl Settled {
    fn knows(&self, place: &Place, version: u32) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(place).is_some_and(|known| *known >= version)
    }

    fn note(&self, place: Place, version: u32) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(place).or_default();
        *known = version.max(*known);
    }
}

/// The documents of versions before `version`; those too whose version cannot be read.
pub(in crate::engine) fn older_than(version: u32) -> Node {
    if version < 2 {
        return Node::Nothing;
    }
    let version = i32::try_from(version).unwrap_or(i32::MAX);
    !Node::field(reserved::SCHEMA_VERSION, Test::Gte(version.into()))
}

/// Refuses a filter on a field that documents may not have yet: it would silently pass them over.
///
/// # Errors
/// `Configuration`, and those of the store.
pub(in crate::engine) async fn check(
    caller: &Caller,
    schema: &'static ModelSchema,
    filter: &Node,
) -> Result<()> {
    match newest(schema, filter) {
        Some(field) => Box::pin(require(caller, schema, field, &Place::of(caller, schema))).await,
        None => Ok(()),
    }
}

/// The same for a filter that goes over all tenants.
pub(in crate::engine) async fn check_every_tenant(
    caller: &Caller,
    schema: &'static ModelSchema,
    filter: &Node,
) -> Result<()> {
    match newest(schema, filter) {
        Some(field) => Box::pin(require(caller, schema, field, &Place::all(schema))).await,
        None => Ok(()),
    }
}

/// The same for a sort order.
pub(in crate::engine) async fn check_sort(
    caller: &Caller,
    schema: &'static ModelSchema,
    sort: &[SortKey],
) -> Result<()> {
    if !has_later_fields(schema) {
        return Ok(());
    }
    let fields = sort.iter().filter_map(|key| later(schema, &key.path));
    match fields.max_by_key(|field| field.since) {
        Some(field) => Box::pin(require(caller, schema, field, &Place::of(caller, schema))).await,
        None => Ok(()),
    }
}

fn has_later_fields(schema: &ModelSchema) -> bool {
    schema.version > 1 && schema.fields.iter().any(|field| field.since > 1)
}

/// The field at the top level that a path leads into, if a later version introduced it.
fn later(schema: &'static ModelSchema, path: &str) -> Option<&'static FieldSchema> {
    schema.top(path).filter(|field| field.since > 1)
}

/// The newest of the fields that the filter asks for, if there is any that came later.
pub(in crate::engine) fn newest(schema: &'static ModelSchema, filter: &Node) -> Option<&'static FieldSchema> {
    if !has_later_fields(schema) {
        return None;
    }
    match filter {
        Node::Everything | Node::Nothing => None,
        Node::Not(inner) | Node::Outside(inner) => newest(schema, inner),
        Node::And(nodes) | Node::Or(nodes) => nodes
            .iter()
            .filter_map(|node| newest(schema, node))
            .max_by_key(|field| field.since),
        Node::Field { path, .. } => later(schema, path),
        Node::Words(words) => words
            .fields
            .iter()
            .filter_map(|(path, _)| later(schema, path))
            .max_by_key(|field| field.since),
    }
}

/// A filter that admits documents from before a version, whatever they hold: what they become by `migrate` is judged
/// here, one by one.
#[derive(Debug)]
pub(in crate::engine) struct Widened {
    /// The version that introduced the newest of the fields.
    since: u32,
    filter: Node,
}

impl Widened {
    /// What the store is asked for.
    pub(in crate::engine) fn to_node(&self) -> Node {
        self.filter.clone().or(older_than(self.since))
    }

    /// Whether a document of this stored version satisfies the filter in its present shape. The store has answered for
    /// those that have the fields already.
    pub(in crate::engine) fn admits(&self, stored_version: u32, present: &RawDocument) -> bool {
        stored_version >= self.since || matches(&self.filter, present)
    }
}

/// The filter of a query that takes older documents along; none if nothing in it came later than any document, so that it
/// can be asked as it is.
///
/// # Errors
/// `Unsupported`: what it asks cannot be judged here. Those of the store.
pub(in crate::engine) async fn widen(
    caller: &Caller,
    schema: &'static ModelSchema,
    filter: &Node,
    options: &ReadOptions,
) -> Result<Option<Widened>> {
    let Some(field) = newest(schema, filter) else {
        return Ok(None);
    };
    if is_settled(caller, schema, field.since, &Place::of(caller, schema)).await? {
        return Ok(None);
    }
    refuse_blind(filter)?;
    if filter.words().is_some() {
        let message = "a search takes no older documents along: migrate them first";
        return Err(Error::new(ErrorKind::Unsupported, message).at_path(field.stored));
    }
    if options.collation.is_some() {
        let message = "older documents are judged byte by byte, not by a collation";
        return Err(Error::new(ErrorKind::Unsupported, message).at_path(field.stored));
    }
    Ok(Some(Widened {
        since: field.since,
        filter: filter.clone(),
    }))
}

/// Refuses to judge older documents by a secret: they have no tokens yet.
pub(in crate::engine) fn refuse_blind(filter: &Node) -> Result<()> {
    if filter.is_blind() {
        let message = "older documents have no tokens of a secret by which they could be judged";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}

/// Whether there may be documents older than the field is asked of this process's memory, then of the ledger of
/// migrations, then of the documents themselves.
async fn is_settled(
    caller: &Caller,
    schema: &'static ModelSchema,
    since: u32,
    place: &Place,
) -> Result<bool> {
    let ports = &caller.ports;
    if ports.settled.knows(place, since) {
        return Ok(true);
    }
    let all = Place::all(schema);
    let mut done = migrations::done(caller, place).await?;
    if done < since && *place != all {
        done = migrations::done(caller, &all).await?;
    }
    let settled = done >= since || {
        let older = older_than(since);
        let older = if *place == all {
            Selection::of(older)
        } else {
            caller.select(schema, older)?
        };
        let find = Find {
            limit: Some(1),
            ..Find::all(schema.collection, older)
        };
        ports.store.count(&find).await.map_err(into_error)? == 0
    };
    if settled {
        ports.settled.note(place.clone(), since);
    }
    Ok(settled)
}

async fn require(
    caller: &Caller,
    schema: &'static ModelSchema,
    field: &'static FieldSchema,
    place: &Place,
) -> Result<()> {
    if is_settled(caller, schema, field.since, place).await? {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        format!(
            "there are documents from before version {}, which introduced the field, and a query by it would pass them \
             over: run `migrate_all` first, or take them along with `or_older`",
            field.since
        ),
    )
    .at_path(field.stored))
}
