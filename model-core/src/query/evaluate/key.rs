//! The keys of a document in an index, and in a sort order: what the server derives from dotted paths and arrays.

use std::cmp::Ordering;

use super::path::split;
use super::value::Value;
use crate::codec::{Elements, RawValue, tag};
use crate::query::SortKey;
use crate::schema::Direction;

/// Why a document has no keys under a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// Two of the paths lead through different arrays.
    ParallelArrays,
    /// A number in a path is a position of an array, and a name in a document inside that array too.
    Ambiguous,
}

/// The values of one key, in the order of the pattern.
pub(crate) type Key<'a> = Vec<RawValue<'a>>;

const NULL: RawValue<'static> = RawValue {
    tag: tag::NULL,
    bytes: &[],
};
/// An empty array has this key, which sorts before null.
const UNDEFINED: RawValue<'static> = RawValue {
    tag: tag::UNDEFINED,
    bytes: &[],
};
/// The bytes of a document without fields.
const EMPTY: &[u8] = &[5, 0, 0, 0, 0];

/// The keys that `document` has in an index over `paths`: one, or one per element of an array on the way. A missing
/// field counts as null; `sparse` leaves out the key in which all fields are missing.
pub(crate) fn index_keys<'a>(
    document: &'a [u8],
    paths: &[&str],
    sparse: bool,
) -> Result<Vec<Key<'a>>, KeyError> {
    let walk = Walk {
        rest: paths.to_vec(),
        values: vec![NULL; paths.len()],
        missing: 0,
    };
    let mut keys = Vec::with_capacity(1);
    walk.expand(
        document,
        &vec![Position::default(); paths.len()],
        sparse,
        &mut keys,
    )?;
    Ok(keys)
}

/// The key by which `document` sorts: of several, the one that comes first in that order.
pub(crate) fn sort_key<'a>(document: &'a [u8], order: &[SortKey]) -> Result<Key<'a>, KeyError> {
    let paths: Vec<&str> = order.iter().map(|key| &*key.path).collect();
    let keys = index_keys(document, &paths, false)?;
    Ok(keys
        .into_iter()
        .min_by(|a, b| order_by(order, a, b))
        .unwrap_or_default())
}

/// Compares two keys that [`sort_key`] made for the same order.
pub(crate) fn order_by(order: &[SortKey], a: &[RawValue<'_>], b: &[RawValue<'_>]) -> Ordering {
    let mut values = order.iter().zip(a.iter().zip(b));
    let found = values.find_map(|(key, (a, b))| {
        let order = Value::from(*a).order(Value::from(*b));
        match key.direction {
            _ if order.is_eq() => None,
            Direction::Ascending => Some(order),
            Direction::Descending => Some(order.reverse()),
        }
    });
    found.unwrap_or(Ordering::Equal)
}

/// The server's order of two stored values.
pub(crate) fn order_values(a: RawValue<'_>, b: RawValue<'_>) -> Ordering {
    Value::from(a).order(Value::from(b))
}

/// Where a number in a path led to, looked up once in the whole array.
#[derive(Debug, Clone, Copy, Default)]
struct Position<'a, 'p> {
    element: Option<RawValue<'a>>,
    found: Option<RawValue<'a>>,
    rest: &'p str,
}

#[derive(Debug, Clone)]
struct Walk<'a, 'p> {
    /// What is left of each path; empty once its value is known.
    rest: Vec<&'p str>,
    values: Vec<RawValue<'a>>,
    missing: usize,
}

impl<'a, 'p> Walk<'a, 'p> {
    fn expand(
        mut self,
        document: &'a [u8],
        positions: &[Position<'a, 'p>],
        sparse: bool,
        keys: &mut Vec<Key<'a>>,
    ) -> Result<(), KeyError> {
        let mut array: Option<RawValue<'a>> = None;
        let mut through_array = vec![false; self.rest.len()];
        let mut in_nested_array = false;
        let paths = self
            .rest
            .iter_mut()
            .zip(&mut self.values)
            .zip(positions)
            .zip(&mut through_array);
        for (((rest, value), position), through) in paths {
            if rest.is_empty() {
                continue;
            }
            let found = next_element(document, rest, position, &mut in_nested_array)?;
            match found {
                None => {
                    *rest = "";
                    *value = NULL;
                    self.missing += 1;
                }
                Some(found) if found.tag == tag::ARRAY => {
                    // The same array is the same place in the document, not the same content.
                    if array.is_some_and(|array| !std::ptr::eq(array.bytes, found.bytes)) {
                        return Err(KeyError::ParallelArrays);
                    }
                    array = Some(found);
                    *through = true;
                }
                Some(found) => *value = found,
            }
        }
        match array {
            Some(array) => self.expand_array(array, &through_array, in_nested_array, sparse, keys),
            None => {
                if !(sparse && self.missing == self.rest.len()) {
                    keys.push(self.values);
                }
                Ok(())
            }
        }
    }

    fn expand_array(
        &self,
        array: RawValue<'a>,
        through: &[bool],
        in_nested_array: bool,
        sparse: bool,
        keys: &mut Vec<Key<'a>>,
    ) -> Result<(), KeyError> {
        let positions: Vec<_> = self.rest.iter().map(|rest| position(array.bytes, rest)).collect();
        let none = vec![Position::default(); positions.len()];
        let mut items = Elements::new(array.bytes).ok();
        let mut next = || items.as_mut().and_then(|items| items.next().ok().flatten());
        let mut each = |item: RawValue<'a>, whole: bool, positions: &[Position<'a, 'p>]| {
            let mut walk = self.clone();
            let paths = walk.rest.iter().zip(&mut walk.values).zip(through);
            for ((_, value), _) in paths.filter(|((rest, _), through)| rest.is_empty() && **through) {
                *value = if whole { array } else { item };
            }
            let inside = if item.tag == tag::DOCUMENT {
                item.bytes
            } else {
                EMPTY
            };
            walk.expand(inside, positions, sparse, keys)
        };
        let Some((_, first)) = next() else {
            return each(UNDEFINED, false, &none);
        };
        each(first, in_nested_array, &positions)?;
        while let Some((_, item)) = next() {
            each(item, in_nested_array, &positions)?;
        }
        Ok(())
    }
}

/// Follows `rest` in `document`, or from the position in the array that `document` is an element of.
fn next_element<'a, 'p>(
    document: &'a [u8],
    rest: &mut &'p str,
    position: &Position<'a, 'p>,
    in_nested_array: &mut bool,
) -> Result<Option<RawValue<'a>>, KeyError> {
    let named = get(document, split(rest).0).is_some();
    match position.element {
        Some(_) if named => Err(KeyError::Ambiguous),
        Some(element) => {
            *in_nested_array |= element.tag == tag::ARRAY;
            *rest = position.rest;
            Ok(position.found)
        }
        None => Ok(extract(document, rest)),
    }
}

/// What the first name of `rest` finds if it is a position of the array.
fn position<'a, 'p>(array: &'a [u8], rest: &'p str) -> Position<'a, 'p> {
    let element = if rest.is_empty() {
        None
    } else {
        get(array, split(rest).0)
    };
    let mut rest = rest;
    let found = element.and_then(|_| extract(array, &mut rest));
    Position { element, found, rest }
}

/// Follows `path` through documents to its end or to the first array, and leaves in it what is beyond.
fn extract<'a>(mut document: &'a [u8], path: &mut &str) -> Option<RawValue<'a>> {
    loop {
        let (name, rest) = split(path);
        let found = get(document, name)?;
        *path = rest.unwrap_or("");
        match found.tag {
            _ if path.is_empty() => return Some(found),
            tag::ARRAY => return Some(found),
            tag::DOCUMENT => document = found.bytes,
            _ => return None,
        }
    }
}

fn get<'a>(document: &'a [u8], name: &str) -> Option<RawValue<'a>> {
    let mut elements = Elements::new(document).ok()?;
    while let Ok(Some((key, value))) = elements.next() {
        if key == name {
            return Some(value);
        }
    }
    None
}
