//! What a deletion takes along: the delete rules over the graph of the registered models.
//!
//! The documents that refer to a deleted one are found whoever may read them, since a reference must not dangle because of
//! what an actor sees; each is then judged like any other write: `can_delete`, `can_update`, hooks, rules, audit.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bson::RawDocumentBuf;

use super::along::{Along, Dependent, Fate, fetch, opened};
use super::graph::{Bond, Kin};
use super::loss::{self, Loosened};
use super::subject::Holds;
use crate::codec::{DecodeError, RawValue};
use crate::engine::read::load;
use crate::engine::unit::{Action, Deleted, WriteUnit};
use crate::engine::write::plan::{Item, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::{DeleteRule, ModelSchema, Reference, Step};
use crate::value::IdValue;

/// How many ids one command names.
const AT_ONCE: usize = 1_000;

/// A document: the collection, and the id in it.
pub(super) type Key = (&'static str, IdValue);

/// What is deleted for good, or marked as deleted.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Root<'a> {
    pub(in crate::engine) unit: &'a dyn WriteUnit,
    pub(in crate::engine) action: Action,
}

impl<'a> Root<'a> {
    /// None for what is not deleted, and for what nothing with a rule can refer to.
    pub(in crate::engine) fn of(item: &'a Item<'_>) -> Option<Self> {
        let (unit, action) = (&*item.unit, item.plan.action);
        if !action.is_delete() || item.written != Written::Yes {
            return None;
        }
        let bonds = unit.caller().graph().to(unit.schema()).next();
        bonds.map(|_| Self { unit, action })
    }
}

/// What the deletion of the roots takes along; without a limit, its documents are not held.
///
/// # Errors
/// `Unsupported` beyond the limit.
pub(in crate::engine) async fn follow(roots: &[Root<'_>], limit: Option<usize>) -> Result<Along> {
    Ok(match search(roots, limit, None).await? {
        Some(search) => search.finish(),
        None => Along::default(),
    })
}

/// Finds what refers to the roots, level by level; none if there are none. An erasure notes what holds what, and finds
/// documents that are marked as deleted too.
pub(super) async fn search<'a>(
    roots: &[Root<'a>],
    limit: Option<usize>,
    holds: Option<Holds>,
) -> Result<Option<Search<'a>>> {
    let Some(first) = roots.first() else {
        return Ok(None);
    };
    let mut search = Search {
        asks: first.unit,
        limit,
        holds,
        along: Along::default(),
        dependents: Vec::new(),
        opened: HashMap::new(),
        deleted: HashSet::new(),
        places: HashMap::new(),
        in_the_way: Vec::new(),
        front: VecDeque::new(),
    };
    let mut groups: Vec<(&'static ModelSchema, Action, Vec<IdValue>)> = Vec::new();
    for root in roots {
        let (schema, id) = (root.unit.schema(), root.unit.id().clone());
        search.deleted.insert((schema.collection, id.clone()));
        match groups
            .iter_mut()
            .find(|(known, action, _)| std::ptr::eq(*known, schema) && *action == root.action)
        {
            Some((_, _, ids)) => ids.push(id),
            None => groups.push((schema, root.action, vec![id])),
        }
    }
    search.front.extend(groups);
    while let Some((schema, action, ids)) = search.front.pop_front() {
        search.level(schema, action, &ids).await?;
    }
    Ok(Some(search))
}

pub(super) struct Search<'a> {
    asks: &'a dyn WriteUnit,
    limit: Option<usize>,
    /// What an erasure has to know.
    pub(super) holds: Option<Holds>,
    pub(super) along: Along,
    /// One that was to be changed and is deleted after all leaves a gap.
    pub(super) dependents: Vec<Option<Dependent>>,
    /// Where an opened model stands, by its place in the graph.
    opened: HashMap<usize, usize>,
    pub(super) deleted: HashSet<Key>,
    /// Where a dependent stands.
    pub(super) places: HashMap<Key, usize>,
    pub(super) in_the_way: Vec<InTheWay>,
    /// What is deleted, and not followed yet.
    front: VecDeque<(&'static ModelSchema, Action, Vec<IdValue>)>,
}

/// A document that a restriction keeps.
pub(super) struct InTheWay {
    pub(super) kin: usize,
    pub(super) schema: &'static ModelSchema,
    pub(super) at: Arc<Reference>,
    pub(super) id: IdValue,
}

impl Search<'_> {
    /// What refers to documents of one model.
    async fn level(&mut self, schema: &'static ModelSchema, action: Action, ids: &[IdValue]) -> Result<()> {
        let bonds: Vec<Bond> = self.asks.caller().graph().to(schema).cloned().collect();
        // A marked document can be restored: what cannot be marked along, waits until it goes for good.
        let marked = action == Action::Delete && schema.soft_delete;
        for bond in bonds {
            let kin = self.open(bond.from)?;
            let model = self.kin(kin)?.schema();
            let applies = match bond.rule {
                DeleteRule::Restrict => true,
                DeleteRule::Cascade => !marked || model.soft_delete,
                DeleteRule::Nullify | DeleteRule::Pull => !marked,
            };
            if !applies {
                continue;
            }
            let for_good = action == Action::Purge || self.holds.is_some();
            let next = if for_good && model.soft_delete {
                Action::Purge
            } else {
                Action::Delete
            };
            let mut cascaded = Vec::new();
            for ids in ids.chunks(AT_ONCE) {
                let ids = Arc::new(ids.iter().cloned().collect());
                for (id, found) in self.referring(kin, &bond, next, &ids).await? {
                    let met = Met {
                        kin,
                        bond: &bond,
                        next,
                        id,
                        found,
                    };
                    cascaded.extend(self.meet(met, &ids)?);
                }
            }
            if !cascaded.is_empty() {
                self.front.push_back((model, next, cascaded));
            }
        }
        Ok(())
    }

    fn open(&mut self, place: usize) -> Result<usize> {
        if let Some(kin) = self.opened.get(&place) {
            return Ok(*kin);
        }
        let opened = self.asks.caller().graph().open(place, self.asks.context())?;
        self.along.kin.push(opened);
        let kin = self.along.kin.len() - 1;
        self.opened.insert(place, kin);
        Ok(kin)
    }

    fn kin(&self, kin: usize) -> Result<&dyn Kin> {
        opened(&self.along.kin, kin)
    }

    /// The documents that name one of the ids. Those that are marked as deleted are in nobody's way, and go only
    /// where the others go for good.
    async fn referring(
        &self,
        kin: usize,
        bond: &Bond,
        next: Action,
        ids: &HashSet<IdValue>,
    ) -> Result<Vec<(IdValue, RawDocumentBuf)>> {
        let (kin, at) = (self.kin(kin)?, &*bond.at);
        let deleted = match (bond.rule, next) {
            _ if self.holds.is_some() => Deleted::Included,
            (DeleteRule::Cascade, Action::Purge) => Deleted::Included,
            _ => Deleted::Hidden,
        };
        let exact = is_found_exactly(at);
        let fields = if self.limit.is_none() && self.holds.is_none() && exact {
            vec![kin.schema().id_field]
        } else {
            Vec::new()
        };
        let mut keep = |raw: &[u8]| {
            if exact {
                return Ok(true);
            }
            let present = load::migrated(kin, raw)?;
            loss::names(RawValue::document_of(&present), &at.steps, ids).map_err(DecodeError::into_error)
        };
        fetch(kin, deleted, candidates(at, ids), fields, &mut keep).await
    }

    /// Notes what becomes of a document that refers to one of the deleted `ids`; the answer is its id, if it is deleted.
    fn meet(&mut self, met: Met<'_>, ids: &Arc<HashSet<IdValue>>) -> Result<Option<IdValue>> {
        let Met {
            kin,
            bond,
            next,
            id,
            found,
        } = met;
        let schema = self.kin(kin)?.schema();
        let key = (schema.collection, id.clone());
        if let Some(holds) = &mut self.holds {
            holds.note(opened(&self.along.kin, kin)?, &key, bond, &found, ids)?;
        }
        if self.deleted.contains(&key) {
            return Ok(None);
        }
        if bond.rule == DeleteRule::Restrict {
            let at = Arc::clone(&bond.at);
            self.in_the_way.push(InTheWay { kin, schema, at, id });
            return Ok(None);
        }
        let cascades = bond.rule == DeleteRule::Cascade;
        let place = self.places.get(&key).copied();
        let known = place
            .and_then(|place| self.dependents.get_mut(place))
            .and_then(|place| {
                // What is deleted stands after what it refers to.
                if cascades { place.take() } else { None }
            });
        let place = match (place, cascades) {
            (Some(place), false) => place,
            _ => {
                let place = self.dependents.len();
                if known.is_none() && self.limit.is_some_and(|limit| place >= limit) {
                    let message = "the deletion takes more than a thousand documents along: \
                                   use `delete_in_batches`";
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
                self.dependents.push(Some(Dependent {
                    kin,
                    id: id.clone(),
                    found: self.limit.is_some().then_some(found),
                    fate: if cascades {
                        Fate::Deleted(next)
                    } else {
                        Fate::Loosened(Loosened::default())
                    },
                }));
                self.places.insert(key.clone(), place);
                place
            }
        };
        if cascades {
            self.deleted.insert(key);
            return Ok(Some(id));
        }
        if let Some(Some(Dependent {
            fate: Fate::Loosened(loosened),
            ..
        })) = self.dependents.get_mut(place)
        {
            loosened.add(&bond.at, ids);
            loosened.erased |= self.holds.is_some() && bond.at.subject;
        }
        Ok(None)
    }

    /// What is deleted anyway neither stands in the way nor loses anything.
    fn finish(mut self) -> Along {
        self.along.dependents = self.dependents.into_iter().flatten().collect();
        for InTheWay { schema, at, id, .. } in self.in_the_way {
            if self.deleted.contains(&(schema.collection, id)) {
                continue;
            }
            let blocked = &mut self.along.blocked;
            match blocked
                .iter_mut()
                .find(|(known, other, _)| std::ptr::eq(*known, schema) && Arc::ptr_eq(other, &at))
            {
                Some((_, _, count)) => *count += 1,
                None => blocked.push((schema, at, 1)),
            }
        }
        self.along
    }
}

/// A document that refers to a deleted one.
struct Met<'a> {
    kin: usize,
    bond: &'a Bond,
    /// What it is done to it where it is deleted.
    next: Action,
    id: IdValue,
    found: RawDocumentBuf,
}

/// Whether a query tells all: the variants of an enum may share a path, and a path through a map cannot be asked for.
fn is_found_exactly(at: &Reference) -> bool {
    let vague = |step: &Step| matches!(step, Step::Values | Step::Variant { .. });
    !at.steps.iter().any(vague)
}

/// The documents that may name one of the ids; of a reference in a map, those that have the map.
fn candidates(at: &Reference, ids: &HashSet<IdValue>) -> Node {
    match at.path.split_once(".{}") {
        Some((map, _)) => Node::field(map.to_owned(), Test::Exists(true)),
        None => {
            let ids = ids.iter().map(IdValue::to_bson).collect();
            Node::field(at.path.clone(), Test::In(ids))
        }
    }
}
