//! The tables are complete: every public verb of the source stands in one of them, or here with a reason.

use super::{by_own_id, by_underscore_id, verbs};

/// Verbs that neither read nor write, or that have tests of their own for a reason. `Page::` is all functions of a type.
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
    ("watch", "of what happens, not of what is: `conformance/watch/`"),
    ("Watch::", "`conformance/watch/`"),
    ("WatchStream::", "`conformance/watch/`"),
    ("Event::", "looks at what came"),
    ("field_set", "names fields: `conformance/fields.rs`"),
    ("singleton", "of its own kind of model: `singleton.rs`"),
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
    ("Search::filter", "narrows"),
    ("Search::limit", "limits"),
    ("Search::skip", "limits"),
    ("Search::language", "says how: `conformance/search.rs`"),
    ("Search::case_sensitive", "says how: `conformance/search.rs`"),
    ("Search::diacritic_sensitive", "says how: `conformance/search.rs`"),
    ("Scored::", "looks at what was read"),
    ("Nearest::", "says how: `conformance/vectors.rs`"),
    ("Query::with_deleted", "sees soft deletes: `conformance/lives.rs`"),
    ("Query::only_deleted", "sees soft deletes: `conformance/lives.rs`"),
    ("QueryString::", "a query as text: `conformance/outside.rs`"),
    ("Rows::filter", "narrows what is grouped"),
    ("Rows::sort", "orders what is grouped"),
    ("Rows::limit", "limits what is grouped"),
    ("Rows::skip", "limits what is grouped"),
    (
        "Rows::dangerously_add_stage",
        "under a bypass: `conformance/group.rs`",
    ),
    ("Facet::", "a part of `Query::facet`, which stands in the table"),
    ("FacetRows::", "narrows what is grouped"),
    ("FacetSelect::", "narrows what is selected"),
    (
        "RelatedQuery::",
        "narrows or counts what is related: `related` in the table",
    ),
    ("Related::", "looks at what was read"),
    ("RelatedCounts::", "looks at what was read"),
    ("Loaded::", "looks at what was read"),
    ("Tree::", "looks at what was read"),
    ("Page::", "looks at what was read"),
    ("Upserted::", "looks at what was written"),
    ("Subtree::depth", "limits"),
    ("Ancestors::depth", "limits"),
    (
        "move_to_tenant",
        "two writes of two tenants: `conformance/transfer.rs`",
    ),
    ("BulkWrite::on_each", "tells: `conformance/bulk.rs`"),
    ("BulkWrite::limit", "limits: `conformance/bulk.rs`"),
    (
        "BulkWrite::allow_all",
        "says that all are meant: `conformance/bulk.rs`",
    ),
    ("Update::keep_updated_at", "says how: `conformance/update.rs`"),
    ("Modify::keep_updated_at", "says how: `conformance/update.rs`"),
    ("Modify::attempts", "says how: `conformance/update.rs`"),
    ("DeleteInBatches::", "`conformance/delete_rules/`"),
    ("CheckStored::", "`conformance/check.rs`"),
    ("MigrateAll::", "`conformance/migrate.rs`"),
    ("Reencrypt::", "`conformance/reencrypt.rs`"),
];

/// Verbs that take the revision which the caller has seen; `writes::revisions` looks at each.
const GUARDED: [&str; 3] = [
    "Update::if_revision",
    "Modify::if_revision",
    "Delete::if_revision",
];

#[test]
fn every_verb_is_in_the_matrix() {
    let writes = by_underscore_id::writes::Write::ALL
        .iter()
        .map(|write| write.verb());
    let reads = by_underscore_id::reads::Read::ALL.iter().map(|read| read.verb());
    let writes = writes.chain(by_own_id::writes::Write::ALL.iter().map(|write| write.verb()));
    let reads = reads.chain(by_own_id::reads::Read::ALL.iter().map(|read| read.verb()));
    let tables = writes.chain(reads);
    let other = OTHER.iter().map(|(verb, _)| *verb).chain(GUARDED);
    verbs::assert_complete(&verbs::of_models(), tables.chain(other));
}
