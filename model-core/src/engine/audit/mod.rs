//! The audit entry of one write.

pub(in crate::engine) mod chain;
pub(in crate::engine) mod entity;
pub(in crate::engine) mod history;
pub(in crate::engine) mod outbox;

use std::time::Instant;

use bson::oid::ObjectId;
use chrono::{DateTime, Utc};

use crate::audit::{ActorIdentity, AuditChange, AuditEntry, RequestMeta};
use crate::codec::RawValue;
use crate::engine::caller::Caller;
use crate::engine::ports::AuditTarget;
use crate::engine::unit::{Action, WriteUnit};
use crate::engine::write::diff::{Difference, Value, to_bson};
use crate::error::{Error, Result};
use crate::schema::{AuditSpec, ModelSchema};

/// Whether a write of this unit is audited: the model says so, permissions are bypassed, or the actor works across
/// tenants.
pub(in crate::engine) fn is_audited(unit: &dyn WriteUnit) -> bool {
    let caller = unit.caller();
    unit.schema().audit.is_some() || caller.bypass.is_some() || caller.came_from.is_some()
}

/// The entry for `action`. `document` is the document after it, or before it for a delete.
pub(in crate::engine) fn entry(
    unit: &dyn WriteUnit,
    action: Action,
    differences: &[Difference<'_>],
    document: &[u8],
    now: DateTime<Utc>,
    started: Instant,
) -> AuditEntry {
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
        .and_then(|value| value.str().ok().map(str::to_owned));
    AuditEntry {
        #[allow(clippy::disallowed_methods)] // an entry's id is not a model's
        id: ObjectId::new(),
        tenant: caller.tenant.clone(),
        actor: caller.actor.clone(),
        event: event(schema, action),
        entity_type: schema.audit.map_or(schema.name, |spec| spec.entity).to_owned(),
        entity_id: entity::named(schema, unit.id(), document),
        entity_name: name,
        changes: differences.iter().map(change).collect(),
        request: caller.request.clone(),
        bypass_reason: caller.bypass.as_deref().map(str::to_owned),
        reason: caller.reason.as_deref().map(str::to_owned),
        came_from: caller.came_from.clone(),
        at: now,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
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
        AuditTarget::Collection => {
            let document = entry.to_document().to_vec();
            let document = document.map_err(|_| Error::internal("an audit entry that cannot be stored"))?;
            chain::record(&caller.ports, vec![document]).await
        }
    }
}

fn event(schema: &ModelSchema, action: Action) -> String {
    match (schema.audit, action) {
        (Some(AuditSpec { create, .. }), Action::Create) => create.to_owned(),
        (Some(AuditSpec { update, .. }), Action::Update) => update.to_owned(),
        (Some(AuditSpec { delete, .. }), Action::Delete) => delete.to_owned(),
        (Some(AuditSpec { entity, .. }), action) => format!("{entity}.{}", action.verb()),
        (None, action) => format!("{}.{}", schema.name, action.verb()),
    }
}

/// A difference without what may not be shown.
pub(in crate::engine) fn change(difference: &Difference<'_>) -> AuditChange {
    let path = difference.path.clone();
    if difference.redacted {
        return AuditChange::Redacted { path };
    }
    let present = |value: Option<RawValue<'_>>| to_bson(value.filter(|value| !value.is_null())).map(Box::new);
    AuditChange::Plain {
        path,
        before: present(difference.before),
        after: present(difference.after.as_ref().map(Value::raw)),
    }
}
