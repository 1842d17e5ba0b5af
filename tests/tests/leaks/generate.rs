//! Random calls, most of which are about documents that there are.

use model_core::Id;

use crate::calls::{Call, Change, New, Where};
use crate::model::Paper;
use crate::reads::Read;
use crate::rules::{Plain, Role, State, Who};

/// The same numbers for the same seed (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % bound
    }
}

const NAMES: [&str; 3] = ["ada", "bob", "cyd"];

pub(crate) struct World {
    random: Random,
    texts: usize,
}

impl World {
    pub(crate) fn new(random: Random) -> Self {
        Self { random, texts: 0 }
    }

    /// The next call: at first the tenants get some documents.
    pub(crate) fn call(&mut self, state: &State, step: usize) -> (Who, Call) {
        let role = [Role::Admin, Role::Editor, Role::Editor, Role::Viewer][self.random.below(4)];
        let mut who = Who {
            tenant: self.random.below(2),
            role,
            name: NAMES[self.random.below(NAMES.len())],
        };
        if step < 2 {
            (who.tenant, who.role) = (step, Role::Admin);
            let mut news = [(); 5].map(|()| self.new_paper(state, &who)).to_vec();
            for (number, new) in news.iter_mut().enumerate() {
                new.code = format!("c{number}");
            }
            return (who, Call::CreateMany(news));
        }
        let call = if self.random.below(8) == 0 {
            let parts = 1 + self.random.below(4);
            let calls = (0..parts).map(|_| self.single(state, &who)).collect();
            Call::Transaction(calls, self.random.below(3) == 0)
        } else {
            self.single(state, &who)
        };
        (who, call)
    }

    fn single(&mut self, state: &State, who: &Who) -> Call {
        match self.random.below(30) {
            0 => Call::Create(self.new_paper(state, who)),
            1 => Call::CreateMany(vec![self.new_paper(state, who), self.new_paper(state, who)]),
            2 => Call::Get(self.id(state)),
            3 => Call::Fetch(self.id(state)),
            4 => Call::Query(self.filter(state)),
            5 => Call::Stream(self.filter(state)),
            6 => Call::First(self.filter(state)),
            7 => Call::Page(self.filter(state), self.random.below(3), 1 + self.random.below(3)),
            8 => Call::Count(self.filter(state)),
            9 => Call::Exists(self.filter(state)),
            10 => Call::Update(self.id(state), self.change(who)),
            11 => Call::UpdateWith(self.id(state), self.change(who)),
            12 => Call::Modify(self.id(state), self.change(who)),
            13 => {
                // Texts tell documents apart.
                let level = Some(self.level());
                let change = Change {
                    level,
                    owner: None,
                    text: None,
                };
                Call::UpdateMany(self.filter(state), change)
            }
            14 => Call::DeleteMany(self.filter(state)),
            15 => Call::Delete(self.id(state)),
            16 => {
                let (updated, deleted) = (self.id(state), self.id(state));
                if updated == deleted {
                    return Call::Delete(deleted);
                }
                Call::Bulk(self.new_paper(state, who), (updated, self.change(who)), deleted)
            }
            17 => Call::Upsert(self.new_paper(state, who), self.change(who)),
            18 => Call::Claim(self.change(who)),
            19 => Call::History,
            20 | 21 => Call::Replace(self.id(state), self.new_paper(state, who)),
            _ => Call::Read(self.read(state)),
        }
    }

    fn text(&mut self, who: &Who) -> String {
        self.texts += 1;
        format!("canary-{}-{:03}", who.tenant, self.texts)
    }

    fn name(&mut self) -> String {
        NAMES[self.random.below(NAMES.len())].to_owned()
    }

    fn level(&mut self) -> i64 {
        [0, 1, 2][self.random.below(3)]
    }

    fn new_paper(&mut self, state: &State, who: &Who) -> New {
        let own = self.random.below(2) == 0;
        New {
            owner: if own { who.name.to_owned() } else { self.name() },
            level: self.level(),
            code: format!("c{}", self.random.below(9)),
            text: self.text(who),
            parent: (self.random.below(2) == 0).then(|| self.id(state)),
        }
    }

    fn read(&mut self, state: &State) -> Read {
        let some = |world: &mut Self| (0..world.random.below(6)).map(|_| world.id(state)).collect();
        match self.random.below(11) {
            0 => Read::Pages(self.filter(state), 1 + self.random.below(3)),
            1 => Read::Select(self.filter(state)),
            2 => Read::Distinct(self.filter(state)),
            3 => Read::Levels(self.filter(state)),
            4 => Read::Lookup(self.filter(state)),
            5 => Read::Facet(self.filter(state)),
            6 => Read::GetMany(some(self)),
            7 => Read::GetBy(format!("c{}", self.random.below(9))),
            8 => Read::Explain(self.id(state)),
            9 => Read::Parents(self.filter(state)),
            _ => Read::Related(some(self)),
        }
    }

    fn change(&mut self, who: &Who) -> Change {
        Change {
            owner: (self.random.below(3) == 0).then(|| self.name()),
            level: (self.random.below(2) == 0).then(|| self.level()),
            text: Some(self.text(who)),
        }
    }

    /// Some document of some tenant.
    fn one(&mut self, state: &State) -> Option<Plain> {
        let known: Vec<_> = state.papers.iter().filter(|paper| paper.id.is_some()).collect();
        (!known.is_empty()).then(|| known[self.random.below(known.len())].clone())
    }

    fn id(&mut self, state: &State) -> Id<Paper> {
        let one = self.one(state).and_then(|paper| paper.id);
        one.unwrap_or_else(Id::generate)
    }

    fn filter(&mut self, state: &State) -> Where {
        match (self.random.below(5), self.one(state)) {
            (0, _) => Where::All,
            (1, _) => Where::Level(self.level()),
            (2, _) => Where::NotOwner(self.name()),
            (3, Some(paper)) => Where::Text(paper.text),
            _ => Where::Code(format!("c{}", self.random.below(9))),
        }
    }
}
