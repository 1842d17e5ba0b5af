//! The stored document that a write begins from, and the bytes that it ends with.

use std::borrow::Cow;
use std::collections::HashMap;

use bson::{RawDocument, RawDocumentBuf};

use super::diff::{self, Difference};
use super::once;
use super::plan::Item;
use super::preload::preload;
use crate::codec::{DecodeCx, DecodeError, Seal, Writer};
use crate::engine::read::load;
use crate::engine::secrets::seal::Sealer;
use crate::engine::secrets::{blind, document_seal};
use crate::engine::unit::{Action, Side, WriteUnit, permitted, visible};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test, matches};
use crate::schema::{FieldRole, ModelSchema, reserved};
use crate::store::{Find, Guard, Selection, into_error};
use crate::value::{IdValue, Revision};

/// A document as it was found.
pub(in crate::engine) struct Stored {
    pub(in crate::engine) raw: RawDocumentBuf,
    /// In the shape of the present version; none if it has it already.
    pub(in crate::engine) migrated: Option<Vec<u8>>,
    /// As this crate itself would have written it: equal values have equal bytes.
    pub(in crate::engine) canonical: Vec<u8>,
    pub(in crate::engine) revision: Option<Revision>,
    /// The JSON keys of the fields that the patch names.
    pub(in crate::engine) touched: Vec<&'static str>,
    /// Whether its seal holds, if its model has one; if not, it may be removed, and nothing else.
    pub(in crate::engine) trusted: bool,
}

impl Stored {
    pub(in crate::engine) fn present(&self) -> &[u8] {
        self.migrated.as_deref().unwrap_or(self.raw.as_bytes())
    }

    /// What the document's revision must still be.
    pub(in crate::engine) fn guard(&self) -> Guard {
        self.revision
            .map_or(Guard::Unwritten, |revision| Guard::Is(revision.to_i64()))
    }

    /// What is meant to change.
    pub(in crate::engine) fn changes<'a>(
        &'a self,
        schema: &'static ModelSchema,
        after: &'a [u8],
    ) -> Result<Vec<Difference<'a>>> {
        diff::diff(schema.fields, self.present(), &self.canonical, after)
    }

    /// What a migration that is written back changes in the store.
    pub(in crate::engine) fn written_back<'a>(
        &'a self,
        schema: &'static ModelSchema,
        after: &'a [u8],
    ) -> Result<Vec<Difference<'a>>> {
        let raw = self.raw.as_bytes();
        diff::diff(schema.fields, raw, raw, after)
    }
}

/// Finds the documents that the writes are about, with one read; what the caller may not know of stays missing.
pub(in crate::engine) async fn load(items: &mut [Item<'_>]) -> Result<()> {
    // What is created has nothing before.
    if items.iter().all(|item| item.plan.action == Action::Create) {
        return Ok(());
    }
    find(items).await?;
    prepare_seals(items).await?;
    let many = items.len() > 1;
    for (position, item) in items.iter_mut().enumerate() {
        let Some(raw) = item.found.take() else { continue };
        // Who may do everything may remove what cannot be trusted.
        let removes = item.plan.action.is_delete() && item.unit.caller().bypass.is_some();
        item.stored = Some(take(item.unit, raw, removes).map_err(|error| {
            let error = error.at_id(|| item.unit.id().to_string());
            if many { error.at_position(position) } else { error }
        })?);
    }
    preload(items, Side::Before).await?;
    for (position, item) in items.iter_mut().enumerate() {
        admit(item).map_err(|error| {
            let error = error.at_id(|| item.unit.id().to_string());
            if many { error.at_position(position) } else { error }
        })?;
    }
    Ok(())
}

/// Loads the keys of the documents' seals.
async fn prepare_seals(items: &[Item<'_>]) -> Result<()> {
    let mut wanted = document_seal::Wanted::default();
    for item in items.iter().filter(|item| item.unit.schema().seal.is_some()) {
        if let Some(found) = &item.found {
            wanted.note(found.as_bytes())?;
        }
    }
    match items.first() {
        Some(first) => wanted.load(&first.unit.caller().ports).await,
        None => Ok(()),
    }
}

async fn find(items: &mut [Item<'_>]) -> Result<()> {
    let wanted = |item: &Item<'_>| item.plan.action != Action::Create && item.found.is_none();
    match items {
        [item] if wanted(item) => find_one(item).await,
        [_] => Ok(()),
        items => Box::pin(find_many(items, wanted)).await,
    }
}

async fn find_many(items: &mut [Item<'_>], wanted: impl Fn(&Item<'_>) -> bool) -> Result<()> {
    let mut places = HashMap::new();
    for (position, item) in items.iter().enumerate().filter(|(_, item)| wanted(item)) {
        if places.insert(item.unit.id().clone(), position).is_some() {
            let message = "a bulk operation changes a document once";
            return Err(Error::violation("id", "unique", message).at_position(position));
        }
    }
    let Some(first) = places.values().min().and_then(|first| items.get(*first)) else {
        return Ok(());
    };
    let (schema, collection) = (first.unit.schema(), first.collection());
    let mut selection = selection(first).await?;
    let ids = places.keys().map(IdValue::to_bson).collect();
    selection.rest = selection.rest.and(Node::field(schema.id_field, Test::In(ids)));
    let mut cursor = first
        .unit
        .caller()
        .store()?
        .find(&Find::all(collection, selection))
        .await
        .map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            let place = places.get(&load::id(schema, raw)?);
            if let Some(item) = place.and_then(|position| items.get_mut(*position)) {
                item.found = Some(load::owned(raw)?);
            }
            Ok(true)
        })?;
    }
    Ok(())
}

/// What the caller sees of the documents that the item is one of.
async fn selection(item: &Item<'_>) -> Result<Selection> {
    let condition = item.plan.condition.clone();
    visible(item.unit, item.plan.action.deleted(), condition).await
}

async fn find_one(item: &mut Item<'_>) -> Result<()> {
    let mut selection = selection(item).await?;
    selection.id = Some((item.unit.schema().id_field, item.unit.id().to_bson()));
    let store = item.unit.caller().store()?;
    item.found = store
        .find_one(item.collection(), &selection)
        .await
        .map_err(into_error)?;
    Ok(())
}

/// Hands a stored document to the unit; its seal has to hold, unless it `may_be_broken`.
fn take(unit: &mut dyn WriteUnit, raw: RawDocumentBuf, may_be_broken: bool) -> Result<Stored> {
    let revision = match load::raw_field(raw.as_bytes(), reserved::REVISION)? {
        Some(value) => {
            let number = value
                .i64()
                .map_err(|error| error.at(reserved::REVISION).into_error())?;
            Some(Revision::from_i64(number))
        }
        None => None,
    };
    let trusted = match document_seal::check(&unit.caller().ports, unit.schema(), raw.as_bytes()) {
        Ok(()) => true,
        Err(_) if may_be_broken => false,
        Err(error) => return Err(error),
    };
    let migrated = match load::reshaped(unit, raw.as_bytes())? {
        Cow::Borrowed(_) => None,
        Cow::Owned(bytes) => Some(bytes),
    };
    let mut stored = Stored {
        raw,
        migrated,
        canonical: Vec::new(),
        revision,
        touched: Vec::new(),
        trusted,
    };
    let ports = load::clock(unit);
    let decoding = load::decoding(unit.schema(), stored.present(), ports.as_deref());
    let cx = DecodeCx::root(decoding.as_ref());
    unit.load(stored.present(), &cx)
        .map_err(DecodeError::into_error)?;
    let mut out = Writer::new().keeping_keys(true);
    unit.encode_before(&mut out);
    stored.canonical = out.finish()?;
    Ok(stored)
}

/// What the caller may not know of stays missing.
fn admit(item: &mut Item<'_>) -> Result<()> {
    let Some(stored) = &item.stored else { return Ok(()) };
    let revision = stored.revision.unwrap_or_default();
    if !item.plan.unseen && !permitted(item.unit, Action::Read) {
        item.stored = None;
    } else if item.plan.expected.is_some_and(|expected| expected != revision) {
        return Err(Error::new(
            ErrorKind::Conflict,
            "the expected revision is no longer the stored one",
        ));
    }
    Ok(())
}

/// Refuses a document, before or after the change, that lies outside of what the caller may write, or that the model does
/// not hold at all.
pub(in crate::engine) async fn require_scope(unit: &dyn WriteUnit, document: &[u8]) -> Result<()> {
    let (base, scope) = (unit.base_filter(), unit.caller().scoped(|| unit.write_scope()));
    // Most models have neither.
    if base == Node::Everything && scope == Node::Everything {
        return Ok(());
    }
    Box::pin(require_both(unit, base, scope, document)).await
}

async fn require_both(unit: &dyn WriteUnit, base: Node, scope: Node, document: &[u8]) -> Result<()> {
    if !holds(unit, base, document).await? {
        return Err(Error::violation(
            "",
            "base_filter",
            "the document would not be one of the model's",
        ));
    }
    if holds(unit, scope, document).await? {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Forbidden,
            "`write_scope` does not admit it",
        ))
    }
}

/// Writes what the crate itself keeps of every document.
pub(in crate::engine) fn write_reserved(
    schema: &'static ModelSchema,
    revision: Revision,
    out: &mut Writer<'_>,
) {
    // What never changes has no revision: eight bytes at random are all that the server could not pack.
    if schema.form.is_none() {
        out.i64(reserved::REVISION, revision.to_i64());
    }
    if schema.version > 1 {
        out.i32(
            reserved::SCHEMA_VERSION,
            i32::try_from(schema.version).unwrap_or(i32::MAX),
        );
    }
}

/// Whether the document satisfies the filter.
pub(in crate::engine) async fn holds(unit: &dyn WriteUnit, node: Node, document: &[u8]) -> Result<bool> {
    if node == Node::Everything {
        return Ok(true);
    }
    let node = Box::pin(blind::resolve(unit.caller(), unit.schema(), node)).await?;
    RawDocument::from_bytes(document)
        .map(|document| matches(&node, document))
        .map_err(|_| Error::internal("a malformed document"))
}

/// The bytes of what is to be stored, and whether a reading of them gives just what the unit holds.
pub(in crate::engine) async fn encode(
    unit: &dyn WriteUnit,
    revision: Revision,
    action: Action,
) -> Result<(Vec<u8>, bool)> {
    let schema = unit.schema();
    let sealer = Sealer::new(unit.caller(), schema, unit.id()).await?;
    let mut out = Writer::new()
        .sealing(sealer.as_ref().map(|sealer| sealer as &dyn Seal))
        .keeping_keys(matches!(action, Action::Update | Action::Migrate));
    unit.encode(&mut out);
    write_reserved(schema, revision, &mut out);
    if let Some(sealer) = &sealer {
        blind::write(&sealer.tokens(), &mut out);
    }
    // A field for the revision is not the unit's to write.
    let exact = out.is_exact() && schema.role(FieldRole::Revision).is_none();
    let bytes = out.finish()?;
    let bytes = match schema.time_series() {
        Some(series) => once::with_source(series, bytes)?,
        None => bytes,
    };
    Ok((bytes, exact))
}
