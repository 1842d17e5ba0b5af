//! Searches by relevance: words, in the fields of a model's text index.

use std::fmt;

use super::filter::Node;
use super::sort::SortKey;
use crate::schema::{Direction, KeyForm, ModelSchema, reserved};

/// What a search asks for.
#[derive(Clone, PartialEq)]
pub(crate) struct Words {
    /// As it was given: the server's own syntax of phrases and negations.
    pub(crate) text: String,
    /// The language of the words; that of the index if nothing is said.
    pub(crate) language: Option<String>,
    pub(crate) case_sensitive: bool,
    pub(crate) diacritic_sensitive: bool,
    /// The stored paths of the index, each with its weight.
    pub(crate) fields: Vec<(String, u32)>,
}

impl Words {
    /// A search in the text index of a model.
    pub(crate) fn new(schema: &ModelSchema, text: String) -> Self {
        let index = schema.indexes.iter().find(|index| index.is_text());
        let keys = index.map_or(&[][..], |index| index.keys);
        let fields = keys.iter().filter_map(|key| match key.form {
            KeyForm::Text { weight } => schema.stored_path(key.path).map(|path| (path, weight)),
            _ => None,
        });
        Self {
            text,
            language: None,
            case_sensitive: false,
            diacritic_sensitive: false,
            fields: fields.collect(),
        }
    }
}

/// Tells where, not what.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// The words that it asks for.
    pub(crate) fn words(&self) -> Option<&Words> {
        match self {
            Self::Words(words) => Some(words),
            Self::And(nodes) => nodes.iter().find_map(Self::words),
            _ => None,
        }
    }
}

impl SortKey {
    /// What fits the words best comes first.
    pub(crate) fn relevance() -> Self {
        Self {
            path: reserved::SCORE.into(),
            direction: Direction::Descending,
            outside: false,
        }
    }

    /// Whether it is [`relevance`](Self::relevance).
    pub(crate) fn is_relevance(&self) -> bool {
        self.path == reserved::SCORE
    }
}
