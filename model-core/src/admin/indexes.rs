//! `indexes`.

use serde_json::{Value, json};

use super::command::IndexTask;
use super::outcome::{Outcome, Status};
use crate::db::Db;
use crate::error::Result;
use crate::lifecycle::{CollectionPlan, IndexPlan, SyncEvent, SyncOptions, ValidatorPlan};

pub(super) async fn carry_out(db: &Db, task: &IndexTask) -> Result<Outcome> {
    match *task {
        IndexTask::Plan => plan(db, false).await,
        IndexTask::Check => plan(db, true).await,
        IndexTask::Sync {
            drop_extra,
            drop_foreign,
            hide_first,
        } => {
            let options = SyncOptions::new()
                .drop_extra(drop_extra)
                .drop_foreign(drop_foreign)
                .hide_first(hide_first);
            sync(db, options).await
        }
    }
}

async fn plan(db: &Db, refuses_drift: bool) -> Result<Outcome> {
    let (indexes, validators) = (db.plan_indexes().await?, validators(db).await?);
    let collections = db.plan_collections().await?;
    let is_empty = indexes.is_empty() && validators.is_empty() && collections.is_empty();
    Ok(Outcome::new(
        format!("{indexes}\n{validators}{}", more(&collections)),
        told(&indexes, &validators, &collections),
        Status::found(refuses_drift && !is_empty),
    ))
}

/// Where the store has no validators, and no model declares one, there is nothing to plan.
async fn validators(db: &Db) -> Result<ValidatorPlan> {
    if db.models().iter().all(|schema| schema.validator.is_none()) {
        match db.plan_validators().await {
            Err(error) if error.is_unsupported() => return Ok(ValidatorPlan::default()),
            other => return other,
        }
    }
    db.plan_validators().await
}

fn told(indexes: &IndexPlan, validators: &ValidatorPlan, collections: &CollectionPlan) -> Value {
    json!({
        "indexes": steps(&indexes.steps), "validators": steps(&validators.steps), "collections": steps(&collections.steps),
    })
}

/// Few models need anything of their collections: what is as declared is not worth a line.
fn more(collections: &CollectionPlan) -> String {
    if collections.is_empty() {
        String::new()
    } else {
        format!("\n{collections}")
    }
}

fn steps(steps: &[impl ToString]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

async fn sync(db: &Db, options: SyncOptions) -> Result<Outcome> {
    // A build over many documents takes its time, and the server does not tell how far it is.
    let begun = |event: SyncEvent<'_>| {
        if let SyncEvent::Begun { step, number, of } = event {
            super::progress::say(&format!("{number}/{of} {step}"));
        }
    };
    let report = db.sync_indexes(options).on_progress(begun).await?;
    let planned = validators(db).await?;
    if !planned.is_empty() {
        db.sync_validators().await?;
    }
    let collections = db.sync_collections().await?;
    let mut text = format!("{} done, {} hidden", report.done.len(), report.hidden.len());
    for step in &report.left {
        text.push_str(&format!("\nleft: {step}"));
    }
    if !planned.is_empty() {
        text.push_str(&format!("\n{planned}"));
    }
    text.push_str(&more(&collections));
    let json = json!({
        "done": steps(&report.done), "hidden": steps(&report.hidden), "left": steps(&report.left),
        "validators": steps(&planned.steps), "collections": steps(&collections.steps),
    });
    Ok(Outcome::new(text, json, Status::Good))
}
