//! Filters as the documents that the server takes.

use super::filter::{Node, Test};
use crate::codec::{Writer, write_bson};

/// Writes the elements of the filter document for `node`.
pub(crate) fn render(node: &Node, out: &mut Writer<'_>) {
    match node {
        Node::Everything => {}
        // An empty `$in` matches nothing and needs no index.
        Node::Nothing => out.document("_id", |out| out.array::<()>("$in", &[], |_, _, ()| {})),
        Node::And(nodes) => out.array("$and", nodes, render_item),
        Node::Or(nodes) => out.array("$or", nodes, render_item),
        Node::Not(inner) => out.array("$nor", std::slice::from_ref(&**inner), render_item),
        Node::Field { path, test } => out.document(path, |out| render_test(test, out)),
    }
}

pub(crate) fn render_item(out: &mut Writer<'_>, key: &str, node: &Node) {
    out.document(key, |out| render(node, out));
}

fn render_test(test: &Test, out: &mut Writer<'_>) {
    match test {
        Test::Eq(value) => write_bson(out, "$eq", value),
        Test::Ne(value) => write_bson(out, "$ne", value),
        Test::Gt(value) => write_bson(out, "$gt", value),
        Test::Gte(value) => write_bson(out, "$gte", value),
        Test::Lt(value) => write_bson(out, "$lt", value),
        Test::Lte(value) => write_bson(out, "$lte", value),
        Test::In(values) => out.array("$in", values, write_bson),
        Test::NotIn(values) => out.array("$nin", values, write_bson),
        Test::Exists(exists) => out.bool("$exists", *exists),
        Test::StartsWith(prefix) => out.string("$regex", &format!("^{}", regex::escape(prefix))),
        Test::Size(count) => out.i64("$size", i64::from(*count)),
        Test::All(values) => out.array("$all", values, write_bson),
        Test::ElemMatch(inner) => out.document("$elemMatch", |out| render(inner, out)),
    }
}
