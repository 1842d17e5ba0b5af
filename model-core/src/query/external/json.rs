//! The grammar of filters as JSON.
//!
//! ```text
//! filter     = { key: ... }                                every key must hold
//! "and","or" = [filter, ...]          "not" = filter
//! path       = scalar                 { comparison: scalar }        "in", "not_in" = [scalar, ...]
//! list       = { "any": filter }      one element satisfies all of the filter, whose paths begin in it
//! ```

use std::ops::Not as _;

use serde_json::{Map, Value};

use super::{Asked, Budget, MAX_DEPTH, MAX_NODES, Place, find};
use crate::error::Error;
use crate::query::filter::{Node, Test};
use crate::schema::{Comparison, FieldSchema, TypeSchema};

pub(super) fn filter(fields: &'static [FieldSchema], value: &Value) -> Result<Node, Error> {
    Reader {
        fields,
        budget: Budget::default(),
    }
    .filter(value, 0, &Place::ROOT)
}

/// What asks about the elements of a list.
const ANY: &str = "any";

/// A list of embedded documents, and what one of them is to satisfy.
struct Elements<'v> {
    path: String,
    fields: &'static [FieldSchema],
    filter: &'v Value,
    /// Whether something else stands beside `any`.
    beside: bool,
}

impl<'v> Elements<'v> {
    fn asked(fields: &'static [FieldSchema], path: &str, value: &'v Value) -> Option<Self> {
        let asks = value.as_object()?;
        let filter = asks.get(ANY)?;
        let (path, field) = find(fields, path)?;
        let TypeSchema::Array(element) = field.ty.required() else {
            return None;
        };
        Some(Self {
            path,
            fields: element.embedded()?.fields,
            filter,
            beside: asks.len() > 1,
        })
    }
}

struct Reader {
    fields: &'static [FieldSchema],
    budget: Budget,
}

impl Reader {
    fn filter(&mut self, value: &Value, depth: usize, place: &Place<'_>) -> Result<Node, Error> {
        if depth > MAX_DEPTH {
            return place.refuse("depth", "the filter nests deeper than 6 levels");
        }
        let Value::Object(keys) = value else {
            return place.refuse("type", "expected an object");
        };
        let mut all = Node::Everything;
        for (key, value) in keys {
            let place = place.at(key);
            let node = match (key.as_str(), value) {
                ("and", Value::Array(filters)) => {
                    self.each(filters, depth, &place, Node::Everything, Node::and)?
                }
                ("or", Value::Array(filters)) => {
                    self.each(filters, depth, &place, Node::Nothing, Node::or)?
                }
                ("and" | "or", _) => return place.refuse("type", "expected an array of filters"),
                ("not", filter) => {
                    self.budget.take(&place)?;
                    self.filter(filter, depth + 1, &place)?.not()
                }
                (path, value) => {
                    if let Some(elements) = Elements::asked(self.fields, path, value) {
                        all = all.and(self.any(elements, depth, &place)?);
                        continue;
                    }
                    let asked = Asked::find(self.fields, path, &place)?;
                    match value {
                        Value::Object(comparisons) => self.comparisons(&asked, comparisons, &place)?,
                        value => {
                            self.budget.take(&place)?;
                            let equal = asked.comparison("eq", &place)?;
                            let test = asked.test(equal, value, &place)?;
                            asked.node(test)
                        }
                    }
                }
            };
            all = all.and(node);
        }
        Ok(all)
    }

    /// One element satisfies all of a filter.
    fn any(&mut self, elements: Elements<'_>, depth: usize, place: &Place<'_>) -> Result<Node, Error> {
        self.budget.take(place)?;
        if elements.beside {
            return place.refuse("comparison", "`any` stands alone");
        }
        let outer = std::mem::replace(&mut self.fields, elements.fields);
        let inner = self.filter(elements.filter, depth + 1, &place.at(ANY));
        self.fields = outer;
        match inner? {
            Node::Everything => place.at(ANY).refuse("empty", "expected a comparison"),
            inner => Ok(Node::field(elements.path, Test::ElemMatch(Box::new(inner)))),
        }
    }

    fn each(
        &mut self,
        filters: &[Value],
        depth: usize,
        place: &Place<'_>,
        none: Node,
        join: fn(Node, Node) -> Node,
    ) -> Result<Node, Error> {
        self.budget.take(place)?;
        if filters.len() > MAX_NODES {
            return place.refuse("nodes", "the filter has more than 64 parts");
        }
        if filters.is_empty() {
            return place.refuse("empty", "expected at least one filter");
        }
        let mut all = none;
        for (index, filter) in filters.iter().enumerate() {
            let index = index.to_string();
            let place = place.at(&index);
            self.budget.take(&place)?;
            all = join(all, self.filter(filter, depth + 1, &place)?);
        }
        Ok(all)
    }

    fn comparisons(
        &mut self,
        asked: &Asked,
        comparisons: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<Node, Error> {
        if comparisons.is_empty() {
            return place.refuse("empty", "expected a comparison");
        }
        let mut all = Node::Everything;
        for (name, value) in comparisons {
            let place = place.at(name);
            self.budget.take(&place)?;
            let comparison = asked.comparison(name, &place)?;
            let test = match (comparison, value) {
                (Comparison::In | Comparison::NotIn, Value::Array(values)) => {
                    asked.test_all(comparison, values.iter(), &place)?
                }
                (Comparison::In | Comparison::NotIn, _) => {
                    return place.refuse("type", "expected an array of values");
                }
                _ => asked.test(comparison, value, &place)?,
            };
            all = all.and(Node::field(asked.path.clone(), test));
        }
        Ok(all)
    }
}
