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
        matches!(
            self,
            Self::StartsWith | Self::EqIgnoreCase | Self::StartsWithIgnoreCase | Self::ContainsIgnoreCase
        )
    }

    /// The comparison that is called so outside.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            "in" => Self::In,
            "not_in" => Self::NotIn,
            "exists" => Self::Exists,
            "starts_with" => Self::StartsWith,
            "eq_ignore_case" => Self::EqIgnoreCase,
            "starts_with_ignore_case" => Self::StartsWithIgnoreCase,
            "contains_ignore_case" => Self::ContainsIgnoreCase,
            _ => return None,
        })
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
