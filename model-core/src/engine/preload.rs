//! What the policy needs for the documents of several writes, loaded at once.

use super::plan::Item;
use super::unit::Side;
use crate::error::Result;

/// Loads what the policy needs for the documents on that side of those writes that have come so far.
pub(super) async fn preload(items: &mut [Item<'_>], side: Side) -> Result<()> {
    let Some(first) = items.first() else { return Ok(()) };
    if first.unit.caller().bypass.is_some() {
        return Ok(());
    }
    let mut places = (0..items.len()).filter(|place| items.get(*place).is_some_and(|item| item.has(side)));
    let (one, more) = (places.next(), places.next());
    match (one.and_then(|place| items.get(place)), more) {
        (None, _) => return Ok(()),
        (Some(item), None) => return item.unit.preload(side).await,
        (Some(_), Some(_)) => {}
    }
    let lent = items.iter_mut().filter(|item| item.has(side));
    let lent: Vec<_> = lent.map(|item| item.unit.lend()).collect();
    let Some(first) = items.first() else { return Ok(()) };
    let (lent, outcome) = first.unit.preload_lent(lent, side).await;
    let lenders = items.iter_mut().filter(|item| item.has(side));
    for (item, lent) in lenders.zip(lent) {
        item.unit.take_back(lent);
    }
    outcome
}
