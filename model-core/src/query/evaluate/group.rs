//! Groups made in memory, as the server makes them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bson::RawDocument;

use super::{order_by, order_values, sort_key};
use crate::codec::{Elements, RawValue, Writer, tag};
use crate::error::{Error, Result};
use crate::query::group::{Fold, Grouping, RowField};

/// A value that outlives its document.
#[derive(Debug, Clone)]
struct Owned {
    tag: u8,
    bytes: Vec<u8>,
}

impl Owned {
    const NULL: Self = Self {
        tag: tag::NULL,
        bytes: Vec::new(),
    };

    fn new(value: RawValue<'_>) -> Self {
        Self {
            tag: value.tag,
            bytes: value.bytes.to_vec(),
        }
    }

    fn raw(&self) -> RawValue<'_> {
        RawValue {
            tag: self.tag,
            bytes: &self.bytes,
        }
    }
}

/// The values of one group's keys: equal where the server finds them equal.
#[derive(Debug)]
struct GroupKey(Vec<Owned>);

impl Ord for GroupKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut values = self.0.iter().zip(&other.0);
        let unequal =
            values.find_map(|(a, b)| Some(order_values(a.raw(), b.raw())).filter(|order| order.is_ne()));
        unequal.unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for GroupKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for GroupKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for GroupKey {}

/// What one document, or one element of it, adds: the values of the keys, and one value for each fold.
#[derive(Debug)]
pub(crate) struct Share {
    keys: Vec<Owned>,
    values: Vec<Option<Owned>>,
}

/// The groups so far.
#[derive(Debug)]
pub(crate) struct Groups<'g> {
    grouping: &'g Grouping,
    groups: BTreeMap<GroupKey, Vec<State>>,
}

impl<'g> Groups<'g> {
    pub(crate) fn new(grouping: &'g Grouping) -> Self {
        Self {
            grouping,
            groups: BTreeMap::new(),
        }
    }

    /// What a document adds.
    pub(crate) fn shares(&self, document: &[u8]) -> Vec<Share> {
        let mut shares = Vec::with_capacity(1);
        self.unwind(document, &self.grouping.unwind, &mut Vec::new(), &mut shares);
        shares
    }

    fn unwind<'d>(
        &self,
        document: &'d [u8],
        arrays: &'g [String],
        elements: &mut Vec<(&'g str, RawValue<'d>)>,
        shares: &mut Vec<Share>,
    ) {
        let Some((path, rest)) = arrays.split_first() else {
            let find = |path: &str| find(document, elements, path);
            shares.push(Share {
                keys: self
                    .grouping
                    .keys
                    .iter()
                    .map(|key| self::key(key, find(&key.path)))
                    .collect(),
                values: self
                    .grouping
                    .folds
                    .iter()
                    .map(|(_, field)| find(&field.path).map(Owned::new))
                    .collect(),
            });
            return;
        };
        let mut each = |element, elements: &mut Vec<(&'g str, RawValue<'d>)>| {
            elements.push((path, element));
            self.unwind(document, rest, elements, shares);
            elements.pop();
        };
        match find(document, elements, path) {
            Some(array) if array.tag == tag::ARRAY => {
                let Ok(mut items) = Elements::new(array.bytes) else {
                    return;
                };
                while let Ok(Some(item)) = items.next_value() {
                    each(item, elements);
                }
            }
            Some(value) if !value.is_null() => each(value, elements),
            _ => {}
        }
    }

    pub(crate) fn add(&mut self, share: Share) {
        let folds = &self.grouping.folds;
        let states = self
            .groups
            .entry(GroupKey(share.keys))
            .or_insert_with(|| folds.iter().map(|(fold, _)| State::new(*fold)).collect());
        for (state, value) in states.iter_mut().zip(share.values) {
            state.add(value);
        }
    }

    /// The rows as documents: those that are asked for, in the order asked for.
    pub(crate) fn rows(self) -> Result<Vec<Vec<u8>>> {
        let grouping = self.grouping;
        let mut rows = Vec::with_capacity(self.groups.len());
        for (GroupKey(keys), states) in self.groups {
            let mut out = Writer::with_capacity(128);
            for (field, value) in grouping.keys.iter().zip(&keys) {
                out.raw(&field.name, value.tag, &value.bytes);
            }
            for ((_, field), state) in grouping.folds.iter().zip(states) {
                state.write(&mut out, &field.name);
            }
            let row = out.finish()?;
            if RawDocument::from_bytes(&row).is_ok_and(|row| super::matches(&grouping.rows, row)) {
                rows.push(row);
            }
        }
        if !grouping.sort.is_empty() {
            let key =
                |row| sort_key(row, &grouping.sort).map_err(|_| Error::internal("rows sorted by two arrays"));
            let keys = rows.iter().map(|row| key(row)).collect::<Result<Vec<_>>>()?;
            let mut order: Vec<usize> = (0..rows.len()).collect();
            let by_key = |a: &usize, b: &usize| match (keys.get(*a), keys.get(*b)) {
                (Some(a), Some(b)) => order_by(&grouping.sort, a, b),
                _ => Ordering::Equal,
            };
            order.sort_by(by_key);
            rows = order.iter().filter_map(|at| rows.get(*at).cloned()).collect();
        }
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let limit = count(grouping.limit.unwrap_or(u64::MAX));
        Ok(rows.into_iter().skip(count(grouping.skip)).take(limit).collect())
    }
}

/// The value that a document is grouped by: its own, or the beginning of the window that it lies in.
fn key(key: &RowField, found: Option<RawValue<'_>>) -> Owned {
    match (found, key.window) {
        (None, _) => Owned::NULL,
        (Some(value), None) => Owned::new(value),
        (Some(value), Some(window)) => {
            let start = value.date().ok().and_then(|millis| window.start(millis));
            start.map_or(Owned::NULL, |start| Owned {
                tag: tag::DATE,
                bytes: start.to_le_bytes().to_vec(),
            })
        }
    }
}

/// What a path finds, where arrays stand for the one element that is looked at.
fn find<'d>(document: &'d [u8], elements: &[(&str, RawValue<'d>)], path: &str) -> Option<RawValue<'d>> {
    let inside = elements.iter().rev().find_map(|(array, element)| {
        let rest = path.strip_prefix(array)?;
        match rest.strip_prefix('.') {
            Some(rest) => Some((*element, rest)),
            None => rest.is_empty().then_some((*element, "")),
        }
    });
    match inside {
        Some((element, "")) => Some(element),
        Some((element, rest)) if element.tag == tag::DOCUMENT => below(element.bytes, rest),
        Some(_) => None,
        None => below(document, path),
    }
}

fn below<'d>(mut document: &'d [u8], path: &str) -> Option<RawValue<'d>> {
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let mut elements = Elements::new(document).ok()?;
        let found = loop {
            let (key, value) = elements.next().ok()??;
            if key == name {
                break value;
            }
        };
        if names.peek().is_none() {
            return Some(found);
        }
        if found.tag != tag::DOCUMENT {
            return None;
        }
        document = found.bytes;
    }
    None
}

/// A fold under way.
#[derive(Debug)]
enum State {
    Count(i64),
    Sum(Sum),
    Avg(Sum),
    /// The value that stands in this order to all others.
    Extreme(Ordering, Option<Owned>),
    /// Missing counts as null.
    First(Option<Owned>),
    Last(Owned),
    Push(Vec<Owned>),
    Set(Vec<Owned>),
}

impl State {
    fn new(fold: Fold) -> Self {
        match fold {
            Fold::Count => Self::Count(0),
            Fold::Sum => Self::Sum(Sum::default()),
            Fold::Avg => Self::Avg(Sum::default()),
            Fold::Min => Self::Extreme(Ordering::Less, None),
            Fold::Max => Self::Extreme(Ordering::Greater, None),
            Fold::First => Self::First(None),
            Fold::Last => Self::Last(Owned::NULL),
            Fold::Push => Self::Push(Vec::new()),
            Fold::AddToSet => Self::Set(Vec::new()),
        }
    }

    fn add(&mut self, value: Option<Owned>) {
        let there = |value: Option<Owned>| value.filter(|value| !value.raw().is_null());
        match self {
            Self::Count(count) => *count += 1,
            Self::Sum(sum) | Self::Avg(sum) => {
                if let Some(value) = value {
                    sum.add(value.raw());
                }
            }
            Self::Extreme(wanted, extreme) => {
                if let Some(value) = there(value) {
                    let better = |known: &Owned| order_values(value.raw(), known.raw()) == *wanted;
                    if extreme.as_ref().is_none_or(better) {
                        *extreme = Some(value);
                    }
                }
            }
            Self::First(first) => {
                first.get_or_insert(value.unwrap_or(Owned::NULL));
            }
            Self::Last(last) => *last = value.unwrap_or(Owned::NULL),
            Self::Push(values) => values.extend(there(value)),
            Self::Set(values) => {
                if let Some(value) = there(value) {
                    let place = values.binary_search_by(|known| order_values(known.raw(), value.raw()));
                    if let Err(place) = place {
                        values.insert(place, value);
                    }
                }
            }
        }
    }

    fn write(self, out: &mut Writer<'_>, name: &str) {
        let one = |value: Option<Owned>, out: &mut Writer<'_>| {
            let value = value.unwrap_or(Owned::NULL);
            out.raw(name, value.tag, &value.bytes);
        };
        match self {
            Self::Count(count) => out.i64(name, count),
            Self::Sum(sum) => sum.write(out, name),
            Self::Avg(sum) if sum.count == 0 => out.null(name),
            Self::Avg(sum) => out.f64(name, sum.mean()),
            Self::Extreme(_, value) | Self::First(value) => one(value, out),
            Self::Last(value) => one(Some(value), out),
            Self::Push(values) | Self::Set(values) => {
                out.array(name, &values, |out, key, value| {
                    out.raw(key, value.tag, &value.bytes);
                });
            }
        }
    }
}

/// A sum of whole numbers, exact, and one of doubles, with what rounding lost.
#[derive(Debug, Default)]
struct Sum {
    count: u64,
    whole: i128,
    has_double: bool,
    double: f64,
    lost: f64,
}

impl Sum {
    /// What is no number does not count.
    fn add(&mut self, value: RawValue<'_>) {
        match value.tag {
            tag::INT32 | tag::INT64 => {
                let Ok(number) = value.i64() else { return };
                self.whole += i128::from(number);
            }
            tag::DOUBLE => {
                let Ok(number) = value.f64() else { return };
                self.has_double = true;
                self.add_double(number);
            }
            _ => return,
        }
        self.count += 1;
    }

    fn add_double(&mut self, number: f64) {
        let sum = self.double + number;
        let part = sum - self.double;
        let lost = (self.double - (sum - part)) + (number - part);
        self.double = sum;
        // Beyond the finite numbers nothing is lost.
        if lost.is_finite() {
            self.lost += lost;
        }
    }

    #[allow(clippy::cast_precision_loss)] // a double is what is asked for
    fn as_double(&self) -> f64 {
        if self.double.is_finite() {
            self.double + (self.lost + self.whole as f64)
        } else {
            self.double
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn mean(&self) -> f64 {
        self.as_double() / self.count as f64
    }

    fn write(&self, out: &mut Writer<'_>, name: &str) {
        match i64::try_from(self.whole) {
            Ok(whole) if !self.has_double => out.i64(name, whole),
            _ => out.f64(name, self.as_double()),
        }
    }
}
