//! `audit`.

use bson::Bson;
use serde_json::{Value, json};

use super::Admin;
use super::command::AuditTask;
use super::outcome::{Outcome, Status};
use crate::audit::{AuditChange, AuditEntry};
use crate::error::{Error, Result};
use crate::policy::{Actor, GlobalContext};
use crate::value::TenantId;

pub(super) async fn carry_out<A: Actor>(admin: &Admin<A>, task: &AuditTask) -> Result<Outcome> {
    let ctx = admin.bypassing("audit");
    match task {
        AuditTask::Verify { tenant } => verify(&ctx, tenant.as_ref()).await,
        AuditTask::History {
            tenant,
            model,
            id,
            event,
            by,
            limit,
        } => {
            let entered = tenant.as_ref().map(|tenant| ctx.enter(tenant.clone()));
            let mut log = entered.as_deref().unwrap_or(&ctx).audit_log().limit(*limit);
            if let Some(name) = model {
                let chosen = admin.chosen(std::slice::from_ref(name))?;
                let model = chosen.first().ok_or_else(|| Error::internal("no model"))?;
                log = model.history(log, id.as_deref())?;
            }
            if let Some(event) = event {
                log = log.event(event);
            }
            if let Some(actor) = by {
                log = log.by(actor);
            }
            let entries = log.await?;
            let text = if entries.is_empty() {
                "nothing happened".to_owned()
            } else {
                entries.iter().map(lines).collect()
            };
            Ok(Outcome::new(
                text,
                entries.iter().map(value).collect(),
                Status::Good,
            ))
        }
    }
}

async fn verify<A: Actor>(ctx: &GlobalContext<A>, tenant: Option<&TenantId>) -> Result<Outcome> {
    let report = match tenant {
        Some(tenant) => ctx.enter(tenant.clone()).audit_log().verify_chain().await?,
        None => ctx.audit_log().verify_chain().await?,
    };
    let mut text = format!("{} entries in order", report.entries);
    if let Some(reason) = report.reason {
        let at = report.broken.map(|id| format!(" at {id}")).unwrap_or_default();
        text.push_str(&format!("; broken{at}: {reason}"));
    }
    let json = json!({
        "entries": report.entries, "intact": report.is_intact(), "reason": report.reason,
        "broken": report.broken.map(|id| id.to_string()),
    });
    Ok(Outcome::new(text, json, Status::found(!report.is_intact())))
}

fn lines(entry: &AuditEntry) -> String {
    let who = entry.actor.name.as_ref().unwrap_or(&entry.actor.id);
    let (at, event, id) = (entry.at.to_rfc3339(), &entry.event, &entry.entity_id);
    let reason = entry.bypass_reason.as_ref().map(|reason| format!(" ({reason})"));
    let mut text = format!("{at} {event} {id} by {who}{}\n", reason.unwrap_or_default());
    for change in &entry.changes {
        text.push_str(&format!("  {}\n", line(change)));
    }
    text
}

/// One change for people.
pub(super) fn line(change: &AuditChange) -> String {
    match (change, sides(change)) {
        (AuditChange::Redacted { path }, _) => format!("{path}: secret, changed"),
        (_, [before, after]) => format!("{}: {before} -> {after}", change.path()),
    }
}

fn value(entry: &AuditEntry) -> Value {
    let changes = entry.changes.iter().map(|change| {
        let [before, after] = sides(change);
        json!({ "path": change.path(), "before": before, "after": after })
    });
    json!({
        "id": entry.id.to_string(), "at": entry.at, "event": entry.event, "entity": entry.entity_type,
        "entity_id": entry.entity_id, "actor": entry.actor.id, "reason": entry.bypass_reason,
        "changes": changes.collect::<Vec<_>>(),
    })
}

/// What a value was and is; of a secret, only that it changed.
pub(super) fn sides(change: &AuditChange) -> [Value; 2] {
    match change {
        AuditChange::Plain { before, after, .. } => [before, after].map(|side| match side {
            Some(value) => readable(value),
            None => Value::Null,
        }),
        AuditChange::Redacted { .. } => ["secret", "secret"].map(Value::from),
    }
}

/// As JSON, where dates and ids are the texts that people know.
fn readable(value: &Bson) -> Value {
    match value {
        Bson::Null => Value::Null,
        Bson::Boolean(value) => Value::from(*value),
        Bson::Int32(value) => Value::from(*value),
        Bson::Int64(value) => Value::from(*value),
        Bson::Double(value) => Value::from(*value),
        Bson::String(value) => Value::from(value.as_str()),
        Bson::ObjectId(value) => Value::from(value.to_hex()),
        Bson::DateTime(value) => Value::from(value.to_chrono().to_rfc3339()),
        Bson::Array(values) => values.iter().map(readable).collect(),
        Bson::Document(document) => document
            .iter()
            .map(|(key, value)| (key.clone(), readable(value)))
            .collect(),
        other => Value::from(other.to_string()),
    }
}
