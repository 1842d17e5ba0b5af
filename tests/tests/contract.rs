//! What the documents that belong together promise, clause by clause, and the test that shows each: references, rules of deletion,
//! series, watches, search, vectors and variants. A test that goes away, or changes its name, is missed here.

use std::fs;
use std::path::Path;

const CAPPED: &str = "conformance/series/capped.rs";
const DELETE: &str = "conformance/delete_rules/rules.rs";
const DELETE_NESTED: &str = "conformance/delete_rules/nested.rs";
const DELETE_BATCHES: &str = "conformance/delete_rules/batches.rs";
const FLAT: &str = "conformance/flat/stored.rs";
const FLAT_TYPED: &str = "conformance/flat/typed.rs";
const POPULATE: &str = "conformance/references/populate.rs";
const RELATED: &str = "conformance/references/related.rs";
const SEARCH: &str = "conformance/search.rs";
const SERIES: &str = "conformance/series/mod.rs";
const SIGHT: &str = "conformance/watch/sight.rs";
const TREE: &str = "conformance/references/tree.rs";
const VARIANTS: &str = "conformance/variants.rs";
const VECTORS: &str = "conformance/vectors.rs";
const WATCH: &str = "conformance/watch/mod.rs";
const WINDOWS: &str = "conformance/series/windows.rs";
const WIRE: &str = "wire/references.rs";

/// Each clause, and where it is shown: the function in a file.
const CLAUSES: &[(&str, &str, &str)] = &[
    // References.
    (
        "batch populate, one query per relation and level",
        WIRE,
        "a_relation_is_one_command",
    ),
    ("the next level", POPULATE, "levels_globals_and_enums"),
    (
        "order kept, duplicates fetched once",
        POPULATE,
        "references_are_loaded_together",
    ),
    (
        "permission and tenant applied",
        POPULATE,
        "what_may_not_be_read_dangles",
    ),
    (
        "dangling references are visible as such",
        POPULATE,
        "what_may_not_be_read_dangles",
    ),
    (
        "dangling references are counted in what is stored",
        DELETE_NESTED,
        "a_check_counts_what_dangles",
    ),
    (
        "one-to-many by foreign field, sort, count",
        RELATED,
        "one_to_many",
    ),
    (
        "an exact limit for each parent",
        RELATED,
        "a_limit_counts_what_may_be_read",
    ),
    (
        "an exact limit for each parent, of the server",
        WIRE,
        "a_limit_for_each_is_the_servers",
    ),
    ("many-to-many by an array of references", RELATED, "many_to_many"),
    (
        "trees: children, ancestors, subtree",
        TREE,
        "a_conversation_is_a_tree",
    ),
    (
        "trees stay inside of the tenant and the scope",
        TREE,
        "a_branch_ends_at_what_may_not_be_read",
    ),
    ("circles end", TREE, "circles_end"),
    ("a tree is one walk", WIRE, "a_tree_is_one_walk"),
    ("polymorphic references", POPULATE, "levels_globals_and_enums"),
    (
        "polymorphic references share a path",
        DELETE_NESTED,
        "a_variant_is_told_from_another",
    ),
    // Rules of deletion.
    (
        "cascade, nullify, pull; a dry run counts",
        DELETE,
        "a_deletion_takes_along_what_refers_to_it",
    ),
    ("restrict", DELETE, "a_restriction_refuses"),
    (
        "restrict, nullify and pull at every depth",
        DELETE_NESTED,
        "a_document_loses_what_refers_to_the_deleted",
    ),
    (
        "over the whole graph of models, circles too",
        DELETE,
        "circles_are_deleted_once",
    ),
    (
        "whichever verb deletes, inside of a transaction too",
        DELETE,
        "every_deletion_keeps_the_rules",
    ),
    (
        "one transaction: all of it or nothing",
        DELETE,
        "each_document_is_judged",
    ),
    (
        "one transaction, on the wire",
        WIRE,
        "a_rule_is_a_find_for_each_field",
    ),
    (
        "what is too large for one goes on",
        DELETE_BATCHES,
        "a_large_deletion_goes_on_after_a_failure",
    ),
    (
        "at any size, killed and killed again",
        "cascade_soak.rs",
        "a_deletion_survives_kills",
    ),
    // Series and watches.
    (
        "time series: what is created is read, inside of the tenant",
        SERIES,
        "measurements_are_created_and_read",
    ),
    (
        "time series: granularity, meta, expiry",
        SERIES,
        "a_sync_makes_the_collection_as_declared",
    ),
    ("time series: windows of time", WINDOWS, "every_unit_and_offset"),
    (
        "time series: by tenant and pack",
        "wire/series.rs",
        "measurements_are_asked_for_by_tenant_and_pack",
    ),
    ("capped collections", CAPPED, "the_oldest_documents_make_room"),
    (
        "change streams decoded, before and after",
        WATCH,
        "an_event_has_what_was_and_what_is",
    ),
    ("change streams migrated", SIGHT, "older_documents_are_migrated"),
    (
        "change streams filtered by tenant",
        SIGHT,
        "nothing_of_another_tenant_comes",
    ),
    (
        "change streams filtered by tenant, on the wire",
        "wire/every/run.rs",
        "every_watch_carries_the_tenant",
    ),
    (
        "change streams filtered by permission",
        SIGHT,
        "the_policy_judges_both_sides",
    ),
    (
        "change streams filtered by what is asked",
        SIGHT,
        "a_filter_is_a_window",
    ),
    (
        "change streams by kind of event",
        "conformance/watch/kinds.rs",
        "of_a_scope_that_is_none",
    ),
    (
        "change streams by kind of event, of the server",
        "conformance/watch/kinds.rs",
        "of_an_exact_scope",
    ),
    ("change streams resumable", WATCH, "a_token_goes_on"),
    (
        "change streams lose nothing when the consumer is killed",
        "conformance/watch/load.rs",
        "a_consumer_that_is_killed_loses_nothing",
    ),
    (
        "nor when its process is",
        "watch_soak.rs",
        "a_killed_process_goes_on_where_it_was",
    ),
    // Search.
    ("text search by relevance", SEARCH, "by_relevance"),
    (
        "text search inside of the tenant",
        SEARCH,
        "inside_of_what_may_be_read",
    ),
    (
        "text search by the tenant's part of the index",
        "wire/search.rs",
        "one_command_by_the_tenants_part_of_the_index",
    ),
    ("what is searched for is escaped", SEARCH, "what_a_text_may_say"),
    (
        "exact nearest neighbours, inside of the tenant",
        VECTORS,
        "nearest",
    ),
    (
        "all of the nearest, as brute force finds them",
        "recall.rs",
        "finds_all",
    ),
    (
        "`$vectorSearch` is asked for by the tenant",
        "wire/search.rs",
        "the_nearest_are_two_commands",
    ),
    // Variants.
    (
        "each document is read as its variant",
        VARIANTS,
        "each_is_read_as_its_variant",
    ),
    ("queries by variant", VARIANTS, "queries_by_variant"),
    (
        "filters on what one variant has",
        VARIANTS,
        "filters_on_a_variants_fields",
    ),
    ("an index of one variant", VARIANTS, "an_index_of_one_variant"),
    (
        "writes to what one variant has",
        VARIANTS,
        "operators_on_a_variants_fields",
    ),
    (
        "a patch of parts of the stored variant",
        VARIANTS,
        "a_patch_merges",
    ),
    (
        "a patch of parts, from JSON",
        VARIANTS,
        "a_patch_from_json_merges",
    ),
    (
        "discriminators of another library, as they are",
        FLAT,
        "discriminators_are_read_and_written",
    ),
    (
        "another variant in the place of one, flat",
        FLAT,
        "a_variant_takes_the_place_of_another",
    ),
    (
        "an index of one variant, flat",
        FLAT,
        "an_index_is_of_one_variant",
    ),
    (
        "queries by variant, flat",
        FLAT_TYPED,
        "filters_ask_for_the_variant",
    ),
    (
        "writes to what one variant has, flat",
        FLAT_TYPED,
        "operators_know_the_variant",
    ),
    (
        "discriminators that are moved below a field",
        "conformance/discriminators.rs",
        "mongooses_discriminators_are_variants",
    ),
];

#[test]
fn every_clause_is_shown() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let missing: Vec<_> = CLAUSES
        .iter()
        .filter(|(_, file, test)| {
            let text = fs::read_to_string(tests.join(file)).unwrap_or_default();
            !text.contains(&format!("fn {test}("))
        })
        .collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
