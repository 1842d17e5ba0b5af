//! The audit entry of one write.

pub(in crate::engine) mod chain;
pub(in crate::engine) mod entity;
pub(in crate::engine) mod history;
pub(in crate::engine) mod outbox;

use std::borrow::Cow;
use std::time::Instant;

use bson::oid::ObjectId;
use chrono::{DateTime, Utc};

use crate::audit::{ActorIdentity, AuditChange, AuditEntry, EntryHead, RequestMeta};
use crate::codec::{RawValue, Writer, read_bson};
use crate::engine::caller::Caller;
use crate::engine::ports::AuditTarget;
use crate::engine::unit::{Action, WriteUnit};
use crate::engine::write::diff::{Difference, Value, to_bson};
use crate::error::Result;
use crate::schema::{AuditSpec, ModelSchema};

/// Whether a write of this unit is audited: the model says so, permissions are bypassed, or the actor works across
/// tenants.
pub(in crate::engine) fn is_audited(unit: &dyn WriteUnit) -> bool {
    let caller = unit.caller();
    unit.schema().audit.is_some() || caller.bypass.is_some() || caller.came_from.is_some()
}

/// The entry of a write, in the form in which it leaves.
pub(in crate::engine) enum Entry {
    /// As it is stored: in the log, or in the document's outbox.
    Stored(Vec<u8>),
    /// For the application's own sink.
    Told(Box<AuditEntry>),
}

/// The entry for `action`. `document` is the document after it, or before it for a delete.
pub(in crate::engine) fn entry(
    unit: &dyn WriteUnit,
    action: Action,
    differences: &[Difference<'_>],
    document: &[u8],
    now: DateTime<Utc>,
    started: Instant,
) -> Result<Entry> {
    let (schema, caller) = (unit.schema(), unit.caller());
    let name_field = schema.audit.and_then(|spec| spec.name_field);
    let name = name_field
        .filter(|field| {
            schema
                .field(field)
                .is_some_and(|field| !field.hidden && field.pii.is_none() && !field.ty.is_secret())
        })
        .and_then(|field| {
            crate::engine::read::load::raw_field(document, field)
                .ok()
                .flatten()
        })
        .and_then(|value| value.str().ok());
    let head = EntryHead {
        #[allow(clippy::disallowed_methods)] // an entry's id is not a model's
        id: ObjectId::new(),
        tenant: caller.tenant.as_ref(),
        actor: &caller.actor,
        event: event(schema, action),
        entity_type: schema.audit.map_or(schema.name, |spec| spec.entity),
        entity_id: entity::named(schema, unit.id(), document).into(),
        entity_name: name,
        request: &caller.request,
        bypass_reason: caller.bypass.as_deref(),
        reason: caller.reason.as_deref(),
        came_from: caller.came_from.as_ref(),
        at: now,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    if schema.has_outbox() || matches!(caller.ports.audit, AuditTarget::Collection) {
        head.to_bytes(differences, write_change).map(Entry::Stored)
    } else {
        let changes = differences.iter().map(change).collect();
        Ok(Entry::Told(Box::new(head.with(changes))))
    }
}

/// The entry of an event that is no write of a document.
pub(in crate::engine) fn bare(
    actor: &ActorIdentity,
    event: String,
    entity_type: &str,
    entity_id: String,
    at: DateTime<Utc>,
) -> AuditEntry {
    AuditEntry {
        #[allow(clippy::disallowed_methods)] // an entry's id is not a model's
        id: ObjectId::new(),
        tenant: None,
        actor: actor.clone(),
        event,
        entity_type: entity_type.to_owned(),
        entity_id,
        entity_name: None,
        changes: Vec::new(),
        request: RequestMeta::default(),
        bypass_reason: None,
        reason: None,
        came_from: None,
        at,
        duration_ms: 0,
    }
}

/// Records an event that is no write of a document, on behalf of a caller, before it takes place.
pub(in crate::engine) async fn note(
    caller: &Caller,
    event: &str,
    entity_type: &str,
    entity_id: String,
    changes: Vec<AuditChange>,
) -> Result<()> {
    let at = caller.ports.now();
    let entry = AuditEntry {
        tenant: caller.tenant.clone(),
        request: caller.request.clone(),
        bypass_reason: caller.bypass.as_deref().map(str::to_owned),
        reason: caller.reason.as_deref().map(str::to_owned),
        came_from: caller.came_from.clone(),
        changes,
        ..bare(&caller.actor, event.to_owned(), entity_type, entity_id, at)
    };
    match &caller.ports.audit {
        AuditTarget::Sink(sink) => sink.record(&entry).await,
        AuditTarget::Collection => chain::record(&caller.ports, &entry.to_bytes()?).await,
    }
}

fn event(schema: &ModelSchema, action: Action) -> Cow<'static, str> {
    match (schema.audit, action) {
        (Some(AuditSpec { create, .. }), Action::Create) => create.into(),
        (Some(AuditSpec { update, .. }), Action::Update) => update.into(),
        (Some(AuditSpec { delete, .. }), Action::Delete) => delete.into(),
        (Some(AuditSpec { entity, .. }), action) => format!("{entity}.{}", action.verb()).into(),
        (None, action) => format!("{}.{}", schema.name, action.verb()).into(),
    }
}

/// A difference without what may not be shown.
pub(in crate::engine) fn change(difference: &Difference<'_>) -> AuditChange {
    let path = difference.path.clone().into_owned();
    if difference.redacted {
        return AuditChange::Redacted { path };
    }
    let [before, after] = sides(difference).map(|value| to_bson(value).map(Box::new));
    AuditChange::Plain { path, before, after }
}

/// The same as it is stored: values go over as they stand, unless nobody could read them there, which another writer may
/// have stored.
fn write_change(out: &mut Writer<'_>, difference: &Difference<'_>) {
    out.string("path", &difference.path);
    if difference.redacted {
        return out.bool("changed", true);
    }
    let [before, after] = sides(difference);
    let own = matches!(difference.after, Some(Value::Raw(_)));
    for (key, value, own) in [("before", before, false), ("after", after, own)] {
        if let Some(value) = value.filter(|value| own || read_bson(*value).is_ok()) {
            out.raw(key, value.tag, value.bytes);
        }
    }
}

/// What was before, and what is after; null is as good as absent.
fn sides<'a>(difference: &'a Difference<'_>) -> [Option<RawValue<'a>>; 2] {
    let after = difference.after.as_ref().map(Value::raw);
    [difference.before, after].map(|value| value.filter(|value| !value.is_null()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bson::{Document, doc};

    use super::*;
    use crate::codec::tag;
    use crate::schema::FieldSchema;

    /// An entry that nobody can read would stand in the way of all behind it.
    #[test]
    fn what_nobody_can_read_is_left_out() {
        let whole = doc! { "name": "daily" }.to_vec().unwrap();
        let mut broken = whole.clone();
        let text = broken.len() - 3;
        broken[text] = 0xFF;
        let field: &'static FieldSchema = &crate::audit::schema(false).fields[0];
        let written = |before: &[u8], after: Option<Value<'_>>| {
            let value = |bytes| RawValue {
                tag: tag::DOCUMENT,
                bytes,
            };
            let difference = Difference {
                path: "limits".into(),
                field,
                redacted: false,
                readonly: false,
                before: Some(value(before)),
                after,
            };
            let mut out = Writer::new();
            write_change(&mut out, &difference);
            Document::from_reader(&out.finish().unwrap()[..]).unwrap()
        };
        assert_eq!(
            written(&whole, None),
            doc! { "path": "limits", "before": { "name": "daily" } }
        );
        assert_eq!(written(&broken, None), doc! { "path": "limits" });
        assert_eq!(
            written(&broken, Some(Value::Merged(broken.clone()))),
            doc! { "path": "limits" }
        );
    }
}
