//! Several answers about the same documents that may be read.

use std::collections::VecDeque;

use futures_util::future::BoxFuture;

use super::asked;
use super::group::check;
use super::load;
use super::options;
use crate::codec::{DecodeError, Elements};
use crate::engine::migration::backlog;
use crate::engine::read::{self, Listing, Notes};
use crate::engine::secrets::blind;
use crate::engine::unit::{ReadUnit, visible};
use crate::error::{Error, Result};
use crate::query::{Branch, FacetShare, Facets, Node};
use crate::store::{Find, into_error};

/// What the documents add to the branches, kept for those that are kept.
struct Shares<'b> {
    facets: Facets<'b>,
    decoded: VecDeque<Vec<FacetShare>>,
    failure: Option<Error>,
}

impl Notes for Shares<'_> {
    fn note(&mut self, _: &[u8], present: &[u8]) -> Result<()> {
        self.decoded.push_back(self.facets.shares(present));
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        if let Some(shares) = self.decoded.pop_front().filter(|_| kept) {
            let added = self.facets.add(shares);
            self.failure = self.failure.take().or(added.err());
        }
        kept
    }
}

/// The documents of each branch. Where the scope alone decides, the server makes them in one pass; else the documents are read
/// once, and only those that `can_read` allows count.
///
/// Boxed for the reason that [`read::list`] is.
pub(crate) fn facet<'a>(
    unit: &'a mut dyn ReadUnit,
    listing: Listing,
    branches: &'a mut [Branch],
) -> BoxFuture<'a, Result<Vec<Vec<Vec<u8>>>>> {
    Box::pin(answers(unit, listing, branches))
}

async fn answers(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    branches: &mut [Branch],
) -> Result<Vec<Vec<Vec<u8>>>> {
    let schema = unit.schema();
    unit.caller().ports.admit(schema).await?;
    for branch in &mut *branches {
        match branch {
            Branch::Rows(grouping) => check(schema, grouping)?,
            Branch::Picked(picked) => {
                asked::check(unit, &picked.filter)?;
                asked::check_sort(unit, &picked.sort)?;
                let caller = unit.caller();
                backlog::check_sort(caller, schema, &picked.sort).await?;
                backlog::check(caller, schema, &picked.filter).await?;
                let filter = std::mem::replace(&mut picked.filter, Node::Nothing);
                let filter = blind::resolve(caller, schema, filter).await?;
                picked.filter = caller.select(schema, filter)?.rest;
            }
        }
    }
    let on_server = read::server_decides(unit, &listing);
    // What is handed out of a sealed document is checked, which takes the whole of it.
    let checked = schema.seal.is_some() && branches.iter().any(|branch| matches!(branch, Branch::Picked(_)));
    // A document of an older version has its values only after `migrate`; the server takes no limit of zero.
    if !on_server || checked || schema.version > 1 || listing.limit == Some(0) {
        let mut shares = Shares {
            facets: Facets::new(branches),
            decoded: VecDeque::new(),
            failure: None,
        };
        let mut open = read::open(unit, listing).await?;
        while read::pull_noting(unit, &mut open, &mut shares).await? {
            unit.discard();
        }
        return shares.failure.map_or_else(|| shares.facets.results(), Err);
    }
    asked::check_sort(unit, &listing.sort)?;
    backlog::check_sort(unit.caller(), schema, &listing.sort).await?;
    let filter = listing.filter.unwrap_or(Node::Everything);
    let selection = visible(&*unit, listing.deleted, filter).await?;
    let find = Find {
        sort: listing.sort,
        skip: listing.skip,
        limit: listing.limit,
        options: options::options(unit, listing.options)?,
        ..Find::all(schema.collection, selection)
    };
    let store = unit.caller().store()?;
    let mut cursor = store.facet(&find, branches).await.map_err(into_error)?;
    let mut results = vec![Vec::new(); branches.len()];
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |row| {
            for (place, documents) in results.iter_mut().enumerate() {
                *documents = branch(row, place)?;
            }
            Ok(true)
        })?;
    }
    Ok(results)
}

/// The documents of one branch.
fn branch(row: &[u8], place: usize) -> Result<Vec<Vec<u8>>> {
    let array = load::raw_field(row, &place.to_string())?;
    let array = array.ok_or_else(|| Error::internal("a branch of a facet is missing"))?;
    let mut items = Elements::new(array.bytes).map_err(DecodeError::into_error)?;
    let mut documents = Vec::new();
    while let Some(item) = items.next_value().map_err(DecodeError::into_error)? {
        documents.push(item.bytes.to_vec());
    }
    Ok(documents)
}

/// A whole number of a row.
pub(crate) fn number(row: &[u8], name: &str) -> Result<u64> {
    let value = load::raw_field(row, name)?;
    let number = value.and_then(|value| value.i64().ok());
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| Error::internal("a count is no number"))
}
