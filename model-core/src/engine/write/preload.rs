//! What the policy needs for the documents of several writes, loaded at once.

use super::plan::Item;
use crate::engine::unit::Side;
use crate::error::Result;
use crate::schema::ModelSchema;

/// Loads what the policies need for the documents on that side of those writes that have come so far: once for each model.
pub(in crate::engine) async fn preload(items: &mut [Item<'_>], side: Side) -> Result<()> {
    let Some(first) = items.first() else { return Ok(()) };
    if first.unit.caller().bypass.is_some() {
        return Ok(());
    }
    if let [only] = items {
        return if only.has(side) {
            only.unit.preload(side).await
        } else {
            Ok(())
        };
    }
    let mut models: Vec<&'static ModelSchema> = Vec::with_capacity(1);
    for item in items.iter().filter(|item| item.has(side)) {
        if !models
            .iter()
            .any(|model| std::ptr::eq(*model, item.unit.schema()))
        {
            models.push(item.unit.schema());
        }
    }
    for model in models {
        of_model(items, side, model).await?;
    }
    Ok(())
}

async fn of_model(items: &mut [Item<'_>], side: Side, model: &'static ModelSchema) -> Result<()> {
    let belongs = |item: &Item<'_>| item.has(side) && std::ptr::eq(item.unit.schema(), model);
    let mut places = (0..items.len()).filter(|place| items.get(*place).is_some_and(belongs));
    let (one, more) = (places.next(), places.next());
    let first = match (one.and_then(|place| items.get(place)), more) {
        (None, _) => return Ok(()),
        (Some(item), None) => return item.unit.preload(side).await,
        (Some(_), Some(_)) => one,
    };
    let lent = items.iter_mut().filter(|item| belongs(item));
    let lent: Vec<_> = lent.map(|item| item.unit.lend()).collect();
    let Some(first) = first.and_then(|place| items.get(place)) else {
        return Ok(());
    };
    let (lent, outcome) = first.unit.preload_lent(lent, side).await;
    let lenders = items.iter_mut().filter(|item| belongs(item));
    for (item, lent) in lenders.zip(lent) {
        item.unit.take_back(lent);
    }
    outcome
}
