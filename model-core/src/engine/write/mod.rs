//! The one write path. Every write, whatever the verb and however many documents, goes through [`write_all`], stage by
//! stage:
//!
//! load → stamp, normalise → permission (fail early) → before-hook → stamp and normalise again → validate → permission
//! on before and after → hash, encode, seal → guarded write and audit entry, together → after-hook.
//!
//! Of several documents each is judged before the first is written.

pub(in crate::engine) mod bulk;
pub(in crate::engine) mod change;
pub(in crate::engine) mod commit;
pub(in crate::engine) mod diff;
pub(in crate::engine) mod judge;
pub(in crate::engine) mod once;
pub(in crate::engine) mod plan;
pub(in crate::engine) mod preload;
pub(in crate::engine) mod retry;
pub(in crate::engine) mod stored;
pub(in crate::engine) mod transfer;
pub(in crate::engine) mod upsert;

use std::time::Instant;

use bson::RawDocumentBuf;

use self::commit::commit;
use self::judge::Job;
use self::plan::{Item, Plan, Written};
use self::preload::preload;
use crate::codec::DecodeCx;
use crate::engine::audit;
use crate::engine::ports::AuditTarget;
use crate::engine::read::load;
use crate::engine::references::along::{self, Along};
use crate::engine::unit::{Action, Side, WriteUnit};
use crate::error::{Error, ErrorKind, Result};

/// What a write would do: everything up to the effects, which do not take place.
pub(in crate::engine) async fn judge_only(item: &mut Item<'_>) -> Result<()> {
    let job = Job {
        started: Instant::now(),
        now: item.unit.caller().ports.now(),
    };
    load_and_begin(&job, std::slice::from_mut(item)).await?;
    job.judge(item).await
}

/// Carries out one write.
pub(crate) async fn write(unit: &mut dyn WriteUnit, plan: Plan) -> Result<Written> {
    write_found(unit, plan, None).await
}

/// The same, with the document as it was read a moment ago, if it was.
pub(crate) async fn write_found(
    unit: &mut dyn WriteUnit,
    plan: Plan,
    found: Option<RawDocumentBuf>,
) -> Result<Written> {
    let mut item = Item {
        found,
        ..Item::new(unit, plan)
    };
    write_all(std::slice::from_mut(&mut item)).await?;
    Ok(item.written)
}

/// Carries out several writes on behalf of one caller: all or nothing where the server has transactions.
///
/// # Errors
/// The first document that fails, by its position.
pub(crate) async fn write_all(items: &mut [Item<'_>]) -> Result<()> {
    carry_out(items, true).await
}

/// As [`write_all`], of documents whose deletion takes nothing along any more.
pub(in crate::engine) async fn write_together(items: &mut [Item<'_>]) -> Result<()> {
    carry_out(items, false).await
}

async fn carry_out(items: &mut [Item<'_>], follows: bool) -> Result<()> {
    let Some(first) = items.first() else {
        return Ok(());
    };
    let job = Job {
        started: Instant::now(),
        now: first.unit.caller().ports.now(),
    };
    let mut transactions = false;
    for item in items.iter() {
        let abilities = item.unit.caller().ports.admit(item.unit.schema()).await?;
        transactions = abilities.transactions;
        if !transactions && needs_transaction(&*item.unit) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "an audited write needs a transaction, and this server has none: use a replica set",
            ));
        }
    }
    let many = items.len() > 1;
    let place = |position: usize| many.then_some(position);
    load_and_begin(&job, items).await?;
    for (position, item) in items.iter_mut().enumerate() {
        if let Err(error) = job.judge(item).await {
            return Err(item.named(error, place(position)));
        }
    }
    let found = if follows {
        Along::of(items, transactions).await?
    } else {
        Along::default()
    };
    let mut units = found.units()?;
    let mut others: Vec<_> = units
        .iter_mut()
        .map(|(unit, dependent)| along::item(&mut **unit, dependent))
        .collect();
    if !others.is_empty() {
        Box::pin(judge_along(&job, &mut others)).await?;
    }
    let mut first = match commit(items, &others, transactions).await {
        Ok(told) => told,
        Err(error) => return gone(items, error),
    };
    for item in &mut others {
        if let Err(error) = finish(item).await {
            first.get_or_insert(error.at_model(item.unit.schema().name, item.plan.action.verb()));
        }
    }
    for (position, item) in items.iter_mut().enumerate() {
        if let Err(error) = finish(item).await {
            first.get_or_insert(item.named(error, place(position)));
        }
    }
    first.map_or(Ok(()), Err)
}

/// Judges what goes along with the documents that were asked for.
async fn judge_along(job: &Job, items: &mut [Item<'_>]) -> Result<()> {
    load_and_begin(job, items).await?;
    for item in items {
        if let Err(error) = job.judge(item).await {
            return Err(error.at_model(item.unit.schema().name, item.plan.action.verb()));
        }
    }
    Ok(())
}

/// Reads what is before, makes what is after, and loads what the policy needs for either, each at once for all.
async fn load_and_begin(job: &Job, items: &mut [Item<'_>]) -> Result<()> {
    stored::load(items).await?;
    for item in items.iter_mut() {
        job.begin(item);
    }
    preload(items, Side::After).await
}

/// Somebody else deleted the one document that was to be deleted: that is what was asked for, and it is audited where it
/// happened.
fn gone(items: &mut [Item<'_>], error: Error) -> Result<()> {
    match items {
        [item] if item.plan.action.is_delete() && error.is_not_found() => {
            item.written = Written::Missing;
            item.effect = None;
            Ok(())
        }
        _ => Err(error),
    }
}

fn needs_transaction(unit: &dyn WriteUnit) -> bool {
    audit::is_audited(unit)
        && !unit.schema().has_outbox()
        && matches!(unit.caller().ports.audit, AuditTarget::Collection)
}

/// Once the write stands: the unit takes in what was written, and the hook runs, or waits for the application's own
/// transaction to take effect.
async fn finish(item: &mut Item<'_>) -> Result<()> {
    let Some(effect) = &item.effect else { return Ok(()) };
    let unit = &mut *item.unit;
    // In a debug build, what is said to be exact is held to it.
    if !effect.after.is_empty() && (!effect.exact || cfg!(debug_assertions)) {
        let decoding = load::decoding(unit.schema(), &effect.after, None);
        let cx = DecodeCx::root(decoding.as_ref());
        unit.settle(&effect.after, effect.exact, &cx)?;
    }
    if matches!(item.plan.action, Action::Restore | Action::Migrate) {
        return Ok(());
    }
    if let Some(open) = &unit.caller().transaction {
        let before = item.stored.as_ref().map(|stored| stored.present().to_vec());
        open.defer(unit.after_commit(before, effect.after.clone()));
        return Ok(());
    }
    unit.after()
        .await
        .map_err(|error| error.after_write_of(|| unit.id().to_string()))
}
