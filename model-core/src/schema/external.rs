//! What filters from outside may ask of a field.

use std::borrow::Cow;

use bson::Bson;
use serde_json::Value;

use super::FieldSchema;

/// How a filter from outside may compare a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Comparison {
    /// `eq`, or nothing: `?status=active`.
    Eq,
    /// `ne`
    Ne,
    /// `gt`
    Gt,
    /// `gte`
    Gte,
    /// `lt`
    Lt,
    /// `lte`
    Lte,
    /// `in`
    In,
    /// `not_in`
    NotIn,
    /// `exists`: there, and not null.
    Exists,
    /// `starts_with`
    StartsWith,
    /// `eq_ignore_case`
    EqIgnoreCase,
    /// `starts_with_ignore_case`
    StartsWithIgnoreCase,
    /// `contains_ignore_case`
    ContainsIgnoreCase,
}

impl Comparison {
    /// Searches in texts, which `#[model(filterable)]` has to name.
    const OF_TEXT: &'static [Self] = &[
        Self::StartsWith,
        Self::EqIgnoreCase,
        Self::StartsWithIgnoreCase,
        Self::ContainsIgnoreCase,
    ];

    /// What `#[model(filterable)]` alone allows: all but searches in texts.
    pub const PLAIN: &'static [Self] = &[
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::NotIn,
        Self::Exists,
    ];

    /// Whether it looks into a text.
    pub(crate) fn is_of_text(self) -> bool {
        Self::OF_TEXT.contains(&self)
    }

    /// What it is called outside: `?status[not_in]=..`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Exists => "exists",
            Self::StartsWith => "starts_with",
            Self::EqIgnoreCase => "eq_ignore_case",
            Self::StartsWithIgnoreCase => "starts_with_ignore_case",
            Self::ContainsIgnoreCase => "contains_ignore_case",
        }
    }

    /// The comparison that is called so outside.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::PLAIN.iter().chain(Self::OF_TEXT).copied();
        all.find(|comparison| comparison.name() == name)
    }
}

/// Reads a value from outside as what the field is compared with, normalised as the field is; or says what was expected,
/// and never the value.
pub type ReadOperand = fn(&'static FieldSchema, Value) -> Result<Bson, Cow<'static, str>>;

/// What filters from outside may ask of a field, and how their values are read.
#[derive(Debug, Clone, Copy)]
pub struct External {
    pub(crate) comparisons: &'static [Comparison],
    pub(crate) operand: ReadOperand,
}

impl External {
    /// The comparisons that are allowed, for the description of an API.
    ///
    /// ```
    /// # model_core::__example!();
    /// use model_core::schema::Comparison;
    ///
    /// let done = Note::schema().field("done").and_then(|field| field.external);
    /// assert!(done.is_some_and(|external| external.comparisons().contains(&Comparison::NotIn)));
    /// assert_eq!(Comparison::NotIn.name(), "not_in");
    /// ```
    pub const fn comparisons(&self) -> &'static [Comparison] {
        self.comparisons
    }
}
