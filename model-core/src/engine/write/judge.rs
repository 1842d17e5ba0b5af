//! From what was asked of one document to the effect that it has: stamped, normalised, permitted, validated, hashed, sealed,
//! compared, and told to the audit log.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::change::{self, Changed, Draft};
use super::commit::{Effect, Kind};
use super::diff::{self, Difference};
use super::plan::{Item, Plan, Written};
use super::stored::{self, Stored, encode};
use crate::codec::{Mode, Visitor, Writer};
use crate::engine::audit::{self, Entry, outbox};
use crate::engine::secrets::{document_seal, reseal};
use crate::engine::unit::{Action, WriteUnit, permitted};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::FieldRole;
use crate::value::Revision;

/// What the documents of one write have in common.
pub(in crate::engine) struct Job {
    pub(in crate::engine) started: Instant,
    pub(in crate::engine) now: DateTime<Utc>,
}

impl Job {
    /// From what was asked to the effect that it has.
    pub(in crate::engine) async fn judge(&self, item: &mut Item<'_>) -> Result<()> {
        match (item.plan.action, item.stored.is_some()) {
            (Action::Create, _) | (Action::Update | Action::Migrate, true) => self.judge_change(item).await,
            (_, true) => self.judge_delete(item).await,
            (_, false) if item.plan.required => Err(Error::new(ErrorKind::NotFound, "")),
            // It stays missing.
            (_, false) => Ok(()),
        }
    }

    /// Makes what is after, as it was asked for; what goes wrong is told when the item is judged.
    pub(in crate::engine) fn begin(&self, item: &mut Item<'_>) {
        let action = item.plan.action;
        let begins = match action {
            Action::Create => true,
            Action::Update | Action::Migrate => item.stored.is_some(),
            _ => false,
        };
        if begins {
            item.begun = Some(self.begun(&mut *item.unit, action));
        }
    }

    fn begun(&self, unit: &mut dyn WriteUnit, action: Action) -> Result<Vec<&'static str>> {
        if action == Action::Create && unit.schema().singleton {
            require_only(unit)?;
        }
        let touched = unit.begin(self.now)?;
        // Nobody changes a document that is only migrated.
        if action != Action::Migrate {
            unit.stamp(self.now);
        }
        unit.visit(&mut Visitor::new(Mode::Normalise));
        Ok(touched)
    }

    async fn judge_change(&self, item: &mut Item<'_>) -> Result<()> {
        let touched = item.begun.take();
        let touched =
            touched.unwrap_or_else(|| Err(Error::internal("a write was judged before it began")))?;
        let Item {
            unit, stored, plan, ..
        } = item;
        let (unit, action) = (&mut **unit, plan.action);
        require(unit, action)?;
        if action == Action::Create {
            refuse_given(unit, &touched)?;
        }
        if let Some(stored) = stored {
            stored.touched = touched;
        }
        let stored = stored.as_ref();
        let drafted = match action {
            Action::Update => drafted(unit),
            _ => None,
        };
        let mut draft = None;
        if let Some(stored) = stored {
            stored::require_scope(unit, stored.present()).await?;
            if let Some(document) = &drafted {
                draft = Some(Draft::new(unit.schema(), stored, document)?);
            }
            let meant = match (action, &draft) {
                (Action::Migrate, _) => stored.migrated.is_some(),
                (_, Some(draft)) => draft.is_meant(unit.schema(), stored)?,
                // What cannot be written without keys is a new secret.
                (_, None) => true,
            };
            if !meant {
                item.written = Written::Unchanged;
                return Ok(());
            }
            keep_readonly_for(unit, stored).await?;
        }
        prepare(unit, action, self.now).await?;
        item.effect = self.effect(unit, plan, stored, draft).await?;
        if let Some(effect) = &mut item.effect {
            if let Some(carried) = &item.carried {
                effect.after = carried.add_to(unit.schema(), &effect.after)?;
            }
            outbox::embed(unit.schema(), effect, stored)?;
            let stored = stored.map(|stored| stored.raw.as_bytes());
            document_seal::put_on(&unit.caller().ports, unit.schema(), effect, stored).await?;
        }
        item.written = match item.effect {
            Some(_) => Written::Yes,
            None => Written::Unchanged,
        };
        Ok(())
    }

    /// Encodes and compares; none if nothing differs that somebody meant.
    async fn effect(
        &self,
        unit: &mut dyn WriteUnit,
        plan: &Plan,
        stored: Option<&Stored>,
        draft: Option<Draft<'_>>,
    ) -> Result<Option<Effect>> {
        let action = plan.action;
        let revision = stored
            .and_then(|stored| stored.revision)
            .unwrap_or_default()
            .next();
        let (after, exact) = encode(unit, revision, action).await?;
        let Some(stored) = stored else {
            stored::require_scope(unit, &after).await?;
            if !stored::holds(unit, plan.condition.clone(), &after).await? {
                let message = "the new document would not satisfy the filter";
                return Err(Error::violation("", "filter", message));
            }
            let changes = audited_differences(unit, diff::EMPTY, &after)?;
            let entry = changes
                .map(|changes| self.entry(unit, action, &changes, &after))
                .transpose()?;
            let kind = Kind::Insert;
            return Ok(Some(Effect {
                kind,
                after,
                exact,
                entry,
            }));
        };
        let changed = match action {
            Action::Migrate => Some(change::write_back(unit, stored, after, revision)?),
            _ => change::change(unit, stored, draft, after, revision, plan).await?,
        };
        let Some(Changed {
            mut after,
            mut update,
            audited,
        }) = changed
        else {
            return Ok(None);
        };
        stored::require_scope(unit, &after).await?;
        if plan.claims && stored::holds(unit, plan.condition.clone(), &after).await? {
            let message =
                "the patch leaves the document claimable: it has to change what the filter asks for";
            return Err(Error::violation("", "claim", message));
        }
        let entry = if audited && audit::is_audited(unit) {
            let differences = match action {
                Action::Migrate => stored.written_back(unit.schema(), &after)?,
                _ => stored.changes(unit.schema(), &after)?,
            };
            Some(self.entry(unit, action, &differences, &after)?)
        } else {
            None
        };
        reseal::refresh(unit, &mut after, &mut update).await?;
        let kind = Kind::Update(update);
        Ok(Some(Effect {
            kind,
            after,
            exact,
            entry,
        }))
    }

    async fn judge_delete(&self, item: &mut Item<'_>) -> Result<()> {
        let Item {
            unit, stored, plan, ..
        } = item;
        let (unit, action) = (&mut **unit, plan.action);
        let Some(stored) = stored else { return Ok(()) };
        require(unit, action)?;
        stored::require_scope(unit, stored.present()).await?;
        if action != Action::Restore {
            unit.before().await?;
        }
        let changes = match action {
            Action::Restore => audit::is_audited(unit).then(Vec::new),
            _ => audited_differences(unit, stored.present(), diff::EMPTY)?,
        };
        let entry = changes
            .map(|changes| self.entry(unit, action, &changes, stored.present()))
            .transpose()?;
        let mut selection = unit.caller().own(unit.schema(), unit.id())?;
        selection.revision = stored.guard();
        let kind = match action {
            Action::Delete if unit.schema().soft_delete => {
                Kind::Update(change::mark_deleted(stored, selection, Some(self.now))?)
            }
            Action::Restore => Kind::Update(change::mark_deleted(stored, selection, None)?),
            _ => Kind::Delete(selection),
        };
        let mut effect = Effect {
            kind,
            after: Vec::new(),
            exact: true,
            entry,
        };
        outbox::embed(unit.schema(), &mut effect, Some(stored))?;
        // A new seal would vouch for what is broken.
        if stored.trusted {
            let raw = Some(stored.raw.as_bytes());
            document_seal::put_on(&unit.caller().ports, unit.schema(), &mut effect, raw).await?;
        }
        item.effect = Some(effect);
        item.written = Written::Yes;
        Ok(())
    }

    fn entry(
        &self,
        unit: &dyn WriteUnit,
        action: Action,
        changes: &[Difference<'_>],
        document: &[u8],
    ) -> Result<Entry> {
        audit::entry(unit, action, changes, document, self.now, self.started)
    }
}

/// Refuses a second document where each tenant has one.
fn require_only(unit: &dyn WriteUnit) -> Result<()> {
    if *unit.id() == unit.caller().only_id(unit.schema()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        "each tenant has one document of this model: it is got or created by `singleton`",
    ))
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

/// The document as the patch alone makes it, before hooks ran; none if a new secret is in it, which is not written
/// without keys.
fn drafted(unit: &dyn WriteUnit) -> Option<Vec<u8>> {
    let mut out = Writer::new().keeping_keys(true);
    unit.encode(&mut out);
    out.finish().ok()
}

/// Refuses a create that gives what this caller does not change.
fn refuse_given(unit: &dyn WriteUnit, given: &[&'static str]) -> Result<()> {
    if given.is_empty() || unit.caller().bypass.is_some() {
        return Ok(());
    }
    let kept = unit.readonly_for();
    let fields = unit.schema().fields.iter();
    let mut given = fields.filter(|field| given.contains(&field.json));
    match given.find(|field| kept.iter().any(|name| name == field.stored)) {
        Some(field) => {
            Err(Error::new(ErrorKind::Forbidden, "`readonly_for` denies it").at_path(field.stored))
        }
        None => Ok(()),
    }
}

/// Refuses what this caller does not change, before hooks change what they like.
async fn keep_readonly_for(unit: &dyn WriteUnit, stored: &Stored) -> Result<()> {
    if unit.caller().bypass.is_some() {
        return Ok(());
    }
    let kept = unit.readonly_for();
    if kept.is_empty() {
        return Ok(());
    }
    let (after, _) = encode(unit, Revision::default(), Action::Update).await?;
    let changes = stored.changes(unit.schema(), &after)?;
    match changes
        .iter()
        .find(|change| kept.iter().any(|name| name == change.field.stored))
    {
        Some(change) => {
            Err(Error::new(ErrorKind::Forbidden, "`readonly_for` denies it").at_path(change.path.clone()))
        }
        None => Ok(()),
    }
}

/// From what was asked to what may be stored.
async fn prepare(unit: &mut dyn WriteUnit, action: Action, now: DateTime<Utc>) -> Result<()> {
    // A migration is no change that a hook has to know of: nobody acted on the document.
    if action != Action::Migrate {
        unit.before().await?;
        unit.stamp(now);
        unit.visit(&mut Visitor::new(Mode::Normalise));
    }
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
        done.push(Box::pin(hasher.hash(password)).await?);
    }
    unit.visit(&mut Visitor::new(Mode::Hashed(&mut done.into_iter())));
    Ok(())
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
