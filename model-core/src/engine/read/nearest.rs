//! The documents whose vectors are most like a given one: exactly those, found without an index.
//!
//! The vectors of all documents that tenant, scope and filter leave are streamed and compared here, in the memory of the
//! best few; those are then read like any other documents.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};

use bson::{Bson, Document};
use futures_util::future::{BoxFuture, FutureExt};

use super::{load, score};
use crate::codec::{DecodeCx, DecodeError};
use crate::engine::caller::Caller;
use crate::engine::read::{self, Listing, Notes};
use crate::engine::unit::{ReadUnit, Unit};
use crate::error::{Error, Result};
use crate::query::{Node, Target, Test};
use crate::schema::{FieldSchema, ModelSchema, Similarity};
use crate::store::{Shape, VectorSearch};
use crate::value::IdValue;

/// The most documents of one search: they are all held at once.
const MOST: usize = 10_000;

/// What is asked for.
pub(crate) struct Near {
    /// The stored path of the vectors.
    pub(crate) path: Cow<'static, str>,
    pub(crate) target: Target,
    pub(crate) similarity: Similarity,
    pub(crate) count: usize,
    /// The name of an index over the vectors, and how many of them it may look at, where that is enough.
    pub(crate) index: Option<(String, u32)>,
}

/// Hands the readable documents nearest to the vector to the unit, in no order; the answer is their ids, the nearest first,
/// with their scores.
///
/// Where `can_read` denies some of them, the vectors are gone through again for more.
pub(crate) async fn nearest(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    near: &Near,
) -> Result<Vec<(IdValue, f64)>> {
    check(&listing, near)?;
    if let Some(found) = by_index(unit, &listing, near).await? {
        return Ok(found);
    }
    let mut judged = HashSet::new();
    let mut readable = HashSet::new();
    let mut wanted = near.count;
    loop {
        let best = best(&*unit, &listing, near, wanted).await?;
        let is_all = best.len() < wanted;
        let fresh = best.iter().filter(|(id, _)| judged.insert(id.clone()));
        let ids: Vec<Bson> = fresh.map(|(id, _)| id.to_bson()).collect();
        if !ids.is_empty() {
            fetch(unit, &listing, ids, &mut readable).await?;
        }
        let mut found = best;
        found.retain(|(id, _)| readable.contains(id));
        if is_all || found.len() >= near.count {
            found.truncate(near.count);
            return Ok(found);
        }
        wanted = wanted.saturating_mul(4);
    }
}

fn check(listing: &Listing, near: &Near) -> Result<()> {
    let refuse = |why: &'static str| Err(Error::violation("nearest", "nearest", why));
    if !listing.sort.is_empty() || listing.skip > 0 || listing.limit.is_some() {
        return refuse("it has an order and a number of its own: no `sort`, `skip` or `limit`");
    }
    if listing
        .filter
        .as_ref()
        .is_some_and(|filter| filter.words().is_some())
    {
        return refuse("documents are ranked by words, or by a vector");
    }
    if !(1..=MOST).contains(&near.count) {
        return refuse("it finds from 1 to 10,000 documents");
    }
    let candidates = near.index.as_ref().map(|(_, candidates)| *candidates as usize);
    if candidates.is_some_and(|candidates| !(near.count..=MOST).contains(&candidates)) {
        return refuse(
            "an index looks at 10,000 candidates at the most, and at as many as are asked for at least",
        );
    }
    Ok(())
}

/// What an index of the server finds; none where there is none to ask, and in a transaction, which admits no such search.
async fn by_index(
    unit: &mut dyn ReadUnit,
    listing: &Listing,
    near: &Near,
) -> Result<Option<Vec<(IdValue, f64)>>> {
    let Some((index, candidates)) = &near.index else {
        return Ok(None);
    };
    if unit.caller().transaction.is_some() {
        return Ok(None);
    }
    let listing = Listing {
        shape: Shape::Vectors(VectorSearch {
            index: index.clone(),
            path: near.path.clone().into_owned(),
            vector: near.target.numbers().to_vec(),
            candidates: *candidates,
        }),
        scored: true,
        limit: Some(near.count as u64),
        ..listing.clone()
    };
    let mut open = match read::open(unit, listing).await {
        Err(error) if error.is_unsupported() => return Ok(None),
        opened => opened?,
    };
    let mut found = Ranked {
        schema: unit.schema(),
        decoded: VecDeque::new(),
        kept: Vec::new(),
    };
    while read::pull_noting(unit, &mut open, &mut found).await? {}
    Ok(Some(found.kept))
}

/// The ids and the scores of the documents that are kept, in their order.
struct Ranked {
    schema: &'static ModelSchema,
    decoded: VecDeque<(IdValue, f64)>,
    kept: Vec<(IdValue, f64)>,
}

impl Notes for Ranked {
    fn note(&mut self, stored: &[u8], _: &[u8]) -> Result<()> {
        self.decoded
            .push_back((load::id(self.schema, stored)?, score::of(stored)?));
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        self.kept.extend(self.decoded.pop_front().filter(|_| kept));
        kept
    }
}

/// Reads the documents with these ids, which the filter still admits.
async fn fetch(
    unit: &mut dyn ReadUnit,
    listing: &Listing,
    ids: Vec<Bson>,
    readable: &mut HashSet<IdValue>,
) -> Result<()> {
    let mut listing = listing.clone();
    let filter = listing.filter.take().unwrap_or(Node::Everything);
    listing.filter = Some(Node::field(unit.schema().id_field, Test::In(ids)).and(filter));
    listing.options.hint = None;
    let mut names = Names {
        schema: unit.schema(),
        decoded: VecDeque::new(),
        kept: readable,
    };
    let mut open = read::open(unit, listing).await?;
    while read::pull_noting(unit, &mut open, &mut names).await? {}
    Ok(())
}

/// The ids of the documents that are kept.
struct Names<'n> {
    schema: &'static ModelSchema,
    decoded: VecDeque<IdValue>,
    kept: &'n mut HashSet<IdValue>,
}

impl Notes for Names<'_> {
    fn note(&mut self, stored: &[u8], _: &[u8]) -> Result<()> {
        self.decoded.push_back(load::id(self.schema, stored)?);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        self.kept.extend(self.decoded.pop_front().filter(|_| kept));
        kept
    }
}

/// The best of all documents, whether or not `can_read` allows them; the nearest first.
async fn best(
    unit: &dyn ReadUnit,
    listing: &Listing,
    near: &Near,
    wanted: usize,
) -> Result<Vec<(IdValue, f64)>> {
    let name = near.path.split('.').next().unwrap_or_default();
    let field = unit.schema().field(name);
    let field = field.ok_or_else(|| Error::internal("a vector in no field"))?;
    let mut vectors = Vectors {
        unit,
        field: [field],
        near,
        wanted,
        pending: 0,
        best: Vec::new(),
    };
    let mut open = read::open(&mut vectors, listing.clone()).await?;
    while read::pull(&mut vectors, &mut open).await? {}
    Ok(vectors.best)
}

/// A pass over the vectors: it keeps the best few, and no document.
struct Vectors<'u> {
    unit: &'u dyn ReadUnit,
    field: [&'static FieldSchema; 1],
    near: &'u Near,
    wanted: usize,
    /// How many documents came by since the last judging.
    pending: usize,
    /// The nearest first.
    best: Vec<(IdValue, f64)>,
}

impl Unit for Vectors<'_> {
    fn schema(&self) -> &'static ModelSchema {
        self.unit.schema()
    }

    fn caller(&self) -> &Caller {
        self.unit.caller()
    }

    fn base_filter(&self) -> Node {
        self.unit.base_filter()
    }

    fn read_scope(&self) -> Node {
        self.unit.read_scope()
    }

    fn hidden(&self) -> Vec<String> {
        self.unit.hidden()
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        self.unit.migrate(document, stored_version)
    }
}

impl ReadUnit for Vectors<'_> {
    fn picks(&self) -> Option<&[&'static FieldSchema]> {
        Some(&self.field)
    }

    fn decode(&mut self, raw: &[u8], _: &DecodeCx<'_>) -> Result<(), DecodeError> {
        self.pending += 1;
        let near = self.near;
        let Some(score) = near.target.score_of(raw, &near.path, near.similarity)? else {
            return Ok(());
        };
        let place = self.best.partition_point(|(_, better)| *better >= score);
        if place < self.wanted {
            let id = load::id(self.schema(), raw).map_err(|_| DecodeError::new("the document has no id"))?;
            self.best.insert(place, (id, score));
            self.best.truncate(self.wanted);
        }
        Ok(())
    }

    fn preload(&self) -> BoxFuture<'_, Result<()>> {
        std::future::ready(Ok(())).boxed()
    }

    /// Nothing is handed out: the documents are judged when they are read.
    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool) {
        for _ in 0..std::mem::take(&mut self.pending) {
            keep(true, None);
        }
    }

    fn drop_last(&mut self) {}

    fn discard(&mut self) -> u64 {
        0
    }

    fn scope_is_exact(&self) -> bool {
        self.unit.scope_is_exact()
    }
}
