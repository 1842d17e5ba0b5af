//! The one write path. Every write, whatever the verb, goes through [`write`], stage by stage:
//!
//! load → stamp, normalise → permission (fail early) → before-hook → stamp and normalise again → validate → permission
//! on before and after → hash, encode, seal → guarded write and audit entry, together → after-hook.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::audit;
use super::change::{self, Changed};
use super::commit::{Effect, commit, own, uses_collection};
use super::diff::{self, Difference};
use super::load;
use super::reseal;
use super::stored::{self, Stored, encode};
use super::unit::{Action, WriteUnit, permitted};
use crate::codec::{DecodeCx, DecodeError, Mode, Visitor, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::FieldRole;
use crate::store::Guard;
use crate::value::Revision;

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) action: Action,
    /// The revision that the caller has seen, if it insists on it.
    pub(crate) expected: Option<Revision>,
    /// Leaves the instant of the last change as it is.
    pub(crate) keep_updated_at: bool,
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It took effect; the unit holds the document as a read would return it.
    Yes,
    /// Nothing differed, so nothing was written.
    Unchanged,
    /// There is no such document for this tenant and actor.
    Missing,
}

/// Carries a write out.
pub(crate) async fn write(unit: &mut dyn WriteUnit, plan: Plan) -> Result<Written> {
    let started = Instant::now();
    let abilities = unit.caller().ports.admit(unit.schema()).await?;
    if audit::is_audited(unit) && !abilities.transactions && uses_collection(unit) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "an audited write needs a transaction, and this server has none: use a replica set",
        ));
    }
    let now = unit.caller().ports.now();
    let mut stored = match plan.action {
        Action::Create => None,
        _ => match stored::find(unit, plan.expected).await? {
            Some(stored) => Some(stored),
            None => return Ok(Written::Missing),
        },
    };
    if plan.action == Action::Delete {
        return delete(unit, stored, now, started).await;
    }
    let touched = unit.begin(now)?;
    unit.stamp(now);
    unit.visit(&mut Visitor::new(Mode::Normalise));
    require(unit, plan.action)?;
    if let Some(stored) = &mut stored {
        stored.touched = touched;
        if !is_meant(unit, stored)? {
            return Ok(Written::Unchanged);
        }
    }
    prepare(unit, plan.action, now).await?;
    save(unit, plan, stored, now, started).await
}

fn require(unit: &dyn WriteUnit, action: Action) -> Result<()> {
    if permitted(unit, action) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Forbidden,
            format!("`can_{}` denies it", action.verb()),
        ))
    }
}

/// Whether the patch changes anything, as far as that shows before hooks ran and secrets were sealed.
fn is_meant(unit: &dyn WriteUnit, stored: &Stored) -> Result<bool> {
    let mut out = Writer::new().keeping_keys(true);
    unit.encode(&mut out);
    // What cannot be written without keys is a new secret.
    match out.finish() {
        Err(_) => Ok(true),
        Ok(after) => {
            let changes = stored.changes(unit.schema(), &after)?;
            change::is_meant(unit.schema(), stored, &changes, &after)
        }
    }
}

/// From what was asked to what may be stored.
async fn prepare(unit: &mut dyn WriteUnit, action: Action, now: DateTime<Utc>) -> Result<()> {
    unit.before().await?;
    unit.stamp(now);
    unit.visit(&mut Visitor::new(Mode::Normalise));
    validate(unit).await?;
    require(unit, action)?;
    hash_passwords(unit).await
}

async fn validate(unit: &mut dyn WriteUnit) -> Result<()> {
    let mut violations = Vec::new();
    unit.visit(&mut Visitor::new(Mode::Validate(&mut violations)));
    match unit.validate().await {
        Ok(()) => {}
        // The model's own rules join the declared ones, so that a caller sees all at once.
        Err(error) if error.is_invalid() => violations.extend_from_slice(error.violations()),
        Err(error) => return Err(error),
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(violations))
    }
}

async fn hash_passwords(unit: &mut dyn WriteUnit) -> Result<()> {
    let mut pending = Vec::new();
    unit.visit(&mut Visitor::new(Mode::Passwords(&mut pending)));
    if pending.is_empty() {
        return Ok(());
    }
    let hasher = unit.caller().ports.hasher.clone();
    let mut done = Vec::with_capacity(pending.len());
    for password in &pending {
        done.push(hasher.hash(password).await?);
    }
    unit.visit(&mut Visitor::new(Mode::Hashed(&mut done.into_iter())));
    Ok(())
}

/// Encodes, compares, writes, audits.
async fn save(
    unit: &mut dyn WriteUnit,
    plan: Plan,
    stored: Option<Stored>,
    now: DateTime<Utc>,
    started: Instant,
) -> Result<Written> {
    let action = plan.action;
    let schema = unit.schema();
    let revision = stored
        .as_ref()
        .and_then(|stored| stored.revision)
        .unwrap_or_default()
        .next()?;
    let after = encode(unit, revision, action).await?;
    let written = match &stored {
        None => {
            let differences = audited_differences(unit, diff::EMPTY, &after)?;
            let entry = differences.map(|changes| audit::entry(unit, action, &changes, &after, now, started));
            commit(unit, Effect::Insert(&after), entry).await?;
            after
        }
        Some(stored) => match change::change(unit, stored, after, revision, plan.keep_updated_at).await? {
            None => return Ok(Written::Unchanged),
            Some(Changed {
                mut after,
                mut update,
                audited,
            }) => {
                let entry = if audited && audit::is_audited(unit) {
                    let differences = stored.changes(schema, &after)?;
                    Some(audit::entry(unit, action, &differences, &after, now, started))
                } else {
                    None
                };
                reseal::refresh(unit, &mut after, &mut update).await?;
                commit(unit, Effect::Update(update), entry).await?;
                after
            }
        },
    };
    let cx = DecodeCx::root(load::origin(schema, &written)?);
    unit.settle(&written, &cx).map_err(DecodeError::into_error)?;
    after_hook(unit).await?;
    Ok(Written::Yes)
}

async fn after_hook(unit: &dyn WriteUnit) -> Result<()> {
    unit.after()
        .await
        .map_err(|error| error.after_write().at_id(|| unit.id().to_string()))
}

fn audited_differences<'a>(
    unit: &dyn WriteUnit,
    before: &'a [u8],
    after: &'a [u8],
) -> Result<Option<Vec<Difference<'a>>>> {
    if !audit::is_audited(unit) {
        return Ok(None);
    }
    let mut differences = diff::diff(unit.schema().fields, before, before, after)?;
    // Whose document it is, stands in the entry itself.
    differences.retain(|difference| !matches!(difference.field.role, FieldRole::Id | FieldRole::Tenant));
    Ok(Some(differences))
}

/// Deletes the document that was found.
async fn delete(
    unit: &mut dyn WriteUnit,
    stored: Option<Stored>,
    now: DateTime<Utc>,
    started: Instant,
) -> Result<Written> {
    let Some(stored) = stored else {
        return Ok(Written::Missing);
    };
    require(unit, Action::Delete)?;
    unit.before().await?;
    let differences = audited_differences(unit, stored.present(), diff::EMPTY)?;
    let entry = differences
        .map(|changes| audit::entry(unit, Action::Delete, &changes, stored.present(), now, started));
    let mut selection = own(unit)?;
    selection.revision = stored
        .revision
        .map_or(Guard::Unwritten, |revision| Guard::Is(revision.to_i64()));
    match commit(unit, Effect::Delete(selection), entry).await {
        Ok(()) => {}
        // Somebody else deleted it: that is what was asked for, and it is audited where it happened.
        Err(error) if error.is_not_found() => return Ok(Written::Missing),
        Err(error) => return Err(error),
    }
    after_hook(unit).await?;
    Ok(Written::Yes)
}
