//! The rules in plain Rust, and what each call comes to by them.

use std::collections::BTreeSet;

use model_core::{ErrorKind, Id};

use crate::calls::{Call, Change, Found, New, Where};
use crate::model::Paper;
use crate::reads::{self, Told};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Admin,
    Editor,
    Viewer,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) tenant: usize,
    pub(crate) role: Role,
    pub(crate) name: &'static str,
}

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plain {
    /// Known once its creator was told.
    pub(crate) id: Option<Id<Paper>>,
    pub(crate) tenant: usize,
    pub(crate) owner: String,
    pub(crate) level: i64,
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) parent: Option<Id<Paper>>,
    pub(crate) count: i64,
}

pub(crate) fn reads(who: &Who, paper: &Plain) -> bool {
    let own = paper.owner == who.name;
    let role = who.role;
    who.tenant == paper.tenant
        && (role == Role::Admin || paper.level == 0 || (role == Role::Editor && (own || paper.level == 1)))
}

fn writes(who: &Who, paper: &Plain) -> bool {
    who.tenant == paper.tenant
        && (who.role == Role::Admin || (who.role == Role::Editor && paper.owner == who.name))
}

fn deletes(who: &Who, paper: &Plain) -> bool {
    writes(who, paper) && (who.role == Role::Admin || paper.level == 0)
}

/// What a call comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Documents with these texts.
    Papers(BTreeSet<String>),
    Count(u64),
    Did(bool),
    Told(Told),
    Failed(ErrorKind),
    /// Of the parts of a transaction, up to the first that failed, and whether it took effect.
    Parts(Vec<Outcome>, bool),
}

/// All documents, and how many audit entries each tenant has.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) papers: Vec<Plain>,
    entries: [u64; 2],
}

impl State {
    /// Ids are the library's to make.
    pub(crate) fn learn_ids(&mut self, found: &Found) {
        found.each_paper(&mut |text, id| {
            for paper in self.papers.iter_mut().filter(|paper| paper.text == text) {
                assert!(paper.id.get_or_insert_with(|| id.clone()) == id);
            }
        });
    }

    fn readable(&self, who: &Who, of: &Where) -> Vec<usize> {
        let mut places: Vec<_> = (0..self.papers.len())
            .filter(|place| reads(who, &self.papers[*place]) && of.selects(&self.papers[*place]))
            .collect();
        places.sort_by_key(|place| self.papers[*place].code.clone());
        places
    }

    pub(crate) fn readable_papers(&self, who: &Who, of: &Where) -> Vec<&Plain> {
        let places = self.readable(who, of).into_iter();
        places.map(|place| &self.papers[place]).collect()
    }

    fn find(&self, who: &Who, id: &Id<Paper>) -> Option<usize> {
        let place = self
            .papers
            .iter()
            .position(|paper| paper.id.as_ref() == Some(id))?;
        reads(who, &self.papers[place]).then_some(place)
    }

    fn texts(&self, places: &[usize]) -> Outcome {
        Outcome::Papers(
            places
                .iter()
                .map(|place| self.papers[*place].text.clone())
                .collect(),
        )
    }

    fn create(&mut self, who: &Who, new: &New) -> Result<usize, ErrorKind> {
        let paper = new.plain(who.tenant);
        if !writes(who, &paper) {
            return Err(ErrorKind::Forbidden);
        }
        let taken = |one: &Plain| one.tenant == paper.tenant && one.code == paper.code;
        if self.papers.iter().any(taken) {
            return Err(ErrorKind::Duplicate);
        }
        self.papers.push(paper);
        self.entries[who.tenant] += 1;
        Ok(self.papers.len() - 1)
    }

    fn update(&mut self, who: &Who, place: usize, change: &Change) -> Result<(), ErrorKind> {
        let paper = &mut self.papers[place];
        if !writes(who, paper) {
            return Err(ErrorKind::Forbidden);
        }
        let before = paper.clone();
        change.apply(paper);
        if *paper != before {
            self.entries[who.tenant] += 1;
        }
        Ok(())
    }

    /// All that a caller may write is what it says now.
    fn replace(&mut self, who: &Who, place: usize, new: &New) -> Result<(), ErrorKind> {
        if !writes(who, &self.papers[place]) {
            return Err(ErrorKind::Forbidden);
        }
        let paper = Plain {
            id: self.papers[place].id.clone(),
            ..new.plain(who.tenant)
        };
        let taken = |(other, one): (usize, &Plain)| {
            other != place && one.tenant == paper.tenant && one.code == paper.code
        };
        if self.papers.iter().enumerate().any(taken) {
            return Err(ErrorKind::Duplicate);
        }
        self.papers[place] = paper;
        self.entries[who.tenant] += 1;
        Ok(())
    }

    fn delete(&mut self, who: &Who, place: usize) -> Result<(), ErrorKind> {
        if !deletes(who, &self.papers[place]) {
            return Err(ErrorKind::Forbidden);
        }
        self.papers.remove(place);
        self.entries[who.tenant] += 1;
        Ok(())
    }
}

/// Carries a call out: wholly, or not at all.
pub(crate) fn apply(state: &mut State, who: &Who, call: &Call) -> Outcome {
    let mut after = state.clone();
    match tried(&mut after, who, call) {
        Ok(Outcome::Parts(parts, false)) => Outcome::Parts(parts, false),
        Ok(outcome) => {
            *state = after;
            outcome
        }
        Err(kind) => Outcome::Failed(kind),
    }
}

fn tried(state: &mut State, who: &Who, call: &Call) -> Result<Outcome, ErrorKind> {
    let all = Where::All;
    Ok(match call {
        Call::Create(new) => {
            let place = state.create(who, new)?;
            state.texts(&[place])
        }
        Call::CreateMany(news) => {
            // Each is judged before the first is written.
            if news.iter().any(|new| !writes(who, &new.plain(who.tenant))) {
                return Err(ErrorKind::Forbidden);
            }
            let places: Result<Vec<_>, _> = news.iter().map(|new| state.create(who, new)).collect();
            state.texts(&places?)
        }
        Call::Get(id) => state.texts(state.find(who, id).as_slice()),
        Call::Fetch(id) => state.texts(&[state.find(who, id).ok_or(ErrorKind::NotFound)?]),
        Call::Query(of) | Call::Stream(of) => state.texts(&state.readable(who, of)),
        Call::First(of) => state.texts(state.readable(who, of).get(..1).unwrap_or_default()),
        Call::Page(of, skip, limit) => {
            let found = state.readable(who, of).into_iter().skip(*skip).take(*limit);
            state.texts(&found.collect::<Vec<_>>())
        }
        Call::Count(of) => Outcome::Count(state.readable(who, of).len() as u64),
        Call::Exists(of) => Outcome::Did(!state.readable(who, of).is_empty()),
        Call::Update(id, change) | Call::UpdateWith(id, change) | Call::Modify(id, change) => {
            let place = state.find(who, id).ok_or(ErrorKind::NotFound)?;
            state.update(who, place, change)?;
            state.texts(&[place])
        }
        Call::UpdateMany(of, change) => {
            let places = state.readable(who, of);
            for place in &places {
                state.update(who, *place, change)?;
            }
            Outcome::Count(places.len() as u64)
        }
        Call::DeleteMany(of) => {
            let mut places = state.readable(who, of);
            places.sort_unstable();
            for place in places.iter().rev() {
                state.delete(who, *place)?;
            }
            Outcome::Count(places.len() as u64)
        }
        Call::Delete(id) => match state.find(who, id) {
            None => Outcome::Did(false),
            Some(place) => {
                state.delete(who, place)?;
                Outcome::Did(true)
            }
        },
        Call::Bulk(new, (updated, change), deleted) => {
            let update = state.find(who, updated).ok_or(ErrorKind::NotFound)?;
            state.update(who, update, change)?;
            let mut places = vec![update];
            if !writes(who, &new.plain(who.tenant)) {
                return Err(ErrorKind::Forbidden);
            }
            let delete = state.find(who, deleted);
            if delete.is_some_and(|place| !deletes(who, &state.papers[place])) {
                return Err(ErrorKind::Forbidden);
            }
            places.push(state.create(who, new)?);
            let told = state.texts(&places);
            if let Some(place) = delete {
                state.delete(who, place)?;
            }
            told
        }
        Call::Upsert(new, change) => {
            let place = match state.readable(who, &Where::Code(new.code.clone())).first() {
                Some(place) => {
                    state.update(who, *place, change)?;
                    *place
                }
                None => state.create(who, new)?,
            };
            state.texts(&[place])
        }
        Call::Claim(change) => {
            let open = |place: &usize| state.papers[*place].count == 0;
            let Some(place) = state.readable(who, &all).into_iter().find(open) else {
                return Ok(state.texts(&[]));
            };
            state.update(who, place, change)?;
            state.papers[place].count = 1;
            state.texts(&[place])
        }
        Call::History => match who.role {
            Role::Admin => Outcome::Count(state.entries[who.tenant]),
            _ => return Err(ErrorKind::Forbidden),
        },
        Call::Replace(id, new) => {
            let place = state.find(who, id).ok_or(ErrorKind::NotFound)?;
            state.replace(who, place, new)?;
            state.texts(&[place])
        }
        Call::Read(read) => reads::expected(state, who, read),
        Call::Transaction(calls, fails) => {
            let mut parts = Vec::new();
            for call in calls {
                parts.push(apply(state, who, call));
                if matches!(parts.last(), Some(Outcome::Failed(_))) {
                    return Ok(Outcome::Parts(parts, false));
                }
            }
            Outcome::Parts(parts, !fails)
        }
    })
}
