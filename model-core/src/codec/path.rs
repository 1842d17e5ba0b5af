//! Where a walk over a value stands.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One step of a path.
#[derive(Debug, Clone)]
enum Step {
    Key(Cow<'static, str>),
    Index(usize),
}

/// A path under construction: keys and array indexes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    pub(crate) fn push_key(&mut self, key: impl Into<Cow<'static, str>>) {
        self.0.push(Step::Key(key.into()));
    }

    pub(crate) fn push_index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// For people: `members[2].role`.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            match step {
                Step::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(key);
                }
                Step::Index(index) => {
                    // Writing to a string does not fail.
                    let _ = write!(text, "[{index}]");
                }
            }
        }
        text
    }
}
