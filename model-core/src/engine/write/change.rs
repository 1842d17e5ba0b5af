//! What an update sends: the differences, and nothing that is not one.

use bson::RawDocumentBuf;
use chrono::{DateTime, Utc};

use super::diff::Difference;
use super::plan::Plan;
use super::stored::{Stored, encode, write_reserved};
use crate::codec::{DecodeError, Elements, Writer};
use crate::engine::read::load;
use crate::engine::secrets::blind;
use crate::engine::unit::{Action, WriteUnit};
use crate::error::{Error, Result, Violation};
use crate::schema::{FieldRole, ModelSchema, reserved};
use crate::store::{Selection, UpdateOne};
use crate::value::Revision;

/// An update that has something to say.
pub(in crate::engine) struct Changed {
    pub(in crate::engine) after: Vec<u8>,
    pub(in crate::engine) update: UpdateOne,
    pub(in crate::engine) audited: bool,
}

/// What a patch alone makes of a document, before hooks ran. Most of them change nothing more: then the documents need
/// not be compared again.
pub(in crate::engine) struct Draft<'a> {
    document: &'a [u8],
    changes: Vec<Difference<'a>>,
}

impl<'a> Draft<'a> {
    pub(in crate::engine) fn new(
        schema: &'static ModelSchema,
        stored: &'a Stored,
        document: &'a [u8],
    ) -> Result<Self> {
        Ok(Self {
            document,
            changes: stored.changes(schema, document)?,
        })
    }

    pub(in crate::engine) fn is_meant(&self, schema: &'static ModelSchema, stored: &Stored) -> Result<bool> {
        is_meant(schema, stored, &self.changes, self.document)
    }

    /// Whether `after` is the draft, with what the crate itself keeps of every document behind its fields.
    fn became(&self, after: &[u8]) -> bool {
        let fields = self.document.get(4..self.document.len() - 1);
        let kept = fields.and_then(|fields| after.get(4..)?.strip_prefix(fields));
        kept.and_then(|kept| kept.get(1..))
            .is_some_and(|kept| kept.starts_with(reserved::REVISION.as_bytes()))
    }
}

/// What an update sends: the differences between what is stored and what it is to become; none if nobody meant any.
pub(in crate::engine) async fn change(
    unit: &mut dyn WriteUnit,
    stored: &Stored,
    draft: Option<Draft<'_>>,
    after: Vec<u8>,
    revision: Revision,
    plan: &Plan,
) -> Result<Option<Changed>> {
    let schema = unit.schema();
    let changes = match draft {
        Some(draft) if draft.became(&after) => draft.changes,
        _ => stored.changes(schema, &after)?,
    };
    if !plan.erases {
        keep_readonly(&changes)?;
    }
    if !is_meant(schema, stored, &changes, &after)? {
        return Ok(None);
    }
    let counted = || {
        changes
            .iter()
            .filter(|change| change.field.role != FieldRole::UpdatedAt)
    };
    let moves = !plan.keep_updated_at
        && (stored.migrated.is_some() || counted().any(|change| !change.field.skip_updated_at));
    let audited = stored.migrated.is_some() || counted().any(|change| !change.field.skip_audit);
    if !moves && let Some(instant) = stored_instant(schema, stored)? {
        unit.touch(instant);
        let (after, _) = encode(unit, revision, Action::Update).await?;
        let changes = stored.changes(schema, &after)?;
        let update = update(unit, stored, &after, revision, changes)?;
        return Ok(Some(Changed {
            after,
            update,
            audited,
        }));
    }
    let update = update(unit, stored, &after, revision, changes)?;
    Ok(Some(Changed {
        after,
        update,
        audited,
    }))
}

/// What the migration of an older document changes in the store; the instant of its last change stays as it is.
pub(in crate::engine) fn write_back(
    unit: &dyn WriteUnit,
    stored: &Stored,
    after: Vec<u8>,
    revision: Revision,
) -> Result<Changed> {
    let changes = stored.changes(unit.schema(), &after)?;
    let update = update(unit, stored, &after, revision, changes)?;
    Ok(Changed {
        after,
        update,
        audited: true,
    })
}

/// A field that is set at create only stays as it is, whoever asks: a patch of a whole embedded struct, or a hook.
fn keep_readonly(differences: &[Difference<'_>]) -> Result<()> {
    let changed = differences.iter().filter(|difference| difference.readonly);
    let violations: Vec<_> = changed
        .map(|difference| Violation::new(&*difference.path, "readonly", "cannot be changed"))
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(violations))
    }
}

/// Whether anything differs that somebody meant to change.
///
/// A document of an older version differs from its stored form by its migration alone: that is written back with the
/// next change that somebody means. A field that the migration made up is meant where the patch names it.
fn is_meant(
    schema: &'static ModelSchema,
    stored: &Stored,
    changes: &[Difference<'_>],
    after: &[u8],
) -> Result<bool> {
    if changes
        .iter()
        .any(|change| change.field.role != FieldRole::UpdatedAt)
    {
        return Ok(true);
    }
    if stored.migrated.is_none() {
        return Ok(false);
    }
    let written_back = stored.written_back(schema, after)?;
    Ok(written_back
        .iter()
        .any(|change| stored.touched.contains(&change.field.json)))
}

/// The stored instant of the last change.
fn stored_instant(schema: &'static ModelSchema, stored: &Stored) -> Result<Option<DateTime<Utc>>> {
    let Some(field) = schema.role(FieldRole::UpdatedAt) else {
        return Ok(None);
    };
    let value = load::raw_field(stored.present(), field.stored)?;
    Ok(value
        .and_then(|value| value.date().ok())
        .and_then(DateTime::from_timestamp_millis))
}

/// The update that turns what is stored into `after`, and touches nothing that it does not have to.
fn update(
    unit: &dyn WriteUnit,
    stored: &Stored,
    after: &[u8],
    revision: Revision,
    changes: Vec<Difference<'_>>,
) -> Result<UpdateOne> {
    let schema = unit.schema();
    let raw = stored.raw.as_bytes();
    let differences = match stored.migrated {
        None => changes,
        Some(_) => stored.written_back(schema, after)?,
    };
    let mut set = Writer::new();
    let mut unset = Vec::new();
    for difference in differences {
        match &difference.after {
            Some(value) => set.raw(&difference.path, value.raw().tag, value.raw().bytes),
            None => unset.push(difference.path.into_owned()),
        }
    }
    if schema.token_scopes().any() {
        blind::amend(raw, after, &mut set, &mut unset, schema)?;
    }
    write_reserved(schema, revision, &mut set);
    if let Some(migrated) = &stored.migrated {
        unset.extend(renounced(schema, raw, migrated)?);
    }
    let set = RawDocumentBuf::from_bytes(set.finish()?).map_err(|_| Error::internal("a malformed update"))?;
    let mut selection = unit.caller().own(schema, unit.id())?;
    selection.revision = stored.guard();
    Ok(UpdateOne {
        selection,
        set,
        unset,
    })
}

/// Marks a document as deleted, or takes the mark away.
pub(in crate::engine) fn mark_deleted(
    stored: &Stored,
    selection: Selection,
    at: Option<DateTime<Utc>>,
) -> Result<UpdateOne> {
    let mut set = Writer::with_capacity(64);
    let revision = stored.revision.unwrap_or_default().next();
    set.i64(reserved::REVISION, revision.to_i64());
    let mut unset = Vec::new();
    match at {
        Some(at) => set.date(reserved::DELETED_AT, at.timestamp_millis()),
        None => unset.push(reserved::DELETED_AT.to_owned()),
    }
    let set = RawDocumentBuf::from_bytes(set.finish()?).map_err(|_| Error::internal("a malformed update"))?;
    Ok(UpdateOne {
        selection,
        set,
        unset,
    })
}

/// The keys that the migration took away: old names, which no declared field has.
fn renounced(schema: &'static ModelSchema, stored: &[u8], migrated: &[u8]) -> Result<Vec<String>> {
    let mut gone = Vec::new();
    let mut elements = Elements::new(stored).map_err(DecodeError::into_error)?;
    while let Some((key, _)) = elements.next().map_err(DecodeError::into_error)? {
        let kept = schema.top(key).is_some()
            || reserved::ALL.contains(&key)
            || load::raw_field(migrated, key)?.is_some();
        if !kept {
            gone.push(key.to_owned());
        }
    }
    Ok(gone)
}
