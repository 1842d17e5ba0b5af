//! Filters as the documents that the server takes.

use bson::Bson;

use super::case;
use super::filter::{Node, Test};
use super::words::Words;
use crate::codec::{Writer, write_bson};

/// Writes the elements of the filter document for `node`.
pub(crate) fn render(node: &Node, out: &mut Writer<'_>) {
    match node {
        Node::Everything => {}
        // An empty `$in` matches nothing and needs no index.
        Node::Nothing => out.document("_id", |out| out.array::<()>("$in", &[], |_, _, ()| {})),
        Node::And(nodes) => out.array("$and", nodes, render_item),
        Node::Or(nodes) => out.array("$or", nodes, render_item),
        Node::Outside(inner) => render(inner, out),
        Node::Not(inner) => out.array("$nor", std::slice::from_ref(&**inner), render_item),
        Node::Field { path, test } => render_field(path, test, out),
        Node::Words(words) => out.document("$text", |out| render_words(words, out)),
    }
}

fn render_words(words: &Words, out: &mut Writer<'_>) {
    out.string("$search", &words.text);
    if let Some(language) = &words.language {
        out.string("$language", language);
    }
    out.bool("$caseSensitive", words.case_sensitive);
    out.bool("$diacriticSensitive", words.diacritic_sensitive);
}

pub(crate) fn render_item(out: &mut Writer<'_>, key: &str, node: &Node) {
    out.document(key, |out| render(node, out));
}

/// Renders one field's test. A dynamic value is always a literal: inside `$in` and `$all` the server would take a regular
/// expression for a pattern and a document for operators, so such values are compared one by one by `$eq`.
fn render_field(path: &str, test: &Test, out: &mut Writer<'_>) {
    match test {
        Test::All(values) if values.is_empty() => render(&Node::Nothing, out),
        Test::All(values) => render_each("$and", path, values, out),
        Test::In(values) if !values.iter().all(is_scalar) => render_each("$or", path, values, out),
        Test::NotIn(values) if !values.iter().all(is_scalar) => render_each("$nor", path, values, out),
        Test::Ne(value) if !is_scalar(value) => render_each("$nor", path, std::slice::from_ref(value), out),
        // A secret that found no tokens reaches no store.
        Test::Blind(_) => render(&Node::Nothing, out),
        test => out.document(path, |out| render_test(test, out)),
    }
}

fn render_each(operator: &str, path: &str, values: &[Bson], out: &mut Writer<'_>) {
    out.array(operator, values, |out, key, value| {
        out.document(key, |out| out.document(path, |out| write_bson(out, "$eq", value)));
    });
}

fn is_scalar(value: &Bson) -> bool {
    !matches!(
        value,
        Bson::Document(_) | Bson::Array(_) | Bson::RegularExpression(_)
    )
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
        Test::StartsWith(prefix) => out.string("$regex", &format!("^{}", regex_lite::escape(prefix))),
        // `$` would match before a line feed at the end, too.
        Test::EndsWith(suffix) => out.string("$regex", &format!("{}\\z", regex_lite::escape(suffix))),
        Test::Contains(part) => out.string("$regex", &regex_lite::escape(part)),
        Test::IgnoreCase(part, wanted) => out.string("$regex", &case::pattern(*part, wanted)),
        Test::Remainder(divisor, remainder) => {
            out.array("$mod", &[*divisor, *remainder], |out, key, number| {
                out.i64(key, *number);
            });
        }
        Test::Size(count) => out.i64("$size", i64::from(*count)),
        // Rendered above.
        Test::All(_) | Test::Blind(_) => {}
        Test::ElemMatch(inner) => out.document("$elemMatch", |out| render(inner, out)),
        Test::Element(inner) => out.document("$elemMatch", |out| render_element(inner, out)),
    }
}

/// Renders conditions of one value: operators side by side, for there is no `$and` and no `$or` among them.
fn render_element(node: &Node, out: &mut Writer<'_>) {
    let nodes = match node {
        Node::And(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    // The server reads one expression of a document.
    let mut has_pattern = false;
    for node in nodes {
        let is_pattern = node.is_pattern();
        if is_pattern && has_pattern {
            render_not(out, |out| render_not(out, |out| render_value(node, out)));
        } else {
            render_value(node, out);
        }
        has_pattern |= is_pattern;
    }
}

fn render_not(out: &mut Writer<'_>, inner: impl FnOnce(&mut Writer<'_>)) {
    out.document("$not", inner);
}

fn render_value(node: &Node, out: &mut Writer<'_>) {
    match node {
        Node::Everything => out.bool("$exists", true),
        // Words are asked for by no element.
        Node::Nothing | Node::Words(_) => out.bool("$exists", false),
        Node::And(_) => render_element(node, out),
        Node::Or(nodes) => render_not(out, |out| {
            for node in nodes {
                render_not(out, |out| render_element(node, out));
            }
        }),
        Node::Outside(inner) => render_element(inner, out),
        Node::Not(inner) => render_not(out, |out| render_element(inner, out)),
        Node::Field { test, .. } => match test {
            Test::In(values) if !values.iter().all(is_scalar) => render_none_of(values, true, out),
            Test::NotIn(values) if !values.iter().all(is_scalar) => render_none_of(values, false, out),
            Test::Ne(value) if !is_scalar(value) => {
                render_none_of(std::slice::from_ref(value), false, out);
            }
            // Of a single value nothing else is asked.
            test => render_test(test, out),
        },
    }
}

/// None of the values, or not none of them.
fn render_none_of(values: &[Bson], negated: bool, out: &mut Writer<'_>) {
    let none = |out: &mut Writer<'_>| {
        for value in values {
            render_not(out, |out| write_bson(out, "$eq", value));
        }
    };
    if negated {
        render_not(out, none);
    } else {
        none(out);
    }
}

impl Node {
    /// Whether it is rendered as a regular expression.
    fn is_pattern(&self) -> bool {
        matches!(
            self,
            Self::Field {
                test: Test::StartsWith(_) | Test::EndsWith(_) | Test::Contains(_) | Test::IgnoreCase(..),
                ..
            }
        )
    }
}
