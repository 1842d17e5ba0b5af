//! What each operator does to a document: the meaning that MongoDB 6.0 gives it.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::number::{self, Problem};
use super::{ALONE, Action, Operator, Pushed, below, invalid};
use crate::codec::{DecodeError, Elements, Writer, read_bson, write_bson};
use crate::error::{Error, Violation};
use crate::query::evaluate::{order, selects};
use crate::query::sort::SortKey;
use crate::schema::Direction;

/// The document after the operators. Only the fields at the top that they change, or that name a variant, are taken apart.
pub(super) fn apply(operators: &[Operator], document: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Writer::with_capacity(document.len() + 64).keeping_keys(true);
    let mut changed = Document::new();
    let mut elements = Elements::new(document).map_err(DecodeError::into_error)?;
    while let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? {
        if operators.iter().any(|operator| operator.asks(key)) {
            changed.insert(key, read_bson(value).map_err(DecodeError::into_error)?);
        } else {
            out.raw(key, value.tag, value.bytes);
        }
    }
    let mut violations = Vec::new();
    apply_all(operators, &mut changed, "", &mut violations);
    invalid(violations)?;
    for (key, value) in &changed {
        write_bson(&mut out, key, value);
    }
    out.finish()
}

fn apply_all(operators: &[Operator], document: &mut Document, base: &str, violations: &mut Vec<Violation>) {
    for operator in operators {
        let path = || below(base, &operator.path);
        if !is_inside(operator, document) {
            let message = "the document has another variant here: set the whole field to change it";
            violations.push(Violation::new(path(), "variant", message));
            continue;
        }
        if let Action::Each { filter, operators } = &operator.action {
            match find(document, &operator.path) {
                Ok(Some(Bson::Array(items))) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        alone(item, |document| {
                            if selects(filter, document) {
                                apply_all(operators, document, &format!("{}[{index}]", path()), violations);
                            }
                        });
                    }
                }
                Ok(_) => violations.push(Violation::new(path(), "missing", "there is no array to change")),
                Err((rule, message)) => violations.push(Violation::new(path(), rule, message)),
            }
        } else if let Err((rule, message)) = apply_one(operator, document) {
            violations.push(Violation::new(path(), rule, message));
        }
    }
}

/// Whether the document has the variants that the operator's path lies in.
fn is_inside(operator: &Operator, document: &mut Document) -> bool {
    let mut variants = operator.variants.iter();
    variants.all(|(tag, name)| matches!(find(document, tag), Ok(Some(Bson::String(found))) if found == name))
}

/// Does something to an element as the only field of a document. Where it is removed, null stays, as on the server.
fn alone(item: &mut Bson, change: impl FnOnce(&mut Document)) {
    let mut document = Document::new();
    document.insert(ALONE, std::mem::replace(item, Bson::Null));
    change(&mut document);
    if let Some(value) = document.remove(ALONE) {
        *item = value;
    }
}

fn apply_one(operator: &Operator, document: &mut Document) -> Result<(), Problem> {
    let path = &*operator.path;
    match &operator.action {
        Action::Set(value) => set(document, path, value.clone()),
        Action::Unset => unset(document, path),
        Action::Add(by) if find(document, path)?.is_none() => set(document, path, by.clone()),
        Action::Add(by) => compute(document, path, by, number::add),
        Action::Multiply(by) => compute(document, path, by, number::multiply),
        Action::Bits(operation, mask) => compute(document, path, mask, |a, b| number::bits(*operation, a, b)),
        Action::Min(value) => set_if(document, path, value, Ordering::Less),
        Action::Max(value) => set_if(document, path, value, Ordering::Greater),
        Action::Push(pushed) => {
            push(array(document, path)?, pushed);
            Ok(())
        }
        Action::AddToSet(values) => {
            let items = array(document, path)?;
            for value in values {
                if !items.iter().any(|item| order(item, value).is_eq()) {
                    items.push(value.clone());
                }
            }
            Ok(())
        }
        Action::PullAll(values) => retain(document, path, |item| {
            !values.iter().any(|value| order(item, value).is_eq())
        }),
        Action::PullWhere(filter) => retain(document, path, |item| {
            let mut pulled = false;
            alone(item, |document| pulled = selects(filter, document));
            !pulled
        }),
        Action::PopFirst => with_items(document, path, |items| {
            if !items.is_empty() {
                items.remove(0);
            }
        }),
        Action::PopLast => with_items(document, path, |items| {
            items.pop();
        }),
        // Checked, and carried out, elsewhere.
        Action::Each { .. } | Action::Refused(_) => Ok(()),
    }
}

const THROUGH_ARRAY: Problem = (
    "array",
    "the path leads through an array: choose its elements by `each`",
);
const NOT_A_DOCUMENT: Problem = ("type", "the path leads through a value that is no document");
const NOT_AN_ARRAY: Problem = ("type", "the stored value is no array");

/// What is stored at `path`.
fn find<'d>(document: &'d mut Document, path: &str) -> Result<Option<&'d mut Bson>, Problem> {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (document.get_mut(name), rest) {
        (found, None) => Ok(found),
        (Some(Bson::Document(inner)), Some(rest)) => find(inner, rest),
        (Some(Bson::Array(_)), Some(_)) => Err(THROUGH_ARRAY),
        (_, Some(_)) => Ok(None),
    }
}

fn set(document: &mut Document, path: &str, value: Bson) -> Result<(), Problem> {
    let Some((name, rest)) = path.split_once('.') else {
        document.insert(path, value);
        return Ok(());
    };
    match document.get_mut(name) {
        Some(Bson::Document(inner)) => set(inner, rest, value),
        Some(Bson::Array(_)) => Err(THROUGH_ARRAY),
        Some(_) => Err(NOT_A_DOCUMENT),
        None => {
            let mut inner = Document::new();
            set(&mut inner, rest, value)?;
            document.insert(name, inner);
            Ok(())
        }
    }
}

fn unset(document: &mut Document, path: &str) -> Result<(), Problem> {
    let Some((parent, name)) = path.rsplit_once('.') else {
        document.remove(path);
        return Ok(());
    };
    match find(document, parent)? {
        Some(Bson::Document(parent)) => {
            parent.remove(name);
            Ok(())
        }
        Some(Bson::Array(_)) => Err(THROUGH_ARRAY),
        _ => Ok(()),
    }
}

fn compute(
    document: &mut Document,
    path: &str,
    operand: &Bson,
    result: impl FnOnce(&Bson, &Bson) -> Result<Bson, Problem>,
) -> Result<(), Problem> {
    match find(document, path)? {
        Some(stored) => {
            // The server leaves an equal number as it is: a negative zero stays one.
            match result(stored, operand)? {
                Bson::Double(new) if order(stored, &Bson::Double(new)).is_eq() => {}
                new => *stored = new,
            }
            Ok(())
        }
        None => {
            let value = result(&number::zero(operand), operand)?;
            set(document, path, value)
        }
    }
}

fn set_if(document: &mut Document, path: &str, value: &Bson, wanted: Ordering) -> Result<(), Problem> {
    match find(document, path)? {
        Some(stored) => {
            if order(value, stored) == wanted {
                *stored = value.clone();
            }
            Ok(())
        }
        None => set(document, path, value.clone()),
    }
}

/// The array at `path`, which is made where it is missing.
fn array<'d>(document: &'d mut Document, path: &str) -> Result<&'d mut Vec<Bson>, Problem> {
    if find(document, path)?.is_none() {
        set(document, path, Bson::Array(Vec::new()))?;
    }
    match find(document, path)? {
        Some(Bson::Array(items)) => Ok(items),
        _ => Err(NOT_AN_ARRAY),
    }
}

/// Does something to the array at `path`, if there is one.
fn with_items(
    document: &mut Document,
    path: &str,
    change: impl FnOnce(&mut Vec<Bson>),
) -> Result<(), Problem> {
    match find(document, path)? {
        None => Ok(()),
        Some(Bson::Array(items)) => {
            change(items);
            Ok(())
        }
        Some(_) => Err(NOT_AN_ARRAY),
    }
}

fn retain(document: &mut Document, path: &str, keep: impl FnMut(&mut Bson) -> bool) -> Result<(), Problem> {
    with_items(document, path, |items| items.retain_mut(keep))
}

fn push(items: &mut Vec<Bson>, pushed: &Pushed) {
    let count = items.len();
    let distance = |position: i64| usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    let at = match pushed.position {
        None => count,
        Some(position) if position < 0 => count.saturating_sub(distance(position)),
        Some(position) => count.min(distance(position)),
    };
    items.splice(at..at, pushed.values.iter().cloned());
    if !pushed.sort.is_empty() {
        items.sort_by(|a, b| order_by(&pushed.sort, a, b));
    }
    match pushed.slice {
        None => {}
        Some(slice) if slice < 0 => {
            items.drain(..items.len().saturating_sub(distance(slice)));
        }
        Some(slice) => items.truncate(distance(slice)),
    }
}

/// Compares two elements by the keys of a sort order, whose paths begin at the element.
fn order_by(keys: &[SortKey], a: &Bson, b: &Bson) -> Ordering {
    keys.iter()
        .map(|key| {
            let order = order(at(a, &key.path), at(b, &key.path));
            match key.direction {
                Direction::Ascending => order,
                Direction::Descending => order.reverse(),
            }
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// What an element has at a path; a missing field sorts as null.
fn at<'a>(element: &'a Bson, path: &str) -> &'a Bson {
    path.split('.').skip(1).fold(element, |value, name| match value {
        Bson::Document(document) => document.get(name).unwrap_or(&Bson::Null),
        _ => &Bson::Null,
    })
}
