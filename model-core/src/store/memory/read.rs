//! Reading: selections, sort orders and cursors over a snapshot.

use std::collections::HashSet;
use std::sync::Arc;

use bson::{Bson, RawDocument, RawDocumentBuf};

use super::collection::{Collection, Stored};
use super::index::Key;
use super::join::Joined;
use super::{refused, score};
use crate::Error;
use crate::codec::{Writer, read_bson};
use crate::query::{KeyError, Node, SortKey, Test, each_value, matches, order_by, sort_key};
use crate::schema::reserved;
use crate::store::{
    Cursor, Find, Guard, Selection, Shape, StoreError, StoreFuture, StoreResult, Unwound, Walk,
};

/// How many documents a batch holds if the reader does not say how many it needs.
const BATCH: usize = 1_000;

/// A selection made ready to be tested against many documents.
struct Condition {
    guards: Vec<Node>,
    rest: Node,
}

impl Condition {
    fn new(selection: &Selection) -> Self {
        let mut guards = Vec::with_capacity(3);
        if let Some((field, tenant)) = &selection.tenant {
            guards.push(Node::field(*field, Test::Eq(tenant.clone())));
        }
        if let Some((field, id)) = &selection.id {
            guards.push(Node::field(*field, Test::Eq(id.clone())));
        }
        let revision = match selection.revision {
            Guard::None => None,
            Guard::Unwritten => Some(Test::Exists(false)),
            Guard::Is(revision) => Some(Test::Eq(Bson::Int64(revision))),
        };
        guards.extend(revision.map(|test| Node::field(reserved::REVISION, test)));
        Self {
            guards,
            rest: selection.rest.clone(),
        }
    }

    fn holds(&self, document: &RawDocument) -> bool {
        self.guards.iter().all(|guard| matches(guard, document)) && matches(&self.rest, document)
    }

    /// The values of `_id` that alone can satisfy the condition, if it names them.
    fn ids(&self) -> Option<&[Bson]> {
        self.guards.iter().chain([&self.rest]).find_map(ids_of)
    }
}

fn ids_of(node: &Node) -> Option<&[Bson]> {
    match node {
        Node::Nothing => Some(&[]),
        Node::And(nodes) => nodes.iter().find_map(ids_of),
        Node::Outside(inner) => ids_of(inner),
        Node::Field {
            path,
            test: Test::Eq(id),
        } if path == "_id" => Some(std::slice::from_ref(id)),
        Node::Field {
            path,
            test: Test::In(ids),
        } if path == "_id" => Some(ids),
        _ => None,
    }
}

/// The documents of `collection` that satisfy a condition, in the order of their insertion.
pub(super) struct Scan {
    collection: Arc<Collection>,
    condition: Condition,
    /// The only slots that can hold such documents, in descending order; none: all may.
    slots: Option<Vec<u64>>,
    last: Option<u64>,
}

impl Scan {
    pub(super) fn new(collection: Arc<Collection>, selection: &Selection) -> Self {
        let condition = Condition::new(selection);
        let by_id = condition.ids().map(|ids| {
            let mut slots: Vec<u64> = ids.iter().filter_map(|id| slot_of(&collection, id)).collect();
            slots.sort_unstable_by(|a, b| b.cmp(a));
            slots.dedup();
            slots
        });
        let slots = by_id.or_else(|| slots_of_own(&collection, selection));
        Self {
            collection,
            condition,
            slots,
            last: None,
        }
    }

    /// The next documents, `count` of them unless fewer are left.
    pub(super) fn take(&mut self, count: usize) -> Vec<(u64, Stored)> {
        let holds = |stored: &Stored| self.condition.holds(stored);
        let mut found = Vec::new();
        if let Some(slots) = &mut self.slots {
            while found.len() < count {
                let Some(slot) = slots.pop() else { break };
                found.extend(
                    self.collection
                        .get(slot)
                        .filter(|stored| holds(stored))
                        .map(|stored| (slot, stored.clone())),
                );
            }
            return found;
        }
        let rest = self
            .collection
            .after(self.last)
            .filter(|(_, stored)| holds(stored));
        found.extend(rest.take(count).map(|(slot, stored)| (slot, stored.clone())));
        self.last = match found.last() {
            Some((slot, _)) if found.len() == count => Some(*slot),
            // Nothing is left: the next batch need not look again.
            _ => Some(u64::MAX),
        };
        found
    }
}

fn slot_of(collection: &Collection, id: &Bson) -> Option<u64> {
    collection.unique(&[reserved::ID])?.holder(&Key::of([id])?)
}

/// The slots that alone can hold a document whose id has a unique index of its own; none if there is no such index.
fn slots_of_own(collection: &Collection, selection: &Selection) -> Option<Vec<u64>> {
    let (field, id) = selection.id.as_ref()?;
    let within = selection.tenant.as_ref().and_then(|(tenant_field, tenant)| {
        let index = collection.unique(&[tenant_field, field])?;
        Some((index, Key::of([tenant, id])?))
    });
    let (index, key) = match within {
        Some(found) => found,
        None => (collection.unique(&[field])?, Key::of([id])?),
    };
    Some(index.holder(&key).into_iter().collect())
}

/// The first document of the selection, and its slot.
pub(super) fn first(collection: &Arc<Collection>, selection: &Selection) -> Option<(u64, Stored)> {
    Scan::new(collection.clone(), selection).take(1).pop()
}

pub(super) fn count(collection: Option<&Arc<Collection>>, find: &Find) -> StoreResult<u64> {
    check(find)?;
    let Some(collection) = collection else {
        return Ok(0);
    };
    let limit = usize::try_from(find.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut scan = Scan::new(collection.clone(), &find.selection);
    let mut count = 0;
    while count < limit {
        let found = scan.take(BATCH.min(limit - count)).len();
        if found == 0 {
            break;
        }
        count += found;
    }
    Ok(count as u64)
}

/// A cursor over the values of a field.
pub(super) fn distinct(
    collection: Option<&Arc<Collection>>,
    find: &Find,
    field: &Unwound,
) -> StoreResult<Box<dyn Cursor>> {
    check(find)?;
    let found = collection
        .map(|collection| Scan::new(collection.clone(), &find.selection).take(usize::MAX))
        .unwrap_or_default();
    let mut values = Vec::new();
    for (_, stored) in &found {
        each_value(stored.as_bytes(), &field.path, &mut |value| {
            let mut out = Writer::with_capacity(value.bytes.len() + 16);
            out.raw("_id", value.tag, value.bytes);
            let document = out
                .finish()
                .ok()
                .and_then(|bytes| RawDocumentBuf::from_bytes(bytes).ok());
            values.extend(document.map(Arc::new));
        });
    }
    values.reverse();
    Ok(ready(values))
}

/// There is one copy, and no plan to choose: of all options, only a collation would change the answer.
pub(super) fn check(find: &Find) -> StoreResult<()> {
    match find.options.collation {
        None => Ok(()),
        Some(_) => Err(StoreError::Unsupported {
            what: "the embedded store has no collations",
        }),
    }
}

/// A cursor over the snapshot `collection`; `joined` is that of the collection whose documents come along.
pub(super) fn find(
    collection: Option<&Arc<Collection>>,
    find: &Find,
    joined: Option<Arc<Collection>>,
) -> StoreResult<Box<dyn Cursor>> {
    let mut cursor = documents(collection, find)?;
    if let Some(join) = &find.join {
        cursor.join = Some(Joined::new(join, joined)?);
    }
    Ok(Box::new(cursor))
}

pub(super) fn documents(collection: Option<&Arc<Collection>>, find: &Find) -> StoreResult<MemoryCursor> {
    check(find)?;
    if matches!(find.shape, Shape::Vectors(_)) {
        return Err(StoreError::Unsupported {
            what: "the embedded store has no indexes over vectors",
        });
    }
    if let (Shape::Walk(walk), Some(collection)) = (&find.shape, collection) {
        return Ok(walked(collection, &find.selection, walk));
    }
    let limit = usize::try_from(find.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let skip = usize::try_from(find.skip).unwrap_or(usize::MAX);
    let batch = find.batch.map_or(BATCH, |batch| (batch as usize).clamp(1, BATCH));
    let mut cursor = MemoryCursor {
        source: Source::Ready(Vec::new()),
        left: limit,
        size: batch,
        batch: Vec::new(),
        join: None,
    };
    let Some(collection) = collection else {
        return Ok(cursor);
    };
    let mut scan = Scan::new(collection.clone(), &find.selection);
    if find.sort.is_empty() && !find.scored {
        if skip > 0 {
            scan.take(skip);
        }
        cursor.source = Source::Scan(scan);
    } else {
        let mut found = scan.take(usize::MAX);
        if find.scored || find.sort.iter().any(SortKey::is_relevance) {
            found = score::scored(found, &find.selection.rest)?;
        }
        let mut found = sorted(&found, &find.sort)?;
        found.drain(..skip.min(found.len()));
        found.truncate(limit);
        found.reverse();
        cursor.source = Source::Ready(found);
    }
    Ok(cursor)
}

/// Step by step, each document once.
fn walked(collection: &Arc<Collection>, selection: &Selection, walk: &Walk) -> MemoryCursor {
    let mut found: Vec<Stored> = Vec::new();
    let mut seen = HashSet::new();
    let begin = Selection {
        id: Some(walk.from.clone()),
        rest: Node::Everything,
        ..selection.clone()
    };
    let mut front: Vec<Bson> = first(collection, &begin)
        .map(|_| walk.from.1.clone())
        .into_iter()
        .collect();
    let mut step = 0;
    while !front.is_empty() && walk.depth.is_none_or(|depth| step < depth) {
        let here = Node::field(walk.matching.clone(), Test::In(std::mem::take(&mut front)));
        let next = Selection {
            rest: selection.rest.clone().and(here),
            ..selection.clone()
        };
        for (slot, stored) in Scan::new(collection.clone(), &next).take(usize::MAX) {
            if seen.insert(slot) {
                each_value(stored.as_bytes(), &walk.next, &mut |value| {
                    front.extend(read_bson(value).ok());
                });
                found.push(stored);
            }
        }
        step += 1;
    }
    found.reverse();
    MemoryCursor {
        left: found.len(),
        source: Source::Ready(found),
        size: BATCH,
        batch: Vec::new(),
        join: None,
    }
}

pub(super) fn sorted(found: &[(u64, Stored)], order: &[SortKey]) -> StoreResult<Vec<Stored>> {
    let mut keyed = Vec::with_capacity(found.len());
    for (_, stored) in found {
        let key = sort_key(stored.as_bytes(), order).map_err(|error| match error {
            KeyError::ParallelArrays => refused(2, "BadValue"),
            KeyError::Ambiguous => refused(16746, "Location16746"),
        })?;
        keyed.push((key, stored));
    }
    keyed.sort_by(|(a, _), (b, _)| order_by(order, a, b));
    Ok(keyed.into_iter().map(|(_, stored)| stored.clone()).collect())
}

/// A cursor over documents that are there already, the last first.
pub(super) fn ready(documents: Vec<Stored>) -> Box<dyn Cursor> {
    Box::new(MemoryCursor {
        left: documents.len(),
        source: Source::Ready(documents),
        size: BATCH,
        batch: Vec::new(),
        join: None,
    })
}

enum Source {
    Scan(Scan),
    /// Sorted, the last first.
    Ready(Vec<Stored>),
}

pub(super) struct MemoryCursor {
    source: Source,
    left: usize,
    size: usize,
    pub(super) batch: Vec<Stored>,
    join: Option<Joined>,
}

impl Cursor for MemoryCursor {
    fn advance(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let found = self.next_batch() > 0;
            if let Some(join) = &self.join {
                let joined = self.batch.iter().map(|stored| join.with(stored));
                self.batch = joined.collect::<StoreResult<_>>()?;
            }
            Ok(found)
        })
    }

    fn each(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>) -> Result<bool, Error> {
        for stored in &self.batch {
            if !each(stored.as_bytes())? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl MemoryCursor {
    /// Fetches the next batch, and tells how many documents it has.
    pub(super) fn next_batch(&mut self) -> usize {
        let size = self.size.min(self.left);
        self.batch = match &mut self.source {
            _ if size == 0 => Vec::new(),
            Source::Scan(scan) => scan.take(size).into_iter().map(|(_, stored)| stored).collect(),
            Source::Ready(found) => found.drain(found.len().saturating_sub(size)..).rev().collect(),
        };
        self.left -= self.batch.len();
        // A hint is about the first batch.
        self.size = BATCH;
        self.batch.len()
    }
}
