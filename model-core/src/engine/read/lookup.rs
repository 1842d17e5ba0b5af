//! Documents together with those of another model that belong to them, each side judged by its own rules.

use std::collections::VecDeque;

use bson::Bson;

use super::asked;
use super::distinct::arrays;
use super::load;
use super::options;
use super::pick;
use crate::codec::{DecodeError, Elements};
use crate::engine::migration::backlog;
use crate::engine::read::{self, Listing, Notes, Open};
use crate::engine::secrets::document_seal;
use crate::engine::unit::{Deleted, ReadUnit, visible};
use crate::error::{Error, Result};
use crate::query::{Joining, Node, ReadOptions, Test};
use crate::schema::{ModelSchema, reserved};
use crate::store::{Find, Join};

/// An open lookup.
#[derive(Debug)]
pub(crate) struct OpenLookup {
    open: Open,
    /// How many of the other model's documents each document is to have.
    limit: Option<u64>,
}

/// The stored documents that came with those which are kept.
#[derive(Default)]
struct Joined {
    decoded: VecDeque<Vec<Vec<u8>>>,
    kept: Vec<Vec<Vec<u8>>>,
}

impl Notes for Joined {
    fn note(&mut self, stored: &[u8], _: &[u8]) -> Result<()> {
        let mut documents = Vec::new();
        if let Some(array) = load::raw_field(stored, reserved::JOINED)? {
            let mut items = Elements::new(array.bytes).map_err(DecodeError::into_error)?;
            while let Some(item) = items.next_value().map_err(DecodeError::into_error)? {
                documents.push(item.bytes.to_vec());
            }
        }
        self.decoded.push_back(documents);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        self.kept.extend(self.decoded.pop_front().filter(|_| kept));
        kept
    }
}

/// Opens a lookup. The server selects on either side by tenant, base filter, soft delete, scope and filter, of the other
/// model inside of the `$lookup`; what `can_read` says of either is asked as the documents come in.
pub(crate) async fn open_lookup(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    other: &dyn ReadUnit,
    joining: Joining,
) -> Result<OpenLookup> {
    let (caller, schema) = (other.caller(), other.schema());
    caller.ports.admit(schema).await?;
    refuse_nested(unit.schema(), &joining.local)?;
    refuse_nested(schema, &joining.foreign)?;
    let local = Node::field(joining.local.clone(), Test::Exists(true));
    backlog::check(unit.caller(), unit.schema(), &local).await?;
    asked::check_sort(other, &joining.sort)?;
    backlog::check_sort(caller, schema, &joining.sort).await?;
    // The command's collation holds for the other model's conditions too.
    options::options(
        other,
        ReadOptions {
            collation: listing.options.collation.clone(),
            ..ReadOptions::default()
        },
    )?;
    // The server would take a missing value on the one side for the same as on the other.
    let there = Node::field(joining.foreign.clone(), Test::Ne(Bson::Null));
    let selection = visible(other, Deleted::Hidden, there.and(joining.filter)).await?;
    let exact = other.scope_is_exact() || caller.bypass.is_some();
    let find = Find {
        fields: pick::fields(other, &[]),
        sort: joining.sort,
        // Where documents may be denied, those that may be read count.
        limit: joining.limit.filter(|limit| exact && *limit > 0),
        ..Find::all(schema.collection, selection)
    };
    let join = Join {
        local: joining.local,
        foreign: joining.foreign,
        find,
    };
    Ok(OpenLookup {
        open: read::open_with(unit, listing, Some(join)).await?,
        limit: joining.limit,
    })
}

/// An array of arrays has elements that are no values.
fn refuse_nested(schema: &ModelSchema, path: &str) -> Result<()> {
    let arrays = arrays(schema, path);
    let twice = arrays.iter().zip(arrays.iter().skip(1)).any(|(a, b)| a == b);
    if twice {
        return Err(Error::violation(
            path,
            "lookup",
            "no lookup goes by an array of arrays",
        ));
    }
    Ok(())
}

/// Hands the next batch of readable documents to `unit`, and what belongs to them to `other`: for each document in order,
/// how many. None at the end.
pub(crate) async fn pull_lookup(
    unit: &mut dyn ReadUnit,
    other: &mut dyn ReadUnit,
    lookup: &mut OpenLookup,
) -> Result<Option<Vec<usize>>> {
    let mut joined = Joined::default();
    if !read::pull_noting(unit, &mut lookup.open, &mut joined).await? {
        return Ok(None);
    }
    let named = |error: Error| error.at_path(reserved::JOINED);
    let joined_ones = joined.kept.iter().flatten().map(Vec::as_slice);
    document_seal::prepare(&other.caller().ports, other.schema(), joined_ones).await?;
    // Of each of the other model's documents, to which it belongs.
    let mut owners = Vec::new();
    let clock = load::clock(other);
    for (owner, documents) in joined.kept.iter().enumerate() {
        for raw in documents {
            read::decode(other, clock.as_deref(), raw, None, &mut ()).map_err(named)?;
            owners.push(owner);
        }
    }
    let mut counts = vec![0; joined.kept.len()];
    if owners.is_empty() {
        return Ok(Some(counts));
    }
    let limit = usize::try_from(lookup.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut owners = owners.into_iter();
    read::judge(other, &mut |allowed| {
        let count = owners.next().and_then(|owner| counts.get_mut(owner));
        let kept = allowed && count.as_ref().is_some_and(|count| **count < limit);
        if let Some(count) = count.filter(|_| kept) {
            *count += 1;
        }
        kept
    })
    .await?;
    Ok(Some(counts))
}
