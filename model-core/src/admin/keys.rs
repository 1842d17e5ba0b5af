//! `keys`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Admin;
use super::command::{KeyTask, Scope};
use super::outcome::{Outcome, Status, lines, values};
use super::progress::Watch;
use crate::crypto::KeyId;
use crate::engine::ResumeToken;
use crate::error::{Error, Result};
use crate::keys::{Confirm, KeyStatus, Keys};
use crate::policy::Actor;
use crate::value::TenantId;

pub(super) async fn carry_out<A: Actor>(admin: &Admin<A>, task: &KeyTask, watch: &Watch) -> Result<Outcome> {
    let keys = admin.db.keys(admin.ctx.actor().identity());
    match task {
        KeyTask::Status { tenant } => status(&keys, tenant.as_ref()).await,
        KeyTask::Rotate {
            promote: Some(key), ..
        } => {
            keys.promote(*key).await?;
            let text = format!(
                "{} seals from now on; `keys reencrypt` puts under it what others sealed",
                hex(*key)
            );
            Ok(Outcome::new(text, json!({ "promoted": hex(*key) }), Status::Good))
        }
        KeyTask::Rotate { tenant, purpose, .. } => {
            let key = hex(keys.stage(*purpose, tenant.as_ref()).await?);
            let text = format!("{key} is staged; once every process knows it: `keys rotate --promote {key}`");
            Ok(Outcome::new(text, json!({ "staged": key }), Status::Good))
        }
        KeyTask::Reencrypt { scope, batch, resume } => {
            reencrypt(admin, scope, *batch, resume.as_ref(), watch).await
        }
        KeyTask::Shred { tenant, confirm } => {
            if tenant != confirm {
                let message = "is not the tenant whose keys are to be destroyed";
                return Err(Error::violation("--confirm", "same", message));
            }
            let destroyed = keys.shred(tenant, Confirm::CryptoShred).await?;
            let text = format!("{destroyed} keys destroyed");
            Ok(Outcome::new(
                text,
                json!({ "destroyed": destroyed }),
                Status::Good,
            ))
        }
    }
}

fn hex(key: KeyId) -> String {
    key.as_bytes().iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn status(keys: &Keys, tenant: Option<&TenantId>) -> Result<Outcome> {
    let found = keys.status(tenant).await?;
    let line = |key: &KeyStatus| {
        let (state, at) = (format!("{:?}", key.state), key.created_at.to_rfc3339());
        let (purpose, version) = (key.purpose.as_str(), key.version);
        format!(
            "{} {purpose} {version} {state} {} {at}\n",
            hex(key.id),
            key.provider
        )
    };
    let value = |key: &KeyStatus| {
        json!({
            "id": hex(key.id), "purpose": key.purpose.as_str(), "version": key.version,
            "state": format!("{:?}", key.state), "provider": key.provider, "created_at": key.created_at,
            "promoted_at": key.promoted_at, "destroyed_at": key.destroyed_at,
        })
    };
    let text = if found.is_empty() {
        "no keys".to_owned()
    } else {
        found.iter().map(line).collect()
    };
    Ok(Outcome::new(
        text,
        found.iter().map(value).collect(),
        Status::Good,
    ))
}

async fn reencrypt<A: Actor>(
    admin: &Admin<A>,
    scope: &Scope,
    batch: u32,
    resume: Option<&ResumeToken>,
    watch: &Watch,
) -> Result<Outcome> {
    let ctx = admin.bypassing("keys reencrypt");
    let mut models = admin.chosen(&scope.models)?;
    models.retain(|model| {
        let schema = model.schema();
        schema.has_encrypted() || schema.token_scopes().any() || schema.seal.is_some()
    });
    if resume.is_some() && scope.models.len() != 1 {
        return Err(Error::violation("--resume", "one", "goes with one `--model`"));
    }
    let (mut text, mut all, mut status) = (String::new(), Vec::new(), Status::Good);
    'all: for model in models {
        let name = model.schema().name;
        let is_global = model.schema().tenant_field().is_none();
        let tenants: Vec<Option<TenantId>> = match &scope.tenant {
            Some(_) if is_global => continue,
            Some(tenant) => vec![Some(tenant.clone())],
            None if is_global => vec![None],
            None if resume.is_some() => {
                let message = "tells where one tenant's documents were left: name the `--tenant`";
                return Err(Error::violation("--resume", "tenant", message));
            }
            None => model.tenants(&ctx).await?.into_iter().map(Some).collect(),
        };
        for tenant in tenants {
            if watch.is_stopped() {
                break 'all;
            }
            let run = model.reencrypt(&ctx, tenant.as_ref(), batch, resume.cloned(), watch);
            let report = run.await?;
            let of = tenant
                .as_ref()
                .map(|tenant| format!(" of {tenant}"))
                .unwrap_or_default();
            let (rewritten, reindexed) = (report.rewritten, report.reindexed);
            let resealed = match model.schema().seal {
                Some(_) => format!(", {} resealed", report.resealed),
                None => String::new(),
            };
            text.push_str(&format!(
                "{name}{of}: {rewritten} rewritten, {reindexed} reindexed{resealed}{}\n",
                lines(&report.failed)
            ));
            if let Some(token) = &report.resume {
                text.push_str(&format!("  to go on: --model {name} --resume {token}\n"));
            }
            all.push(json!({
                "model": name, "tenant": tenant.map(|tenant| tenant.to_string()), "scanned": report.scanned,
                "rewritten": rewritten, "reindexed": reindexed, "resealed": report.resealed, "raced": report.raced,
                "failed": values(&report.failed), "resume": report.resume.map(|token| token.to_string()),
            }));
            if !report.failed.is_empty() {
                status = Status::Found;
            }
        }
    }
    if watch.is_stopped() {
        status = Status::Stopped;
        text.push_str("stopped; what is under the primary key already stays there\n");
    }
    Ok(Outcome::new(text, Value::from(all), status))
}
