//! Filters and orders from outside: they do not name what the actor is not shown, or they would tell it.

use crate::engine::unit::Unit;
use crate::error::{Error, Result};
use crate::query::{Node, SortKey, Words};

/// The most bytes of the text of a search: each of its words is looked up.
const MAX_WORDS: usize = 4_096;

/// Refuses a filter from outside that names a field which is hidden from the caller: as if there were none.
pub(in crate::engine) fn check(unit: &(impl Unit + ?Sized), filter: &Node) -> Result<()> {
    if let Some(words) = filter.words() {
        check_words(unit, words)?;
    }
    if !has_outside(filter) {
        return Ok(());
    }
    let hidden = unit.hidden();
    match named(filter, &|path| is_hidden(unit, path, &hidden), false) {
        Some(path) => Err(refusal(unit, path, "there is no such field to filter by")),
        None => Ok(()),
    }
}

/// The same of an order.
pub(in crate::engine) fn check_sort(unit: &(impl Unit + ?Sized), sort: &[SortKey]) -> Result<()> {
    if !sort.iter().any(|key| key.outside) {
        return Ok(());
    }
    let hidden = unit.hidden();
    let mut asked = sort.iter().filter(|key| key.outside);
    match asked.find(|key| is_hidden(unit, &key.path, &hidden)) {
        Some(key) => Err(refusal(unit, &key.path, "there is no such field to sort by")),
        None => Ok(()),
    }
}

/// The words of a search come from outside, and are looked for in all fields of the index.
fn check_words(unit: &(impl Unit + ?Sized), words: &Words) -> Result<()> {
    let refuse = |message: &'static str| Err(Error::violation("search", "search", message));
    if words.text.len() > MAX_WORDS {
        return refuse("the text of a search has 4 KiB at the most");
    }
    let hidden = unit.hidden();
    if words
        .fields
        .iter()
        .any(|(path, _)| is_hidden(unit, path, &hidden))
    {
        return refuse("the text index holds a field that this actor is not shown");
    }
    Ok(())
}

fn refusal(unit: &(impl Unit + ?Sized), path: &str, message: &'static str) -> Error {
    let field = unit.schema().top(path);
    let key = field.map_or_else(String::new, |field| format!("/{}", field.json));
    Error::violation(key, "unknown", message)
}

fn has_outside(filter: &Node) -> bool {
    match filter {
        Node::Outside(_) => true,
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().any(has_outside),
        Node::Not(inner) => has_outside(inner),
        Node::Everything | Node::Nothing | Node::Field { .. } | Node::Words(_) => false,
    }
}

/// The first hidden field that is named from outside.
fn named<'n>(filter: &'n Node, is_hidden: &dyn Fn(&str) -> bool, outside: bool) -> Option<&'n str> {
    match filter {
        Node::Outside(inner) => named(inner, is_hidden, true),
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().find_map(|node| named(node, is_hidden, outside)),
        Node::Not(inner) => named(inner, is_hidden, outside),
        Node::Field { path, .. } => Some(&**path).filter(|path| outside && is_hidden(path)),
        Node::Everything | Node::Nothing | Node::Words(_) => None,
    }
}

/// A part of a field is as hidden as the field.
fn is_hidden(unit: &(impl Unit + ?Sized), path: &str, hidden: &[String]) -> bool {
    let field = unit.schema().top(path);
    field.is_some_and(|field| hidden.iter().any(|name| name == field.stored))
}
