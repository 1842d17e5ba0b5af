//! `migrate`.

use std::time::Duration;

use serde_json::{Value, json};

use super::Admin;
use super::command::{MigrateTask, Scope};
use super::models::{Administered, Pace};
use super::outcome::{Outcome, Status, lines, values};
use super::progress::{Progress, Watch};
use crate::error::Result;
use crate::policy::{Actor, GlobalContext};

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
            lease,
        } => {
            let pace = Pace {
                batch: *batch,
                throttle: Duration::from_millis(*throttle),
                lease: Duration::from_secs(*lease),
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

/// Steps are about whole collections: a command about some models or one tenant leaves them alone.
fn has_steps<A: Actor>(admin: &Admin<A>, scope: &Scope) -> bool {
    !admin.steps.is_empty() && scope.models.is_empty() && scope.tenant.is_none()
}

/// What the steps would do, if they are not taken yet; whether any is not, or would fail.
async fn preview_steps<A: Actor>(
    admin: &Admin<A>,
    ctx: &GlobalContext<A>,
    sample: u32,
    text: &mut String,
    all: &mut Vec<Value>,
) -> Result<(bool, bool)> {
    let (mut is_due, mut fails) = (false, false);
    for preview in admin.steps.run(ctx).dry_run(sample).await? {
        let name = preview.step;
        let state = if preview.was_done { "done" } else { "due" };
        text.push_str(&format!(
            "step {name}: {state}, {} documents\n",
            preview.documents
        ));
        for one in &preview.sample {
            let changed = one
                .changed
                .as_ref()
                .map_or("moves".to_owned(), |names| names.join(", "));
            text.push_str(&format!("  {}: {changed} {}\n", one.id, one.stored.join(", ")));
        }
        text.push_str(&lines(&preview.failed));
        is_due |= !preview.was_done;
        fails |= !preview.failed.is_empty();
        all.push(json!({
            "step": name, "done": preview.was_done, "documents": preview.documents,
            "sample": preview.sample.iter().map(|one| json!({
                "id": one.id, "changed": one.changed, "stored": one.stored,
            })).collect::<Vec<_>>(),
            "failed": values(&preview.failed),
        }));
    }
    Ok((is_due, fails))
}

/// Takes the steps; whether all are done.
async fn run_steps<A: Actor>(
    admin: &Admin<A>,
    ctx: &GlobalContext<A>,
    pace: Pace,
    watch: &Watch,
    text: &mut String,
    all: &mut Vec<Value>,
) -> Result<bool> {
    let mut progress = Progress::new("steps", None);
    let run = admin.steps.run(ctx).batch(pace.batch).throttle(pace.throttle);
    let run = run.lease(pace.lease).stop_when(|| watch.is_stopped());
    let reports = run.on_progress(|so_far| progress.at(so_far.written)).await?;
    for report in &reports {
        text.push_str(&format!("step {report}{}\n", lines(&report.failed)));
        all.push(json!({
            "step": report.step, "written": report.written, "rewritten": report.rewritten,
            "resumed": report.resumed, "complete": report.complete, "failed": values(&report.failed),
        }));
    }
    Ok(reports.iter().all(|report| report.complete))
}

async fn status<A: Actor>(admin: &Admin<A>, scope: &Scope) -> Result<Outcome> {
    let ctx = admin.bypassing("migrate status");
    let (mut text, mut all, mut any) = (String::new(), Vec::new(), false);
    if has_steps(admin, scope) {
        (any, _) = preview_steps(admin, &ctx, 0, &mut text, &mut all).await?;
    }
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
    if has_steps(admin, scope) {
        (_, any) = preview_steps(admin, &ctx, sample, &mut text, &mut all).await?;
    }
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
    let goes_on =
        !has_steps(admin, scope) || run_steps(admin, &ctx, pace, watch, &mut text, &mut all).await?;
    if !goes_on {
        status = if watch.is_stopped() {
            Status::Stopped
        } else {
            Status::Found
        };
        return Ok(Outcome::new(text, Value::from(all), status));
    }
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
