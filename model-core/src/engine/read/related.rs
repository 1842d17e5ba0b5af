//! Documents and what they refer to: the related documents of many parents, and ways through a tree.

use super::load;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use super::distinct::arrays;
use crate::engine::read::{self, Listing, Notes};
use crate::engine::unit::ReadUnit;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Fold, Grouping, Node, RowField, SortKey, Test, each_value};
use crate::schema::{Direction, ModelSchema};
use crate::store::{FirstOfEach, Shape, Walk};
use crate::value::IdValue;

/// Which documents belong to which: those whose field at `path` names one of the parents.
pub(crate) struct Relation {
    pub(crate) path: Cow<'static, str>,
    /// Each once.
    pub(crate) parents: Vec<IdValue>,
    /// At most so many for each parent.
    pub(crate) each: Option<u64>,
}

impl Relation {
    fn condition(&self) -> Node {
        let parents = self.parents.iter().map(IdValue::to_bson).collect();
        Node::field(self.path.clone(), Test::In(parents))
    }

    /// What the store may leave out, where the scope alone decides what may be read.
    fn shape(&self, unit: &dyn ReadUnit) -> Shape {
        let schema = unit.schema();
        let decided = unit.scope_is_exact() || unit.caller().bypass.is_some();
        let arrays = arrays(schema, &self.path);
        // A document of an older version has its values only after `migrate`; an array of arrays is not taken apart.
        let Some(count) = self
            .each
            .filter(|_| decided && schema.version == 1 && arrays.len() < 2)
        else {
            return Shape::All;
        };
        Shape::Each(FirstOfEach {
            path: self.path.clone().into_owned(),
            array: !arrays.is_empty(),
            values: self.parents.iter().map(IdValue::to_bson).collect(),
            count,
        })
    }
}

/// The parents of each document that is kept, as positions among the parents.
struct Parents<'r> {
    relation: &'r Relation,
    places: HashMap<&'r IdValue, usize>,
    /// How many documents each parent has.
    counts: Vec<u64>,
    /// How many parents can still take one.
    open: usize,
    decoded: VecDeque<Vec<usize>>,
    kept: Vec<Vec<usize>>,
}

impl<'r> Parents<'r> {
    fn new(relation: &'r Relation) -> Self {
        let places = relation.parents.iter().enumerate();
        Self {
            relation,
            places: places.map(|(place, id)| (id, place)).collect(),
            counts: vec![0; relation.parents.len()],
            open: if relation.each == Some(0) {
                0
            } else {
                relation.parents.len()
            },
            decoded: VecDeque::new(),
            kept: Vec::new(),
        }
    }

    /// Counts the document in for a parent, if that takes one more.
    fn take(&mut self, parent: usize) -> bool {
        let Some(count) = self.counts.get_mut(parent) else {
            return false;
        };
        if self.relation.each.is_some_and(|each| *count >= each) {
            return false;
        }
        *count += 1;
        if self.relation.each == Some(*count) {
            self.open -= 1;
        }
        true
    }
}

impl Notes for Parents<'_> {
    fn note(&mut self, _: &[u8], present: &[u8]) -> Result<()> {
        let mut parents = Vec::with_capacity(1);
        each_value(present, &self.relation.path, &mut |value| {
            let place = IdValue::decode(value)
                .ok()
                .and_then(|id| self.places.get(&id).copied());
            if let Some(place) = place.filter(|place| !parents.contains(place)) {
                parents.push(place);
            }
        });
        self.decoded.push_back(parents);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        let mut parents = self.decoded.pop_front().filter(|_| kept).unwrap_or_default();
        parents.retain(|parent| self.take(*parent));
        let belongs = !parents.is_empty();
        if belongs {
            self.kept.push(parents);
        }
        belongs
    }
}

/// Hands the related documents to the unit, in one order over all; the answer is, for each of them, its parents.
pub(crate) async fn related(
    unit: &mut dyn ReadUnit,
    mut listing: Listing,
    relation: &Relation,
) -> Result<Vec<Vec<usize>>> {
    let mut parents = Parents::new(relation);
    if parents.open == 0 {
        return Ok(Vec::new());
    }
    listing.shape = relation.shape(unit);
    in_total_order(unit.schema(), &mut listing.sort);
    listing.filter = Some(
        listing
            .filter
            .unwrap_or(Node::Everything)
            .and(relation.condition()),
    );
    let mut open = read::open(unit, listing).await?;
    while parents.open > 0 && read::pull_noting(unit, &mut open, &mut parents).await? {}
    Ok(parents.kept)
}

/// How many related documents each parent has. Where the scope alone decides, the server counts.
pub(crate) async fn count_related(
    unit: &mut dyn ReadUnit,
    mut listing: Listing,
    relation: &Relation,
) -> Result<Vec<u64>> {
    let mut parents = Parents::new(relation);
    if parents.open == 0 {
        return Ok(parents.counts);
    }
    listing.filter = Some(
        listing
            .filter
            .unwrap_or(Node::Everything)
            .and(relation.condition()),
    );
    // An array may name one parent twice, and counts once: that is seen by reading.
    if !arrays(unit.schema(), &relation.path).is_empty() {
        let mut open = read::open(unit, listing).await?;
        while read::pull_noting(unit, &mut open, &mut parents).await? {
            unit.discard();
            parents.kept.clear();
        }
        return Ok(parents.counts);
    }
    for row in super::group::group(unit, listing, &counted(relation)).await? {
        let parent = load::raw_field(&row, PARENT)?.and_then(|value| IdValue::decode(value).ok());
        let count = load::raw_field(&row, COUNT)?.and_then(|value| value.i64().ok());
        let place = parent.and_then(|parent| parents.places.get(&parent).copied());
        if let (Some(known), Some(count)) = (place.and_then(|place| parents.counts.get_mut(place)), count) {
            *known = u64::try_from(count).unwrap_or_default();
        }
    }
    Ok(parents.counts)
}

const PARENT: &str = "parent";
const COUNT: &str = "count";

fn counted(relation: &Relation) -> Grouping {
    let field = |name| RowField {
        name: Cow::Borrowed(name),
        path: relation.path.clone(),
        window: None,
    };
    Grouping {
        unwind: Vec::new(),
        keys: vec![field(PARENT)],
        folds: vec![(Fold::Count, field(COUNT))],
        raw: Vec::new(),
        rows: Node::Everything,
        sort: Vec::new(),
        skip: 0,
        limit: None,
    }
}

/// Ends the order with the id, so that equal documents always stand in one order.
fn in_total_order(schema: &ModelSchema, sort: &mut Vec<SortKey>) {
    if !sort.iter().any(|key| key.path == schema.id_field) {
        sort.push(SortKey {
            path: Cow::Borrowed(schema.id_field),
            direction: Direction::Ascending,
            outside: false,
        });
    }
}

/// Which way through a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From a document to what refers to it, and so on.
    Down,
    /// From a document to what it refers to, itself included.
    Up,
}

/// What the documents refer to, one entry for each that is kept.
struct Links<'p> {
    path: &'p str,
    decoded: VecDeque<Vec<IdValue>>,
    kept: Vec<Vec<IdValue>>,
}

impl Notes for Links<'_> {
    fn note(&mut self, _: &[u8], present: &[u8]) -> Result<()> {
        let mut links = Vec::with_capacity(1);
        each_value(present, self.path, &mut |value| {
            links.extend(IdValue::decode(value));
        });
        self.decoded.push_back(links);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        self.kept.extend(self.decoded.pop_front().filter(|_| kept));
        kept
    }
}

/// Hands what is reached from the document `from` by the field at `path` to the unit, in no order; the answer is, for each
/// document, what it refers to. What lies behind a document that may not be read may be among them.
pub(crate) async fn walk(
    unit: &mut dyn ReadUnit,
    from: &IdValue,
    path: &str,
    way: Way,
    depth: Option<u32>,
) -> Result<Vec<Vec<IdValue>>> {
    let id = unit.schema().id_field;
    let (next, matching) = match way {
        Way::Down => (id, path),
        Way::Up => (path, id),
    };
    if unit.schema().version > 1 && unit.schema().field_at(path).is_none_or(|field| field.since > 1) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a tree is walked as it is stored, by a field that every version has",
        ));
    }
    let mut links = Links {
        path,
        decoded: VecDeque::new(),
        kept: Vec::new(),
    };
    if depth == Some(0) {
        return Ok(links.kept);
    }
    let listing = Listing {
        shape: Shape::Walk(Walk {
            from: (id, from.to_bson()),
            next: next.to_owned(),
            matching: matching.to_owned(),
            depth,
        }),
        ..Listing::default()
    };
    let mut open = read::open(unit, listing).await?;
    while read::pull_noting(unit, &mut open, &mut links).await? {}
    Ok(links.kept)
}
