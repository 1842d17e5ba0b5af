//! Filters evaluated in memory, with the server's own meaning.
//!
//! The rules are those of MongoDB 6.0 as a running server shows them; a randomised test compares every operator of
//! [`Test`] with it. What the server refuses to parse has no meaning to copy: an undefined operand counts as null, an
//! empty `And` as every document and an empty `Or` as none.

mod facet;
mod group;
mod key;
mod number;
mod path;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::cmp::Ordering;

#[cfg(test)]
use bson::RawBsonRef;
use bson::{Bson, RawDocument};

use self::path::Leaf;
use self::value::{Fields, Value};
use super::case;
use super::filter::{Node, Test};

pub(crate) use self::facet::{FacetShare, Facets};
pub(crate) use self::group::{Groups, Share};
pub(crate) use self::key::{KeyError, index_keys, order_by, order_values, sort_key};
pub(crate) use self::path::each_value;

/// Whether `document` satisfies `node`, as the server would answer.
pub(crate) fn matches(node: &Node, document: &RawDocument) -> bool {
    node_holds(node, Fields::raw(document.as_bytes()))
}

/// How well a stored document fits the words that the filter asks for; none if it asks for none, or the document does not
/// fit.
pub(crate) fn relevance(node: &Node, document: &[u8]) -> Option<f64> {
    let words = node.words()?;
    words::score(words, Fields::raw(document))
}

/// The server's order of two values of operators.
pub(super) fn order(a: &Bson, b: &Bson) -> Ordering {
    Value::from(a).order(Value::from(b))
}

/// Whether the value of the field `name` alone satisfies `node`.
pub(super) fn selects(node: &Node, document: &bson::Document) -> bool {
    node_holds(node, Fields::Document(document))
}

/// The server's order of two values; none stands for a missing field, which sorts as null.
#[cfg(test)]
fn compare(a: Option<RawBsonRef<'_>>, b: Option<RawBsonRef<'_>>) -> Ordering {
    let value = |value: Option<_>| value.map_or(Value::Null, Value::from);
    value(a).order(value(b))
}

fn node_holds(node: &Node, fields: Fields<'_>) -> bool {
    match node {
        Node::Everything => true,
        Node::Nothing => false,
        Node::And(nodes) => nodes.iter().all(|node| node_holds(node, fields)),
        Node::Or(nodes) => nodes.iter().any(|node| node_holds(node, fields)),
        Node::Outside(inner) => node_holds(inner, fields),
        Node::Not(inner) => !node_holds(inner, fields),
        Node::Field { path, test } => test_holds(test, Target::Path(fields, path)),
        Node::Words(words) => words::score(words, fields).is_some(),
    }
}

/// What a test is about.
#[derive(Clone, Copy)]
enum Target<'a, 'p> {
    /// What a path reaches in a document.
    Path(Fields<'a>, &'p str),
    /// One value.
    One(Value<'a>),
}

impl<'a> Target<'a, '_> {
    /// Hands what is reached to `test` until it says yes.
    fn any(self, leaf: Leaf, test: &mut dyn FnMut(Option<Value<'a>>) -> bool) -> bool {
        match self {
            Self::Path(fields, path) => path::any(fields, path, leaf, test),
            Self::One(value) => test(Some(value)),
        }
    }
}

fn test_holds(test: &Test, target: Target<'_, '_>) -> bool {
    match test {
        Test::Eq(operand) => compares(target, operand, Relation::Equal),
        Test::Ne(operand) => !compares(target, operand, Relation::Equal),
        Test::Gt(operand) => compares(target, operand, Relation::Greater),
        Test::Gte(operand) => compares(target, operand, Relation::GreaterOrEqual),
        Test::Lt(operand) => compares(target, operand, Relation::Less),
        Test::Lte(operand) => compares(target, operand, Relation::LessOrEqual),
        Test::In(operands) => is_one_of(target, operands),
        Test::NotIn(operands) => !is_one_of(target, operands),
        Test::Exists(exists) => target.any(Leaf::EachAndWhole, &mut |found| found.is_some()) == *exists,
        Test::StartsWith(prefix) => target.any(Leaf::EachAndWhole, &mut |found| {
            let rendered = || format!("^{}", regex_lite::escape(prefix));
            has_text(found, |text| text.starts_with(prefix.as_bytes()), rendered)
        }),
        Test::EndsWith(suffix) => target.any(Leaf::EachAndWhole, &mut |found| {
            let rendered = || format!("{}\\z", regex_lite::escape(suffix));
            has_text(found, |text| text.ends_with(suffix.as_bytes()), rendered)
        }),
        Test::Contains(part) => target.any(Leaf::EachAndWhole, &mut |found| {
            let rendered = || regex_lite::escape(part);
            has_text(found, |text| contains(text, part.as_bytes()), rendered)
        }),
        Test::IgnoreCase(part, wanted) => target.any(Leaf::EachAndWhole, &mut |found| {
            let rendered = || case::pattern(*part, wanted);
            has_text(found, |stored| case::holds(*part, stored, wanted), rendered)
        }),
        Test::Remainder(divisor, remainder) => {
            target.any(Leaf::EachAndWhole, &mut |found| match found {
                // The one division that overflows leaves nothing over.
                Some(Value::Number(number)) => number
                    .truncated()
                    .is_some_and(|whole| whole.checked_rem(*divisor).unwrap_or(0) == *remainder),
                _ => false,
            })
        }
        Test::Size(count) => {
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            target.any(Leaf::Whole, &mut |found| match found {
                Some(Value::Array(items)) => items.iter().count() == count,
                _ => false,
            })
        }
        Test::All(operands) => {
            let holds = |operand| compares(target, operand, Relation::Equal);
            !operands.is_empty() && operands.iter().all(holds)
        }
        Test::Blind(_) => false,
        // Arrays inside the array count as documents whose names are the positions.
        Test::ElemMatch(inner) => target.any(Leaf::Whole, &mut |found| match found {
            Some(Value::Array(items)) => items.iter().any(|(_, item)| match item {
                Value::Document(fields) | Value::Array(fields) => node_holds(inner, fields),
                _ => false,
            }),
            _ => false,
        }),
        Test::Element(inner) => target.any(Leaf::Whole, &mut |found| match found {
            Some(Value::Array(items)) => items.iter().any(|(_, item)| value_holds(inner, item)),
            _ => false,
        }),
    }
}

/// Whether one value satisfies conditions of it. An array is a value here, not what is in it.
fn value_holds(node: &Node, value: Value<'_>) -> bool {
    match node {
        Node::Everything => true,
        // Words are asked for by no element.
        Node::Nothing | Node::Words(_) => false,
        Node::And(nodes) => nodes.iter().all(|node| value_holds(node, value)),
        Node::Or(nodes) => nodes.iter().any(|node| value_holds(node, value)),
        Node::Outside(inner) => value_holds(inner, value),
        Node::Not(inner) => !value_holds(inner, value),
        Node::Field { test, .. } => test_holds(test, Target::One(value)),
    }
}

#[derive(Clone, Copy)]
enum Relation {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Relation {
    fn admits(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }

    fn admits_equal(self) -> bool {
        self.admits(Ordering::Equal)
    }

    /// Whether `found` stands in this relation to `operand`: values compare within their kind only.
    fn holds(self, found: Option<Value<'_>>, operand: Value<'_>) -> bool {
        let found = found.unwrap_or(Value::Undefined);
        if operand.is_null() {
            return self.admits_equal() && found.is_null();
        }
        if found.is_akin(operand) {
            if found.is_nan() || operand.is_nan() {
                return self.admits_equal() && found.is_nan() && operand.is_nan();
            }
            return self.admits(found.order(operand));
        }
        match operand {
            Value::MinKey => self.admits(Ordering::Greater),
            Value::MaxKey => self.admits(Ordering::Less),
            _ => false,
        }
    }
}

fn compares(target: Target<'_, '_>, operand: &Bson, relation: Relation) -> bool {
    let operand = Value::from(operand);
    target.any(Leaf::EachAndWhole, &mut |found| relation.holds(found, operand))
}

fn is_one_of(target: Target<'_, '_>, operands: &[Bson]) -> bool {
    target.any(Leaf::EachAndWhole, &mut |found| {
        operands
            .iter()
            .any(|operand| Relation::Equal.holds(found, Value::from(operand)))
    })
}

/// Strings only; and, as on the server, a stored regular expression that is the rendered one.
fn has_text(
    found: Option<Value<'_>>,
    holds: impl FnOnce(&[u8]) -> bool,
    rendered: impl FnOnce() -> String,
) -> bool {
    match found {
        Some(Value::Text(text)) => holds(text),
        Some(Value::Regex { pattern, options: [] }) => pattern == rendered().as_bytes(),
        _ => false,
    }
}

/// Whether `part` stands in `text`.
fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}
