//! What clients were told, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use model_core::{Db, Result, testing};

/// What a client was told of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    Failed,
    /// It is not known whether it took effect.
    Unknown,
}

pub(crate) fn told<T>(result: &Result<T>) -> Told {
    match result {
        Ok(_) => Told::Done,
        Err(error) if error.to_string().contains("not known") => Told::Unknown,
        Err(error) if error.is_unavailable() => Told::Unknown,
        Err(_) => Told::Failed,
    }
}

/// A write, by what the audit log says if it took effect. No two give a document the same name.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// So many documents got this name.
    Named(String, usize),
    /// The document with this id was deleted.
    Deleted(String),
}

/// What one call was to do, and what its caller was told.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) marks: Vec<Mark>,
    pub(crate) told: Told,
}

/// What a collection and its audit entries tell.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The documents' names by their ids.
    pub(crate) names: BTreeMap<String, String>,
    /// How many documents got this name at some time.
    given: BTreeMap<String, usize>,
    deleted: BTreeSet<String>,
}

/// The entries of one document.
#[derive(Default)]
struct Life {
    created: Vec<String>,
    /// Its names, each with the next.
    renamed: Vec<(String, String)>,
    deleted: usize,
}

impl Story {
    /// Reads both, and checks, document by document, that what the entries say is what the document is: none is too
    /// many and none is missing.
    pub(crate) async fn read(db: &Db, collection: &'static str, entity: &str, case: &str) -> Self {
        let documents = testing::stored(db, collection).await.unwrap();
        let entries = testing::stored(db, "audit_log").await.unwrap();
        let names: BTreeMap<_, _> = documents
            .iter()
            .map(|one| {
                let id = one.get_object_id("_id").unwrap().to_hex();
                (id, one.get_str("name").unwrap().to_owned())
            })
            .collect();
        let mut story = Self {
            names,
            ..Self::default()
        };
        let mut told = BTreeMap::new();
        for (id, life) in lives(&entries, entity) {
            for name in life
                .created
                .iter()
                .chain(life.renamed.iter().map(|(_, name)| name))
            {
                *story.given.entry(name.clone()).or_default() += 1;
            }
            if life.deleted == 1 {
                story.deleted.insert(id.clone());
            }
            if let Some(name) = life.end(case, &id) {
                told.insert(id, name);
            }
        }
        assert_eq!(told, story.names, "{case}: the audit log tells another story");
        story
    }

    /// Two collections, as one.
    pub(crate) fn both([mut one, other]: [Self; 2]) -> Self {
        one.names.extend(other.names);
        one.given.extend(other.given);
        one.deleted.extend(other.deleted);
        one
    }

    /// Whether what callers were told agrees with it.
    pub(crate) fn agrees_with(&self, attempts: &[Attempt], case: &str) {
        let mut deleted = BTreeSet::new();
        for Attempt { marks, told } in attempts {
            for mark in marks {
                if let (Mark::Deleted(id), Told::Done) = (mark, told) {
                    assert!(deleted.insert(id), "{case}: two are told that they deleted {id}");
                }
            }
            let took_effect: Vec<_> = marks.iter().map(|mark| self.has(mark)).collect();
            match told {
                Told::Done => assert!(took_effect.iter().all(|did| *did), "{case}: lost: {marks:?}"),
                Told::Failed => assert!(
                    !marks.iter().any(|mark| self.is_due_to(mark)),
                    "{case}: took effect although it failed: {marks:?}"
                ),
                // Nobody knows whether it did, but it did as a whole or not at all.
                Told::Unknown => assert!(
                    marks
                        .iter()
                        .all(|mark| self.is_due_to(mark) == self.is_due_to(&marks[0])),
                    "{case}: took effect in part: {marks:?}"
                ),
            }
        }
    }

    /// Whether this very write took effect, for all that can be told: a deleted document may be another's work.
    fn is_due_to(&self, mark: &Mark) -> bool {
        matches!(mark, Mark::Named(name, _) if self.given.contains_key(name))
    }

    /// Whether a write took effect.
    fn has(&self, mark: &Mark) -> bool {
        match mark {
            Mark::Named(name, count) => self.given.get(name).copied().unwrap_or_default() == *count,
            Mark::Deleted(id) => self.deleted.contains(id),
        }
    }
}

impl Life {
    /// The name at the end, if the document is still there. Names differ, so each entry says which it follows: the clocks
    /// of several clients have no say in it.
    fn end(mut self, case: &str, id: &str) -> Option<String> {
        assert_eq!(self.created.len(), 1, "{case}: creates of {id}");
        assert!(self.deleted <= 1, "{case}: {} deletes of {id}", self.deleted);
        let mut name = self.created.pop()?;
        while let Some(place) = self.renamed.iter().position(|(before, _)| *before == name) {
            name = self.renamed.swap_remove(place).1;
        }
        assert!(
            self.renamed.is_empty(),
            "{case}: {id} was never called that, and is {name}: {:?}",
            self.renamed
        );
        (self.deleted == 0).then_some(name)
    }
}

fn lives(entries: &[Document], entity: &str) -> BTreeMap<String, Life> {
    let mut lives: BTreeMap<String, Life> = BTreeMap::new();
    for entry in entries {
        let Some(event) = entry.get_str("event").unwrap().strip_prefix(entity) else {
            continue;
        };
        let id = entry.get_document("entity").unwrap().get_str("id").unwrap();
        let life = lives.entry(id.to_owned()).or_default();
        let side = |side: &str| {
            let changes = entry.get_array("changes").unwrap().iter();
            let change = changes.filter_map(|change| change.as_document());
            let mut name = change.filter(|change| change.get_str("path").is_ok_and(|path| path == "name"));
            name.next().unwrap().get_str(side).unwrap().to_owned()
        };
        match event {
            ".create" => life.created.push(side("after")),
            ".update" => life.renamed.push((side("before"), side("after"))),
            ".delete" => life.deleted += 1,
            _ => panic!("{event}"),
        }
    }
    lives
}
