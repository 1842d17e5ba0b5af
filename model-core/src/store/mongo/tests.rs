//! What goes over the wire, without a server.

use bson::{Bson, Document, doc};

use super::super::{Find, Guard, Selection, Shape, VectorSearch};
use super::command;
use crate::query::{Node, SortKey, Test};
use crate::schema::Direction;

fn selection(rest: Node) -> Selection {
    Selection {
        tenant: Some(("organization", "org_1".into())),
        id: None,
        revision: Guard::None,
        rest,
    }
}

fn eq(path: &'static str, value: i32) -> Node {
    Node::field(path, Test::Eq(value.into()))
}

#[test]
fn the_tenant_stands_alone_at_the_top_level() {
    let filter = |selection: &Selection| command::filter(selection).unwrap();
    let tenant = doc! { "$eq": "org_1" };
    assert_eq!(
        filter(&selection(Node::Everything)),
        doc! { "organization": &tenant }
    );
    assert_eq!(
        filter(&selection(eq("organization", 1))),
        doc! { "organization": &tenant, "$and": [{ "organization": { "$eq": 1 } }] }
    );
    let both = Node::And(vec![eq("a", 1), Node::Or(vec![eq("b", 2), eq("c", 3)])]);
    assert_eq!(
        filter(&selection(both)),
        doc! {
            "organization": &tenant,
            "$and": [{ "a": { "$eq": 1 } }, { "$or": [{ "b": { "$eq": 2 } }, { "c": { "$eq": 3 } }] }],
        }
    );
    let mut guarded = selection(Node::Everything);
    guarded.id = Some(("_id", "wgt_1".into()));
    guarded.revision = Guard::Is(7);
    assert_eq!(
        filter(&guarded),
        doc! { "_id": "wgt_1", "organization": &tenant, "_rev": 7_i64 }
    );
    guarded.revision = Guard::Unwritten;
    assert_eq!(
        filter(&guarded),
        doc! { "_id": "wgt_1", "organization": tenant, "_rev": { "$exists": false } }
    );
}

#[test]
fn a_null_tenant_and_an_operator_as_an_id_are_refused() {
    for tenant in [Bson::Null, doc! { "$ne": 1 }.into(), vec![1].into()] {
        let selection = Selection {
            tenant: Some(("organization", tenant)),
            ..selection(Node::Everything)
        };
        assert!(command::filter(&selection).is_err());
        assert!(command::find_one("widgets", &selection, None).is_err());
        assert!(command::count(&Find::all("widgets", selection.clone()), None).is_err());
    }
    let selection = Selection {
        id: Some(("_id", doc! { "$gt": "" }.into())),
        ..selection(Node::Everything)
    };
    assert!(command::filter(&selection).is_err());
}

/// There is no server to try it on here.
#[test]
fn a_vector_search_has_the_tenant_in_its_first_stage() {
    let search = VectorSearch {
        index: "embedding_vector".to_owned(),
        path: "embedding".to_owned(),
        vector: vec![1.0, 0.5],
        candidates: 100,
    };
    let find = Find {
        shape: Shape::Vectors(search),
        limit: Some(8),
        scored: true,
        ..Find::all("widgets", selection(Node::field("name", Test::Eq("x".into()))))
    };
    let (command, _) = command::find(&find, None).unwrap().unwrap();
    let tenant = doc! { "$eq": "org_1" };
    assert_eq!(
        Document::try_from(&*command).unwrap(),
        doc! {
            "aggregate": "widgets",
            "pipeline": [
                { "$vectorSearch": {
                    "index": "embedding_vector", "path": "embedding", "queryVector": [1.0, 0.5],
                    "numCandidates": 100_i64, "limit": 100_i64, "filter": { "organization": &tenant },
                } },
                { "$match": { "organization": &tenant, "$and": [{ "name": { "$eq": "x" } }] } },
                { "$limit": 8_i64 },
                { "$set": { "_score": { "$meta": "vectorSearchScore" } } },
            ],
            "cursor": {},
        }
    );
}

#[test]
fn reads_are_commands() {
    let parsed = |raw: bson::RawDocumentBuf| Document::try_from(&*raw).unwrap();
    let filter = doc! { "organization": { "$eq": "org_1" } };
    let one = command::find_one("widgets", &selection(Node::Everything), Some("majority")).unwrap();
    assert_eq!(
        parsed(one),
        doc! {
            "find": "widgets", "filter": &filter, "limit": 1_i64, "singleBatch": true,
            "readConcern": { "level": "majority" },
        }
    );
    let mut find = Find {
        collection: "widgets",
        selection: selection(Node::Everything),
        sort: vec![SortKey {
            path: "at".into(),
            direction: Direction::Descending,
            outside: false,
        }],
        skip: 2,
        limit: Some(5),
        batch: Some(9),
        ..Find::all("widgets", selection(Node::Everything))
    };
    assert_eq!(
        parsed(command::find(&find, None).unwrap().unwrap().0),
        doc! {
            "find": "widgets", "filter": &filter, "sort": { "at": -1 }, "skip": 2_i64, "limit": 5_i64,
            "batchSize": 6_i64,
        }
    );
    find.limit = Some(0);
    assert!(command::find(&find, None).unwrap().is_none());
    assert!(command::count(&find, None).unwrap().is_none());
    find.limit = Some(3);
    let counted = command::count(&find, None).unwrap().unwrap();
    assert_eq!(
        parsed(counted),
        doc! {
            "aggregate": "widgets",
            "pipeline": [
                { "$match": filter }, { "$limit": 3_i64 }, { "$group": { "_id": null, "n": { "$sum": 1_i64 } } },
            ],
            "cursor": {},
        }
    );
}
