//! What a deletion takes along: the delete rules over the graph of the registered models.
//!
//! The documents that refer to a deleted one are found whoever may read them, since a reference must not dangle because of
//! what an actor sees; each is then judged like any other write: `can_delete`, `can_update`, hooks, rules, audit.

use std::collections::{HashMap, HashSet, VecDeque};

use bson::RawDocumentBuf;

use super::along::{Along, Dependent, Fate, fetch, opened};
use super::graph::{Bond, Kin, Loosened};
use crate::engine::unit::{Action, Deleted, WriteUnit};
use crate::engine::write::plan::{Item, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test, each_value};
use crate::schema::{DeleteRule, ModelSchema};
use crate::value::IdValue;

/// How many ids one command names.
const AT_ONCE: usize = 1_000;

/// A document: the collection, and the id in it.
type Key = (&'static str, IdValue);

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
        let deletes = action.is_delete() && item.written == Written::Yes;
        let bonds = unit.caller().graph().to(unit.schema()).next();
        (deletes && bonds.is_some()).then_some(Self { unit, action })
    }
}

/// What the deletion of the roots takes along; without a limit, its documents are not held.
///
/// # Errors
/// `Unsupported` beyond the limit.
pub(in crate::engine) async fn follow(roots: &[Root<'_>], limit: Option<usize>) -> Result<Along> {
    let Some(first) = roots.first() else {
        return Ok(Along::default());
    };
    let mut search = Search {
        asks: first.unit,
        limit,
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
    Ok(search.finish())
}

struct Search<'a> {
    asks: &'a dyn WriteUnit,
    limit: Option<usize>,
    along: Along,
    /// One that was to be changed and is deleted after all leaves a gap.
    dependents: Vec<Option<Dependent>>,
    /// Where an opened model stands, by its place in the graph.
    opened: HashMap<usize, usize>,
    deleted: HashSet<Key>,
    /// Where a dependent stands.
    places: HashMap<Key, usize>,
    in_the_way: Vec<(&'static ModelSchema, &'static str, IdValue)>,
    /// What is deleted, and not followed yet.
    front: VecDeque<(&'static ModelSchema, Action, Vec<IdValue>)>,
}

impl Search<'_> {
    /// What refers to documents of one model.
    async fn level(&mut self, schema: &'static ModelSchema, action: Action, ids: &[IdValue]) -> Result<()> {
        let bonds: Vec<Bond> = self.asks.caller().graph().to(schema).copied().collect();
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
            let next = match action {
                Action::Purge if model.soft_delete => Action::Purge,
                _ => Action::Delete,
            };
            let mut cascaded = Vec::new();
            for ids in ids.chunks(AT_ONCE) {
                for (id, found) in self.referring(kin, bond, next, ids).await? {
                    let met = Met {
                        kin,
                        bond,
                        next,
                        id,
                        found,
                    };
                    cascaded.extend(self.meet(met, ids)?);
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

    /// The documents whose field names one of the ids. Those that are marked as deleted are in nobody's way, and go only
    /// where the others go for good.
    async fn referring(
        &self,
        kin: usize,
        bond: Bond,
        next: Action,
        ids: &[IdValue],
    ) -> Result<Vec<(IdValue, RawDocumentBuf)>> {
        let ids = ids.iter().map(IdValue::to_bson).collect();
        let deleted = match (bond.rule, next) {
            (DeleteRule::Cascade, Action::Purge) => Deleted::Included,
            _ => Deleted::Hidden,
        };
        let fields = if self.limit.is_some() {
            Vec::new()
        } else {
            vec![bond.field, self.kin(kin)?.schema().id_field]
        };
        fetch(
            self.kin(kin)?,
            deleted,
            Node::field(bond.field, Test::In(ids)),
            fields,
        )
        .await
    }

    /// Notes what becomes of a document that refers to one of the deleted `ids`; the answer is its id, if it is deleted.
    fn meet(&mut self, met: Met, ids: &[IdValue]) -> Result<Option<IdValue>> {
        let Met {
            kin,
            bond,
            next,
            id,
            found,
        } = met;
        let schema = self.kin(kin)?.schema();
        let key = (schema.collection, id.clone());
        if self.deleted.contains(&key) {
            return Ok(None);
        }
        if bond.rule == DeleteRule::Restrict {
            self.in_the_way.push((schema, bond.field, id));
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
                    found: self.limit.is_some().then_some(found.clone()),
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
            loosen(loosened, bond, &found, ids);
        }
        Ok(None)
    }

    /// What is deleted anyway neither stands in the way nor loses anything.
    fn finish(mut self) -> Along {
        self.along.dependents = self.dependents.into_iter().flatten().collect();
        for (schema, field, id) in self.in_the_way {
            if self.deleted.contains(&(schema.collection, id)) {
                continue;
            }
            let blocked = &mut self.along.blocked;
            match blocked
                .iter_mut()
                .find(|(known, path, _)| std::ptr::eq(*known, schema) && *path == field)
            {
                Some((_, _, count)) => *count += 1,
                None => blocked.push((schema, field, 1)),
            }
        }
        self.along
    }
}

/// A document that refers to a deleted one.
struct Met {
    kin: usize,
    bond: Bond,
    /// What it is done to it where it is deleted.
    next: Action,
    id: IdValue,
    found: RawDocumentBuf,
}

/// Adds what a document loses by one of its fields, when `ids` are deleted.
fn loosen(loosened: &mut Loosened, bond: Bond, found: &RawDocumentBuf, ids: &[IdValue]) {
    if bond.rule == DeleteRule::Nullify {
        if !loosened.nullified.contains(&bond.field) {
            loosened.nullified.push(bond.field);
        }
        return;
    }
    let mut lost = Vec::new();
    each_value(found.as_bytes(), bond.field, &mut |value| {
        let id = IdValue::decode(value).ok().filter(|id| ids.contains(id));
        lost.extend(id.map(|id| id.to_bson()));
    });
    match loosened.pulled.iter_mut().find(|(field, _)| *field == bond.field) {
        Some((_, all)) => all.append(&mut lost),
        None => loosened.pulled.push((bond.field, lost)),
    }
}
