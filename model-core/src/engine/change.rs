//! What an update sends: the differences, and nothing that is not one.

use bson::RawDocumentBuf;
use chrono::{DateTime, Utc};

use super::commit::own;
use super::diff::{self, Difference};
use super::load;
use super::stored::{Stored, encode};
use super::unit::WriteUnit;
use crate::codec::{DecodeError, Elements, Writer};
use crate::error::{Error, Result};
use crate::schema::{FieldRole, ModelSchema, reserved};
use crate::store::UpdateOne;
use crate::value::Revision;

/// An update that has something to say.
pub(super) struct Changed {
    pub(super) after: Vec<u8>,
    pub(super) update: UpdateOne,
    pub(super) audited: bool,
}

/// What an update sends: the differences between what is stored and what it is to become; none if nobody meant any.
pub(super) async fn change(
    unit: &mut dyn WriteUnit,
    stored: &Stored,
    after: Vec<u8>,
    revision: Revision,
    keep_updated_at: bool,
) -> Result<Option<Changed>> {
    let schema = unit.schema();
    let differences = diff::diff(schema.fields, stored.raw.as_bytes(), &after)?;
    let counted = || {
        differences
            .iter()
            .filter(|difference| difference.field.role != FieldRole::UpdatedAt)
    };
    let meant = match stored.migrated {
        None => counted().next().is_some(),
        Some(_) => is_meant(schema, stored, &after)?,
    };
    if !meant {
        return Ok(None);
    }
    let moves = !keep_updated_at && counted().any(|difference| !difference.field.skip_updated_at);
    let audited = counted().any(|difference| !difference.field.skip_audit);
    if !moves && let Some(instant) = stored_instant(schema, stored)? {
        unit.touch(instant);
        let after = encode(unit, revision).await?;
        let differences = diff::diff(schema.fields, stored.raw.as_bytes(), &after)?;
        let update = update(unit, stored, &differences, &after)?;
        return Ok(Some(Changed {
            after,
            update,
            audited,
        }));
    }
    let update = update(unit, stored, &differences, &after)?;
    Ok(Some(Changed {
        after,
        update,
        audited,
    }))
}

/// Whether anything differs that somebody meant to change.
///
/// A document of an older version differs from its stored form by its migration alone: that is written back with the
/// next change that somebody means. A field that the migration made up is meant where the patch names it.
pub(super) fn is_meant(schema: &'static ModelSchema, stored: &Stored, after: &[u8]) -> Result<bool> {
    let differs = |before: &[u8], named: Option<&[&str]>| -> Result<bool> {
        let differences = diff::diff(schema.fields, before, after)?;
        Ok(differences.iter().any(|difference| {
            difference.field.role != FieldRole::UpdatedAt
                && named.is_none_or(|named| named.contains(&difference.field.json))
        }))
    };
    if differs(stored.present(), None)? {
        return Ok(true);
    }
    Ok(stored.migrated.is_some() && differs(stored.raw.as_bytes(), Some(&stored.touched))?)
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
    differences: &[Difference<'_>],
    after: &[u8],
) -> Result<UpdateOne> {
    let schema = unit.schema();
    let mut set = Writer::new();
    let mut unset = Vec::new();
    for difference in differences {
        match &difference.after {
            Some(value) => set.raw(&difference.path, value.raw().tag, value.raw().bytes),
            None => unset.push(difference.path.clone()),
        }
    }
    for reserved in [reserved::REVISION, reserved::SCHEMA_VERSION] {
        if let Some(value) = load::raw_field(after, reserved)? {
            set.raw(reserved, value.tag, value.bytes);
        }
    }
    if let Some(migrated) = &stored.migrated {
        unset.extend(renounced(schema, stored.raw.as_bytes(), migrated)?);
    }
    let set = RawDocumentBuf::from_bytes(set.finish()?).map_err(|_| Error::internal("a malformed update"))?;
    let mut selection = own(unit)?;
    selection.revision = Some(stored.revision.map(Revision::to_i64));
    Ok(UpdateOne {
        collection: schema.collection,
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
        let kept = schema.field(key).is_some()
            || reserved::ALL.contains(&key)
            || load::raw_field(migrated, key)?.is_some();
        if !kept {
            gone.push(key.to_owned());
        }
    }
    Ok(gone)
}
