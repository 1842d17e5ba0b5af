//! Partial filter expressions: which documents an index holds.

use bson::{Bson, Document};

use crate::query::{Node, Test};
use crate::store::{StoreError, StoreResult};

/// The filter that a `partialFilterExpression` stands for.
///
/// # Errors
/// [`StoreError::Unsupported`] if it uses an operator that this store does not know here; the server knows few more.
pub(super) fn parse(expression: &Document) -> StoreResult<Node> {
    let mut node = Node::Everything;
    for (key, value) in expression {
        let part = match (key.as_str(), value) {
            ("$and", Bson::Array(items)) => Node::And(each(items)?),
            ("$or", Bson::Array(items)) => Node::Or(each(items)?),
            (key, _) if key.starts_with('$') => return Err(unsupported()),
            (path, Bson::Document(tests)) if tests.keys().any(|key| key.starts_with('$')) => {
                let mut all = Node::Everything;
                for (operator, operand) in tests {
                    all = all.and(Node::field(path.to_owned(), test(operator, operand)?));
                }
                all
            }
            (path, value) => Node::field(path.to_owned(), Test::Eq(value.clone())),
        };
        node = node.and(part);
    }
    Ok(node)
}

fn each(items: &[Bson]) -> StoreResult<Vec<Node>> {
    items
        .iter()
        .map(|item| item.as_document().ok_or_else(unsupported).and_then(parse))
        .collect()
}

fn test(operator: &str, operand: &Bson) -> StoreResult<Test> {
    let value = operand.clone();
    Ok(match (operator, operand) {
        ("$exists", Bson::Boolean(true)) => Test::Exists(true),
        ("$eq", _) => Test::Eq(value),
        ("$gt", _) => Test::Gt(value),
        ("$gte", _) => Test::Gte(value),
        ("$lt", _) => Test::Lt(value),
        ("$lte", _) => Test::Lte(value),
        ("$in", Bson::Array(items)) => Test::In(items.clone()),
        _ => return Err(unsupported()),
    })
}

fn unsupported() -> StoreError {
    StoreError::Unsupported {
        what: "this partial filter expression in memory",
    }
}
