//! `migrate`.

use std::time::Duration;

use serde_json::{Value, json};

use super::Admin;
use super::command::{MigrateTask, Scope};
use super::models::{Administered, Pace};
use super::outcome::{Outcome, Status, lines, values};
use super::progress::Watch;
use crate::error::Result;
use crate::policy::Actor;

pub(super) async fn carry_out<A: Actor>(
    admin: &Admin<A>,
    task: &MigrateTask,
    watch: &Watch,
) -> Result<Outcome> {
    match task {
        MigrateTask::Status { scope } => status(admin, scope).await,
        MigrateTask::DryRun { scope, sample } => dry_run(admin, scope, *sample).await,
        MigrateTask::Run {
            scope,
            batch,
            throttle,
        } => {
            let pace = Pace {
                batch: *batch,
                throttle: Duration::from_millis(*throttle),
            };
            run(admin, scope, pace, watch).await
        }
    }
}

/// The models whose documents are meant: a tenant has none of a global model.
fn meant<'a, A: Actor>(admin: &'a Admin<A>, scope: &Scope) -> Result<Vec<&'a dyn Administered<A>>> {
    let mut models = admin.chosen(&scope.models)?;
    models.retain(|model| scope.tenant.is_none() || model.schema().tenant_field().is_some());
    Ok(models)
}

async fn status<A: Actor>(admin: &Admin<A>, scope: &Scope) -> Result<Outcome> {
    let ctx = admin.bypassing("migrate status");
    let (mut text, mut all, mut any) = (String::new(), Vec::new(), false);
    for model in meant(admin, scope)? {
        let older = model.preview(&ctx, scope.tenant.as_ref(), 0).await?.older;
        let (name, version) = (model.schema().name, model.schema().version);
        text.push_str(&format!("{name}: version {version}, {older} older\n"));
        all.push(json!({ "model": name, "version": version, "older": older }));
        any |= older > 0;
    }
    Ok(Outcome::new(text, Value::from(all), Status::found(any)))
}

async fn dry_run<A: Actor>(admin: &Admin<A>, scope: &Scope, sample: u32) -> Result<Outcome> {
    let ctx = admin.bypassing("migrate dry-run");
    let (mut text, mut all, mut any) = (String::new(), Vec::new(), false);
    for model in meant(admin, scope)? {
        let preview = model.preview(&ctx, scope.tenant.as_ref(), sample).await?;
        let name = model.schema().name;
        text.push_str(&format!("{name}: {} older\n", preview.older));
        let mut samples = Vec::new();
        for one in &preview.sample {
            text.push_str(&format!("  {} (version {})\n", one.id, one.version));
            let mut changes = Vec::new();
            for change in &one.changes {
                let [before, after] = super::audit::sides(change);
                text.push_str(&format!("    {}\n", super::audit::line(change)));
                changes.push(json!({ "path": change.path(), "before": before, "after": after }));
            }
            for removed in &one.removed {
                text.push_str(&format!("    {removed}: goes away\n"));
            }
            samples.push(
                json!({ "id": one.id, "version": one.version, "changes": changes, "removed": one.removed }),
            );
        }
        if !preview.failed.is_empty() {
            text.push_str(lines(&preview.failed).trim_start_matches('\n'));
            text.push('\n');
        }
        any |= !preview.failed.is_empty();
        all.push(json!({
            "model": name, "older": preview.older, "sample": samples, "failed": values(&preview.failed),
        }));
    }
    Ok(Outcome::new(text, Value::from(all), Status::found(any)))
}

async fn run<A: Actor>(admin: &Admin<A>, scope: &Scope, pace: Pace, watch: &Watch) -> Result<Outcome> {
    let ctx = admin.bypassing("migrate run");
    let (mut text, mut all, mut status) = (String::new(), Vec::new(), Status::Good);
    for model in meant(admin, scope)? {
        if watch.is_stopped() {
            break;
        }
        let name = model.schema().name;
        let report = model.migrate(&ctx, scope.tenant.as_ref(), pace, watch).await?;
        text.push_str(&format!("{name}: {report}{}\n", lines(&report.failed)));
        all.push(json!({
            "model": name, "migrated": report.migrated, "raced": report.raced, "resumed": report.resumed,
            "complete": report.complete, "failed": values(&report.failed),
        }));
        if !report.complete {
            status = Status::Found;
        }
    }
    if watch.is_stopped() {
        status = Status::Stopped;
        text.push_str("stopped; run it again, and it goes on here\n");
    }
    Ok(Outcome::new(text, Value::from(all), status))
}
