//! The end of a tenant: all its documents of all registered models, through the one write path.

use std::any::Any;

use bson::Bson;

use super::batches::DeletePlan;
use super::graph::Kin;
use crate::audit::AuditChange;
use crate::engine::audit;
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::engine::unit::{Action, Deleted, held};
use crate::engine::write::bulk::is_stale;
use crate::engine::write::plan::{Item, Plan, Written};
use crate::engine::write::write_together;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Node;
use crate::schema::{ModelSchema, TimeSeriesSpec};
use crate::store::{Find, into_error};

/// How often a batch of which a document was changed by somebody else is read again.
const ATTEMPTS: u32 = 8;

/// Who ends a tenant, or a person's data: takes a bypass, whose reason stands in the audit log.
pub(super) fn admit(caller: &Caller) -> Result<()> {
    if caller.bypass.is_some() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Forbidden,
        "an erasure reaches what no policy allows: it takes `dangerously_bypass_permissions`",
    ))
}

/// The models whose documents belong to tenants, each opened; what refers to others comes before them.
pub(in crate::engine) fn opened(
    caller: &Caller,
    context: &(dyn Any + Send + Sync),
) -> Result<Vec<Box<dyn Kin>>> {
    let graph = caller.graph();
    let order = referring_first(&graph.schemas());
    let tenants = order
        .into_iter()
        .filter(|(_, schema)| schema.tenant_field().is_some());
    tenants.map(|(place, _)| graph.open(place, context)).collect()
}

/// The models with their places, such that none comes after one that it refers to; within a circle, in any order.
fn referring_first(schemas: &[&'static ModelSchema]) -> Vec<(usize, &'static ModelSchema)> {
    fn visit(
        place: usize,
        schemas: &[&'static ModelSchema],
        seen: &mut Vec<usize>,
        order: &mut Vec<(usize, &'static ModelSchema)>,
    ) {
        let Some(schema) = schemas.get(place).filter(|_| !seen.contains(&place)) else {
            return;
        };
        seen.push(place);
        for reference in schema.references() {
            if let Some(to) = schemas
                .iter()
                .position(|known| std::ptr::eq(*known, reference.to))
            {
                visit(to, schemas, seen, order);
            }
        }
        order.push((place, *schema));
    }
    let (mut seen, mut order) = (Vec::new(), Vec::new());
    for place in 0..schemas.len() {
        visit(place, schemas, &mut seen, &mut order);
    }
    order.reverse();
    order
}

/// How many documents the tenant has of each model, those that are marked as deleted too.
pub(crate) async fn plan_erasure(caller: &Caller, context: &(dyn Any + Send + Sync)) -> Result<DeletePlan> {
    admit(caller)?;
    caller.ports.abilities().await?;
    let mut plan = DeletePlan::default();
    for kin in opened(caller, context)? {
        let schema = kin.schema();
        let selection = held(&*kin, Deleted::Included, Node::Everything).await?;
        let find = Find::all(schema.collection, selection);
        let count = caller.store()?.count(&find).await.map_err(into_error)?;
        plan.step(schema, |step| step.deleted = count);
    }
    Ok(plan)
}

/// Deletes all documents of the tenant, batch by batch; called again, it goes on with what is left.
pub(crate) async fn erase_tenant(
    caller: &Caller,
    context: &(dyn Any + Send + Sync),
    batch: usize,
    progress: &mut (dyn FnMut(&DeletePlan) + Send),
) -> Result<DeletePlan> {
    admit(caller)?;
    caller.ports.abilities().await?;
    let mut done = DeletePlan::default();
    for kin in opened(caller, context)? {
        let schema = kin.schema();
        done.step(schema, |_| {});
        if let Some(series) = schema.time_series() {
            let erased = erase_series(&*kin, series).await;
            let count = erased.map_err(|error| error.at_model(schema.name, "erase_tenant"))?;
            done.step(schema, |step| step.deleted += count);
            progress(&done);
            continue;
        }
        let mut lost = 0;
        loop {
            let count = match erase_batch(&*kin, batch).await {
                Err(error) if is_stale(&error) && lost < ATTEMPTS => {
                    lost += 1;
                    continue;
                }
                other => other.map_err(|error| error.at_model(schema.name, "erase_tenant"))?,
            };
            if count == 0 {
                break;
            }
            lost = 0;
            done.step(schema, |step| step.deleted += count);
            progress(&done);
        }
    }
    Ok(done)
}

/// Deletes all measurements of the tenant by one command, since the server deletes no single ones: how many there were. That it
/// happens stands in the audit log before it does.
async fn erase_series(kin: &dyn Kin, series: &TimeSeriesSpec) -> Result<u64> {
    let (schema, caller) = (kin.schema(), kin.caller());
    let selection = held(kin, Deleted::Included, Node::Everything).await?;
    let Some((field, tenant)) = selection.tenant.clone() else {
        return Ok(0);
    };
    if caller.transaction.is_some() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "no transaction deletes measurements: erase the tenant outside of it",
        ));
    }
    let find = Find::all(schema.collection, selection);
    let count = caller.store()?.count(&find).await.map_err(into_error)?;
    if count == 0 {
        return Ok(0);
    }
    let whose = caller
        .tenant
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let documents = AuditChange::Plain {
        path: "documents".to_owned(),
        before: Some(Box::new(Bson::Int64(i64::try_from(count).unwrap_or(i64::MAX)))),
        after: None,
    };
    let event = format!("{}.erase", schema.name);
    audit::note(caller, &event, schema.name, whose, vec![documents]).await?;
    let path = series.packed(field);
    let deleted =
        caller
            .ports
            .store
            .delete_measurements(schema.collection, path.as_deref().unwrap_or(field), &tenant);
    deleted.await.map_err(into_error)?;
    Ok(count)
}

/// Deletes some of the tenant's documents of one model; none if none is left.
async fn erase_batch(kin: &dyn Kin, batch: usize) -> Result<u64> {
    let schema = kin.schema();
    let size = u32::try_from(batch).ok();
    let find = Find {
        limit: size.map(u64::from),
        batch: size,
        ..Find::all(
            schema.collection,
            held(kin, Deleted::Included, Node::Everything).await?,
        )
    };
    let mut found = Vec::new();
    let mut cursor = kin.caller().store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            found.push((kin.unit(load::id(schema, raw)?, None), load::owned(raw)?));
            Ok(true)
        })?;
    }
    let action = if schema.soft_delete {
        Action::Purge
    } else {
        Action::Delete
    };
    let items = found.iter_mut();
    let mut items: Vec<_> = items
        .map(|(unit, raw)| Item::new(&mut **unit, Plan::new(action)).found(raw.clone()))
        .collect();
    write_together(&mut items).await?;
    let written = items.iter().filter(|item| item.written == Written::Yes);
    Ok(written.count() as u64)
}
