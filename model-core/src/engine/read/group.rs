//! Groups of the documents that may be read.

use std::collections::VecDeque;

use super::asked;
use super::distinct::arrays;
use super::options;
use crate::engine::read::{self, Listing, Notes};
use crate::engine::unit::{ReadUnit, visible};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Grouping, Groups, Node, RowField, Share, check_stage};
use crate::schema::ModelSchema;
use crate::store::{Find, into_error};

/// What the documents add to the groups, kept for those that are kept.
struct Shares<'g> {
    groups: Groups<'g>,
    decoded: VecDeque<Vec<Share>>,
}

impl Notes for Shares<'_> {
    fn note(&mut self, _: &[u8], present: &[u8]) -> Result<()> {
        self.decoded.push_back(self.groups.shares(present));
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        for share in self.decoded.pop_front().filter(|_| kept).unwrap_or_default() {
            self.groups.add(share);
        }
        kept
    }
}

/// The rows of a grouping, as documents. Where the scope alone decides, the server makes them; else the documents are
/// read, and only those that `can_read` allows count.
pub(crate) async fn group(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    grouping: &Grouping,
) -> Result<Vec<Vec<u8>>> {
    check(unit.schema(), grouping)?;
    grouping.raw.iter().try_for_each(check_stage)?;
    let on_server = read::server_decides(unit, &listing);
    // A document of an older version has its values only after `migrate`.
    if !on_server || unit.schema().version > 1 {
        if !grouping.raw.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "a raw stage needs rows that the server makes: an exact `read_scope` and a model of version 1",
            ));
        }
        let mut shares = Shares {
            groups: Groups::new(grouping),
            decoded: VecDeque::new(),
        };
        let mut open = read::open_whole(unit, listing).await?;
        while read::pull_noting(unit, &mut open, &mut shares).await? {
            unit.discard();
        }
        return shares.groups.rows();
    }
    let schema = unit.schema();
    unit.caller().ports.admit(schema).await?;
    asked::check_sort(unit, &listing.sort)?;
    let filter = listing.filter.unwrap_or(Node::Everything);
    let selection = visible(&*unit, listing.deleted, filter).await?;
    let find = Find {
        sort: listing.sort,
        skip: listing.skip,
        limit: listing.limit,
        batch: listing.batch,
        options: options::options(unit, listing.options)?,
        ..Find::all(schema.collection, selection)
    };
    let mut cursor = unit
        .caller()
        .store()?
        .group(&find, grouping)
        .await
        .map_err(into_error)?;
    let mut rows = Vec::new();
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |row| {
            rows.push(row.to_vec());
            Ok(true)
        })?;
    }
    Ok(rows)
}

/// A path through an array means its one element, so every array on it has to be unwound, the outermost first.
pub(in crate::engine) fn check(schema: &ModelSchema, grouping: &Grouping) -> Result<()> {
    let refuse = |path: &str, why: &'static str| Err(Error::violation(path, "group", why));
    for (place, path) in grouping.unwind.iter().enumerate() {
        let mut around = arrays(schema, path);
        if around.last() != Some(path) {
            return refuse(path, "only arrays are unwound");
        }
        around.retain(|array| array != path);
        let unwound = grouping.unwind.get(..place).unwrap_or_default();
        if !around.iter().all(|array| unwound.contains(array)) {
            return refuse(path, "the array around it has to be unwound first");
        }
    }
    let fields = grouping
        .keys
        .iter()
        .chain(grouping.folds.iter().map(|(_, field)| field));
    for RowField { path, window, .. } in fields {
        if window.is_some_and(|window| !window.is_valid()) {
            return refuse(
                path,
                "a window is longer than nothing, and less than a day off UTC",
            );
        }
        let on_the_way = arrays(schema, path);
        // An array of arrays is there twice, and unwound twice.
        let times = |array, all: &[String]| all.iter().filter(|known| *known == array).count();
        let is_unwound = |array| times(array, &grouping.unwind) == times(array, &on_the_way);
        if !on_the_way.iter().all(is_unwound) {
            return refuse(path, "an array is grouped element by element: `unwind` it first");
        }
    }
    Ok(())
}
