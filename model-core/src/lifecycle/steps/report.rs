//! What steps have done, and would do.

use std::fmt;

use bson::Document;

use crate::engine::Parts;
use crate::error::Error;

/// What was done of a step.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StepReport {
    /// The step.
    pub step: &'static str,
    /// The documents that were changed, split or moved.
    pub written: u64,
    /// The documents in which references were rewritten.
    pub rewritten: u64,
    /// The documents that stay as they were, each with its id and the reason.
    pub failed: Vec<Error>,
    /// Whether it went on where an earlier run had stopped.
    pub resumed: bool,
    /// Whether an earlier run had done it all.
    pub was_done: bool,
    /// Whether it is done.
    pub complete: bool,
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.was_done {
            return write!(f, "{}: was done", self.step);
        }
        let end = if self.complete { "complete" } else { "not complete" };
        let (step, written, rewritten) = (self.step, self.written, self.rewritten);
        let failed = self.failed.len();
        write!(
            f,
            "{step}: {written} documents, {rewritten} with references, {failed} failed: {end}"
        )
    }
}

/// What a step would do.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StepPreview {
    /// The step.
    pub step: &'static str,
    /// Whether it was taken already.
    pub was_done: bool,
    /// The documents to look at.
    pub documents: u64,
    /// What would become of the first of them, by their ids: which top-level fields change, and where else something is stored. No
    /// values are shown, since nothing says which are secret.
    pub sample: Vec<StepSample>,
    /// Those of the sample that would fail, each with its id and the reason.
    pub failed: Vec<Error>,
}

/// What a step would do with one document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepSample {
    /// The document's id.
    pub id: String,
    /// The names of the top-level fields that change; none if the document goes away.
    pub changed: Option<Vec<String>>,
    /// The collections in which something is stored.
    pub stored: Vec<&'static str>,
}

impl StepSample {
    pub(super) fn of(id: String, before: &Document, parts: &Parts) -> Self {
        let changed = parts.keep.as_ref().map(|kept| {
            let names = before
                .keys()
                .chain(kept.keys().filter(|key| !before.contains_key(key)));
            names
                .filter(|key| before.get(key) != kept.get(key))
                .cloned()
                .collect()
        });
        Self {
            id,
            changed,
            stored: parts.put.iter().map(|(collection, _)| *collection).collect(),
        }
    }
}
