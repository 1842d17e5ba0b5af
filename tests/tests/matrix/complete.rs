//! The tables are complete: every public verb of the source stands in one of them, or here with a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::reads::Read;
use super::writes::Write;

/// Verbs that neither read nor write, or that have tests of their own for a reason.
const OTHER: &[(&str, &str)] = &[
    ("filter", "makes a filter"),
    ("filter_from_json", "makes a filter: `conformance/outside.rs`"),
    ("filter_from_value", "makes a filter: `conformance/outside.rs`"),
    ("sort_from_text", "makes an order: `conformance/outside.rs`"),
    (
        "parse_query",
        "makes a filter and an order: `conformance/outside.rs`",
    ),
    ("new_from_json", "makes an input: `conformance/input.rs`"),
    ("patch_from_json", "makes an input: `conformance/input.rs`"),
    ("into_view", "makes a view; `redaction` looks at it"),
    ("bulk", "begins a bulk; its operations stand in the table"),
    (
        "restore",
        "of a document that all others pass over: `conformance/lives.rs`",
    ),
    ("singleton", "of its own kind of model: `conformance/lives.rs`"),
    (
        "reencrypt",
        "of what is stored, under a bypass: `conformance/reencrypt.rs`",
    ),
    (
        "migrate_all",
        "of what older versions stored, under a bypass: `conformance/migrate.rs`",
    ),
    ("migrate_every_tenant", "the same of every tenant"),
    (
        "check_stored",
        "of what is stored, under a bypass: `conformance/check.rs`",
    ),
    ("tenants", "under a bypass: `conformance/check.rs`"),
    (
        "ancestors",
        "of a document that is below another: `conformance/references/tree.rs`",
    ),
    (
        "delete_in_batches",
        "what a deletion takes along: `conformance/delete_rules/`",
    ),
    (
        "find_unique",
        "before the tenant is known: `conformance/global.rs`, `wire.rs`",
    ),
    ("field_set", "names fields: `conformance/fields.rs`"),
    ("Query::read_preference", "says how: `wire.rs`"),
    ("Query::read_concern", "says how: `wire.rs`"),
    ("Query::hint", "says how: `wire.rs`"),
    ("Query::max_time", "says how: `wire.rs`"),
    ("Query::batch_size", "says how: `wire.rs`"),
    ("Query::collation", "says how: `conformance/selected.rs`"),
    ("Query::comment", "says how: `wire.rs`"),
    ("Query::filter", "narrows"),
    ("Query::matching", "narrows"),
    ("Query::sort", "orders"),
    ("Query::limit", "limits"),
    ("Query::skip", "limits"),
    ("Query::or_older", "widens: `conformance/older.rs`"),
    ("Query::with_deleted", "sees soft deletes: `conformance/lives.rs`"),
    ("Query::only_deleted", "sees soft deletes: `conformance/lives.rs`"),
];

fn source(path: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../model-core/src/model")
            .join(path),
    )
    .unwrap()
}

/// The names of the functions of one block that begins with `head`.
fn functions(text: &str, head: &str, public: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for block in text.split(head).skip(1) {
        let body = block.split("\n}\n").next().unwrap();
        for line in body.lines() {
            let Some(rest) = line.strip_prefix(&format!("    {public}")) else {
                continue;
            };
            let Some(rest) = rest
                .strip_prefix("fn ")
                .or_else(|| rest.strip_prefix("async fn "))
            else {
                continue;
            };
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            names.insert(name);
        }
    }
    names
}

#[test]
fn every_verb_is_in_the_matrix() {
    let mut verbs = functions(&source("mod.rs"), "pub trait ModelExt: BaseModel {", "");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model-core/src/model");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut query = text.clone();
        for other in [
            "impl<M: BaseModel + Mutable> Query<'_, M> {",
            "impl<M: BaseModel> Query<'_, M> {",
        ] {
            query = query.replace(other, "impl<'a, M: BaseModel> Query<'a, M> {");
        }
        for name in functions(&query, "impl<'a, M: BaseModel> Query<'a, M> {", "pub ") {
            verbs.insert(format!("Query::{name}"));
        }
        for name in functions(&text, "impl<'a, P: Projection> Select<'a, P> {", "pub ") {
            verbs.insert(format!("Select::{name}"));
        }
        for name in functions(&text, "impl<'a, M: BaseModel> Bulk<'a, M> {", "pub ") {
            verbs.insert(format!("Bulk::{name}"));
        }
    }
    assert!(verbs.len() > 30, "the verbs were not found: {verbs:?}");
    let mut known: BTreeSet<String> = OTHER.iter().map(|(verb, _)| (*verb).to_owned()).collect();
    known.extend(Write::ALL.iter().map(|write| write.verb().to_owned()));
    known.extend(Read::ALL.iter().map(|read| read.verb().to_owned()));
    let missing: Vec<_> = verbs.difference(&known).collect();
    assert!(missing.is_empty(), "verbs that are in no table: {missing:?}");
    let gone: Vec<_> = known.difference(&verbs).collect();
    assert!(
        gone.is_empty(),
        "the tables know verbs that do not exist: {gone:?}"
    );
}
