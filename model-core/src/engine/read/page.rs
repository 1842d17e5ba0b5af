//! Pages: the query of one page, and where the next one begins.

use std::collections::VecDeque;

use super::asked;
use crate::engine::migration::backlog;
use crate::engine::read::{self, Listing, Notes};
use crate::engine::secrets::blind;
use crate::engine::unit::ReadUnit;
use crate::error::{Error, Result};
use crate::query::{Binding, Node, PageCursor, PageOrder, describe};

/// The places of a page's documents: noted as they are decoded, in step with the judging.
#[derive(Debug)]
struct Marks {
    order: PageOrder,
    decoded: VecDeque<Vec<u8>>,
    /// How many kept documents a page still has room for.
    room: u64,
    /// The place of the page's last document.
    last: Option<Vec<u8>>,
}

impl Notes for Marks {
    fn note(&mut self, stored: &[u8], _: &[u8]) -> Result<()> {
        self.decoded.push_back(self.order.place(stored)?);
        Ok(())
    }

    fn missed(&mut self, stored: &[u8]) -> Result<()> {
        self.decoded.push_back(self.order.place_of_any(stored)?);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        let place = self.decoded.pop_front();
        if kept && self.room > 0 {
            self.room -= 1;
            self.last = place;
        }
        kept
    }
}

/// Hands the readable documents of one page to the unit, and tells where the next page begins if there is one.
pub(crate) async fn page(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    limit: u64,
    after: Option<&str>,
) -> Result<Option<PageCursor>> {
    if limit == 0 {
        return Err(Error::violation(
            "limit",
            "page",
            "a page has room for one document at least",
        ));
    }
    if listing.skip > 0 || listing.limit.is_some() {
        return Err(Error::violation(
            "limit",
            "page",
            "a page takes neither `skip` nor `limit`",
        ));
    }
    asked::check_sort(unit, &listing.sort)?;
    let mut order = PageOrder::new(unit.schema(), listing.sort)?;
    if unit.is_lenient() {
        order.admit_absent();
    }
    if listing.or_older {
        backlog::refuse_blind(listing.filter.as_ref().unwrap_or(&Node::Everything))?;
    }
    // A secret in the filter goes into the cursor as its token, if at all.
    let filter = listing.filter.unwrap_or(Node::Everything);
    let (filter, bound) = if filter.is_truncated() {
        let bound = blind::resolve_relaxed(unit.caller(), unit.schema(), filter.clone()).await?;
        (filter, Some(bound))
    } else {
        (blind::resolve(unit.caller(), unit.schema(), filter).await?, None)
    };
    let tenant = unit
        .caller()
        .tenant
        .as_ref()
        .map(|tenant| tenant.value().to_bson());
    let tenant = tenant.filter(|_| unit.schema().tenant_field().is_some());
    let binding = Binding::new(&describe(
        unit.schema().collection,
        tenant.as_ref(),
        bound.as_ref().unwrap_or(&filter),
        &order,
        listing.options.collation.as_ref(),
    )?);
    let ranges = match after {
        None => vec![Node::Everything],
        Some(text) => order.after(&binding.read(text, order.sort().len())?),
    };
    let sort = order.sort().to_vec();
    let mut marks = Marks {
        order,
        decoded: VecDeque::new(),
        room: limit,
        last: None,
    };
    // One more tells whether there is a next page: for this reader, so it has to be a readable one.
    let mut left = limit.saturating_add(1);
    for range in ranges {
        let listing = Listing {
            filter: Some(filter.clone().and(range)),
            sort: sort.clone(),
            limit: Some(left),
            batch: listing.batch,
            deleted: listing.deleted,
            options: listing.options.clone(),
            or_older: listing.or_older,
            ..Listing::default()
        };
        let mut open = read::open(unit, listing).await?;
        while read::pull_noting(unit, &mut open, &mut marks).await? {}
        left = open.left().unwrap_or_default();
        if left == 0 {
            unit.drop_last();
            return Ok(marks.last.map(|place| binding.write(&place)));
        }
    }
    Ok(None)
}
