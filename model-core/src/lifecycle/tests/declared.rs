//! Descriptions and their comparison.

use bson::{Bson, Document, doc};

use super::super::declared::describe;
use super::super::{compare, name};
use super::schema;
use crate::schema::{IndexKey, IndexSpec};

#[test]
fn a_declared_index_becomes_the_servers_description() {
    assert_eq!(
        only!(index!("project", "slug")),
        doc! { "key": { "organization": 1, "project": 1, "slug": 1 }, "name": "organization_1_project_1_slug_1" }
    );
    assert_eq!(
        only!(IndexSpec::new(&[IndexKey::descending("slug")]).global()),
        doc! { "key": { "slug": -1 }, "name": "slug_-1" }
    );
    let named = only!(
        IndexSpec::new(&[IndexKey::ascending("organization"), IndexKey::descending("slug")]).name("mine"),
    );
    assert_eq!(
        named,
        doc! { "key": { "organization": 1, "slug": -1 }, "name": "mine" }
    );
}

#[test]
fn a_ttl_index_has_one_key() {
    assert_eq!(
        only!(index!("expires").expire_after_seconds(60)),
        doc! { "key": { "expires": 1 }, "name": "expires_1_ttl", "expireAfterSeconds": 60 }
    );
}

#[test]
fn a_unique_index_leaves_out_documents_without_an_optional_key() {
    assert_eq!(
        only!(index!("email", "slug").unique()),
        doc! {
            "key": { "organization": 1, "email": 1, "slug": 1 },
            "name": "organization_1_email_1_slug_1_unique_partial",
            "unique": true,
            "partialFilterExpression": { "email": { "$exists": true } },
        }
    );
    let partial = only!(index!("labels.a").unique().exists(&["slug"]));
    assert_eq!(
        partial.get_document("partialFilterExpression").unwrap(),
        &doc! { "labels.a": { "$exists": true }, "slug": { "$exists": true } }
    );
    assert!(!only!(index!("slug").unique()).contains_key("partialFilterExpression"));
    assert!(!only!(index!("email")).contains_key("partialFilterExpression"));
}

#[test]
fn names_are_short_and_distinct() {
    let long = name::of(&[], &["x".repeat(200)]);
    assert_eq!(long.len(), 127);
    assert_ne!(long, name::of(&[], &["x".repeat(201)]));
    assert_eq!(name::free("a", &["b"]), "a");
    assert_eq!(name::free("a", &["a", "a_2"]), "a_3");
    assert!(name::fit("ä".repeat(100)).len() <= 127);
}

#[test]
fn descriptions_are_compared_by_meaning() {
    let same = |a: Document, b: Document| compare::differences(&a, &b).is_empty();
    assert!(same(
        doc! { "key": { "a": 1 }, "name": "x" },
        doc! { "v": 2, "key": { "a": 1.0 }, "name": "y", "ns": "d.c" }
    ));
    assert!(same(
        doc! { "key": { "a": 1_i64 } },
        doc! { "key": { "a": 1 }, "unique": false, "background": true }
    ));
    assert!(!same(
        doc! { "key": { "a": 1, "b": 1 } },
        doc! { "key": { "b": 1, "a": 1 } }
    ));
    assert!(!same(doc! { "key": { "a": 1 } }, doc! { "key": { "a": -1 } }));
    assert!(!same(
        doc! { "key": { "a": 1 } },
        doc! { "key": { "a": 1 }, "novelty": true }
    ));
    assert!(!same(
        doc! { "key": { "a": 1 }, "novelty": true },
        doc! { "key": { "a": 1 } }
    ));
    let partial = |expression: Document| doc! { "key": { "a": 1 }, "partialFilterExpression": expression };
    assert!(same(
        partial(doc! { "a": 1, "b": 2 }),
        partial(doc! { "b": 2, "a": 1 })
    ));
    assert!(!same(partial(doc! { "a": 1 }), partial(doc! { "a": 1, "b": 2 })));
    for option in [
        "unique",
        "sparse",
        "hidden",
        "expireAfterSeconds",
        "collation",
        "weights",
        "bits",
        "storageEngine",
    ] {
        let mut index = doc! { "key": { "a": 1 } };
        index.insert(
            option,
            if option == "collation" {
                Bson::from(doc! { "locale": "de" })
            } else {
                Bson::from(1)
            },
        );
        assert_eq!(
            compare::differences(&doc! { "key": { "a": 1 } }, &index),
            [option]
        );
    }
}

#[test]
fn what_the_server_fills_in_is_no_difference() {
    let same = |a: Document, b: Document| compare::differences(&a, &b).is_empty();
    let filled_in = doc! {
        "v": 2, "key": { "o": 1, "_fts": "text", "_ftsx": 1 }, "name": "t", "weights": { "b": 5, "a": 1 },
        "default_language": "english", "language_override": "language", "textIndexVersion": 3,
    };
    assert!(same(
        doc! { "key": { "o": 1, "a": "text", "b": "text" }, "weights": { "b": 5.0 } },
        filled_in.clone()
    ));
    assert!(!same(
        doc! { "key": { "o": 1, "a": "text", "b": "text" } },
        filled_in.clone()
    ));
    assert!(!same(
        doc! { "key": { "o": 1, "a": "text" }, "weights": { "b": 5 }, "default_language": "german" },
        filled_in
    ));
    let collated = |collation: Document| doc! { "key": { "a": 1 }, "collation": collation };
    let filled_in = doc! {
        "locale": "en", "caseLevel": false, "caseFirst": "off", "strength": 2, "numericOrdering": false,
        "alternate": "non-ignorable", "maxVariable": "punct", "normalization": false, "backwards": false,
        "version": "57.1",
    };
    assert!(same(
        collated(doc! { "locale": "en", "strength": 2_i64 }),
        collated(filled_in.clone())
    ));
    assert!(!same(collated(doc! { "locale": "en" }), collated(filled_in)));
    assert!(same(
        collated(doc! { "locale": "simple" }),
        doc! { "key": { "a": 1 } }
    ));
}
