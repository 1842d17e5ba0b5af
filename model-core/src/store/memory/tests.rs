//! The corners of the embedded store.

use std::future::Future;

use bson::{Bson, Document, RawDocumentBuf, doc};

use super::*;
use crate::query::{Node, SortKey, Test};
use crate::schema::Direction;

const WIDGETS: &str = "widgets";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

fn selection(rest: Node) -> Selection {
    Selection {
        tenant: None,
        id: None,
        revision: None,
        rest,
    }
}

fn by_id(id: impl Into<Bson>) -> Selection {
    Selection {
        id: Some(id.into()),
        ..selection(Node::Everything)
    }
}

fn set(selection: Selection, set: &Document) -> UpdateOne {
    let set = RawDocumentBuf::try_from(set).unwrap();
    UpdateOne {
        collection: WIDGETS,
        selection,
        set,
        unset: Vec::new(),
    }
}

async fn insert(store: &dyn Operations, document: Document) -> StoreResult<()> {
    store.insert_one(WIDGETS, &document.to_vec().unwrap()).await
}

async fn collect(store: &dyn Operations, find: Find) -> Vec<Document> {
    let mut cursor = store.find(&find).await.unwrap();
    let mut found = Vec::new();
    while cursor.advance().await.unwrap() {
        let mut each = |bytes: &[u8]| {
            found.push(Document::from_reader(bytes).unwrap());
            Ok(true)
        };
        assert!(cursor.each(&mut each).unwrap());
    }
    found
}

fn find(selection: Selection) -> Find {
    Find {
        collection: WIDGETS,
        selection,
        sort: Vec::new(),
        skip: 0,
        limit: None,
        batch: None,
    }
}

fn code<T: std::fmt::Debug>(result: StoreResult<T>) -> i32 {
    match result.unwrap_err() {
        StoreError::Refused { code, .. } => code,
        error => panic!("{error:?}"),
    }
}

fn duplicate<T: std::fmt::Debug>(result: StoreResult<T>) -> String {
    match result.unwrap_err() {
        StoreError::Duplicate { index } => index,
        error => panic!("{error:?}"),
    }
}

fn is_transient<T>(result: &StoreResult<T>) -> bool {
    matches!(result, Err(StoreError::Transient))
}

fn unique(key: Document, name: &str) -> Document {
    doc! { "key": key, "name": name, "unique": true }
}

#[test]
fn a_selection_is_tenant_id_revision_and_the_rest() {
    run(async {
        let store = MemoryStore::new();
        for (id, tenant, revision) in [(1, "a", Some(1_i64)), (2, "a", None), (3, "b", Some(2))] {
            let mut document = doc! { "_id": id, "tenant": tenant };
            document.extend(revision.map(|revision| ("_rev".to_owned(), revision.into())));
            insert(&store, document).await.unwrap();
        }
        let count = async |selection: Selection| store.count(WIDGETS, &selection, None).await.unwrap();
        let tenant = |name: &str| Some(("tenant", Bson::from(name)));
        let all = selection(Node::Everything);
        assert_eq!(count(all.clone()).await, 3);
        assert_eq!(store.count(WIDGETS, &all, Some(2)).await.unwrap(), 2);
        assert_eq!(
            count(Selection {
                tenant: tenant("a"),
                ..all.clone()
            })
            .await,
            2
        );
        assert_eq!(
            count(Selection {
                tenant: tenant("b"),
                ..by_id(1)
            })
            .await,
            0
        );
        assert_eq!(
            count(Selection {
                revision: Some(Some(1)),
                ..by_id(1_i64)
            })
            .await,
            1
        );
        assert_eq!(
            count(Selection {
                revision: Some(Some(2)),
                ..by_id(1)
            })
            .await,
            0
        );
        assert_eq!(
            count(Selection {
                revision: Some(None),
                ..by_id(2)
            })
            .await,
            1
        );
        assert_eq!(
            count(Selection {
                revision: Some(None),
                ..by_id(1)
            })
            .await,
            0
        );
        let some = Node::field("_id", Test::In(vec![3.into(), 1.into(), 1.into(), 9.into()]));
        assert_eq!(count(selection(some)).await, 2);
        assert_eq!(count(selection(Node::Nothing)).await, 0);
        assert!(store.find_one("none", &all).await.unwrap().is_none());
    });
}

#[test]
fn sort_skip_and_limit_in_batches_over_a_snapshot() {
    run(async {
        let store = MemoryStore::new();
        for id in 0..2_500 {
            insert(&store, doc! { "_id": id, "group": id % 2 }).await.unwrap();
        }
        let mut cursor = store.find(&find(selection(Node::Everything))).await.unwrap();
        let mut sizes = Vec::new();
        while cursor.advance().await.unwrap() {
            let mut size = 0;
            cursor
                .each(&mut |_| {
                    size += 1;
                    Ok(true)
                })
                .unwrap();
            sizes.push(size);
            // What happens after the first batch is not seen.
            store.delete_one(WIDGETS, &by_id(2_400)).await.unwrap();
        }
        assert_eq!(sizes, [1_000, 1_000, 500]);
        let sort = vec![SortKey {
            path: "group".into(),
            direction: Direction::Descending,
        }];
        let page = Find {
            sort,
            skip: 2,
            limit: Some(3),
            batch: Some(2),
            ..find(selection(Node::Everything))
        };
        let ids: Vec<_> = collect(&store, page)
            .await
            .iter()
            .map(|found| found.get_i32("_id").unwrap())
            .collect();
        assert_eq!(ids, [5, 7, 9], "a sort is stable");
        let page = Find {
            skip: 2_498,
            limit: Some(9),
            ..find(selection(Node::Everything))
        };
        assert_eq!(collect(&store, page).await.len(), 1);
    });
}

#[test]
fn ids_are_unique_first_and_made_if_missing() {
    run(async {
        let store = MemoryStore::new();
        insert(&store, doc! { "a": 1, "_id": 1 }).await.unwrap();
        assert_eq!(duplicate(insert(&store, doc! { "_id": 1.0 }).await), "_id_");
        insert(&store, doc! { "a": 2 }).await.unwrap();
        let stored = store.dump(WIDGETS);
        assert_eq!(stored[0], doc! { "_id": 1, "a": 1 });
        assert_eq!(stored[0].keys().next().unwrap(), "_id");
        assert!(stored[1].get_object_id("_id").is_ok());
        assert_eq!(code(insert(&store, doc! { "_id": [1] }).await), 53);
        assert_eq!(code(store.insert_one(WIDGETS, b"\x09\0\0\0junk").await), 22);
        assert_eq!(
            code(store.update_one(&set(by_id(1), &doc! { "_id": 2 })).await),
            66
        );
        store.put(WIDGETS, &doc! { "_id": 1, "b": 1 }).unwrap();
        assert_eq!(store.dump(WIDGETS)[0], doc! { "_id": 1, "b": 1 });
    });
}

#[test]
fn unique_indexes_compound_partial_and_over_arrays() {
    run(async {
        let store = MemoryStore::new();
        store
            .create_index(WIDGETS, &unique(doc! { "tenant": 1, "email": 1 }, "email"))
            .await
            .unwrap();
        store
            .create_index(WIDGETS, &unique(doc! { "tags": 1 }, "tags"))
            .await
            .unwrap();
        let mut partial = unique(doc! { "slug": 1 }, "slug");
        partial.insert("partialFilterExpression", doc! { "slug": { "$exists": true } });
        store.create_index(WIDGETS, &partial).await.unwrap();
        insert(&store, doc! { "_id": 1, "tenant": "a", "tags": ["x", "y", "x"] })
            .await
            .unwrap();
        // A missing field counts as null.
        let missing = doc! { "_id": 2, "tenant": "a", "email": null, "tags": "z" };
        assert_eq!(duplicate(insert(&store, missing).await), "email");
        insert(&store, doc! { "_id": 2, "tenant": "b", "tags": "z" })
            .await
            .unwrap();
        assert_eq!(
            duplicate(
                store
                    .update_one(&set(by_id(2), &doc! { "tags": ["q", "y"] }))
                    .await
            ),
            "tags"
        );
        assert_eq!(store.dump(WIDGETS)[1].get_str("tags").unwrap(), "z");
        store
            .update_one(&set(by_id(1), &doc! { "slug": 1 }))
            .await
            .unwrap();
        assert_eq!(
            duplicate(store.update_one(&set(by_id(2), &doc! { "slug": 1.0 })).await),
            "slug"
        );
        // A key that is given up is free.
        store.delete_one(WIDGETS, &by_id(1)).await.unwrap();
        store
            .update_one(&set(by_id(2), &doc! { "slug": 1, "tags": ["q", "y"] }))
            .await
            .unwrap();
        let parallel = doc! { "tenant": [1], "email": [1], "tags": "p" };
        assert_eq!(code(insert(&store, parallel).await), 171);
    });
}

#[test]
fn indexes_are_listed_compared_and_dropped() {
    run(async {
        let store = MemoryStore::new();
        assert!(store.list_indexes(WIDGETS).await.unwrap().is_empty());
        let index = doc! { "key": { "at": -1 }, "name": "at", "expireAfterSeconds": 60_i64, "unique": false };
        let create = async |index: Document| store.create_index(WIDGETS, &index).await;
        create(index.clone()).await.unwrap();
        create(index.clone()).await.unwrap();
        let ids = doc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" };
        let mut listed = doc! { "v": 2, "key": { "at": -1 }, "name": "at", "expireAfterSeconds": 60 };
        assert_eq!(
            store.list_indexes(WIDGETS).await.unwrap(),
            [ids.clone(), listed.clone()]
        );
        store.set_index_ttl(WIDGETS, "at", 5).await.unwrap();
        listed.insert("expireAfterSeconds", 5);
        assert_eq!(store.list_indexes(WIDGETS).await.unwrap(), [ids, listed]);
        assert_eq!(code(create(index).await), 85);
        assert_eq!(
            code(create(doc! { "key": { "at": -1 }, "name": "other" }).await),
            85
        );
        assert_eq!(code(create(doc! { "key": { "at": 1 }, "name": "at" }).await), 86);
        assert_eq!(code(create(unique(doc! { "at": -1 }, "at")).await), 86);
        assert_eq!(
            code(create(doc! { "key": { "a": 1, "b": 1 }, "expireAfterSeconds": 1 }).await),
            67
        );
        for unknown in [
            doc! { "key": { "a": "text" } },
            doc! { "key": { "a.$**": 1 } },
            doc! { "key": { "a": 1 }, "collation": { "locale": "en" } },
            doc! { "key": { "a": 1 }, "partialFilterExpression": { "a": { "$type": "string" } } },
        ] {
            assert!(matches!(
                create(unknown).await,
                Err(StoreError::Unsupported { .. })
            ));
        }
        assert_eq!(code(store.drop_index(WIDGETS, "none").await), 27);
        assert_eq!(code(store.drop_index(WIDGETS, "_id_").await), 72);
        assert_eq!(code(store.drop_index("none", "at").await), 26);
        assert_eq!(code(store.set_index_ttl(WIDGETS, "none", 1).await), 27);
        store.drop_index(WIDGETS, "at").await.unwrap();
        assert_eq!(store.list_indexes(WIDGETS).await.unwrap().len(), 1);
        insert(&store, doc! { "n": 1 }).await.unwrap();
        insert(&store, doc! { "n": 1 }).await.unwrap();
        assert_eq!(duplicate(create(unique(doc! { "n": 1 }, "n")).await), "n");
        assert_eq!(store.list_indexes(WIDGETS).await.unwrap().len(), 1);
    });
}

#[test]
fn updates_keep_positions_and_create_what_is_missing() {
    run(async {
        let store = MemoryStore::new();
        insert(
            &store,
            doc! { "_id": 1, "b": { "x": 1, "y": 2 }, "a": [1, { "k": 2 }], "s": 5 },
        )
        .await
        .unwrap();
        let change = async |set_: Document, unset: &[&str]| {
            let mut update = set(by_id(1), &set_);
            update.unset = unset.iter().map(|&path| path.to_owned()).collect();
            store.update_one(&update).await
        };
        let changes =
            doc! { "new": 1, "9": 1, "10": 1, "b.x": "one", "b.z": null, "deep.er": 1, "a.1.k": 3, "a.3": 4 };
        assert!(
            change(changes, &["s", "b.y", "none.at.all", "a.0"])
                .await
                .unwrap()
        );
        let expected = doc! {
            "_id": 1, "b": { "x": "one", "z": null }, "a": [null, { "k": 3 }, null, 4],
            "9": 1, "10": 1, "deep": { "er": 1 }, "new": 1,
        };
        assert_eq!(store.dump(WIDGETS), [expected.clone()]);
        assert!(store.dump(WIDGETS)[0].keys().eq(expected.keys()));
        for (changes, unset, refusal) in [
            (doc! { "new.x": 1 }, None, 28),
            (doc! { "a.k": 1 }, None, 28),
            (doc! { "b": 1, "b.x": 1 }, None, 40),
            (doc! { "b.x": 1 }, Some("b"), 40),
            (doc! { "b..x": 1 }, None, 56),
            (doc! { "$b": 1 }, None, 52),
            (doc! { "a.2000000": 1 }, None, 34),
        ] {
            assert_eq!(
                code(change(changes.clone(), unset.as_slice()).await),
                refusal,
                "{changes}"
            );
        }
        assert!(matches!(
            change(doc! { "a.$[]": 1 }, &[]).await,
            Err(StoreError::Unsupported { .. })
        ));
        assert_eq!(store.dump(WIDGETS), [expected]);
        assert!(!store.update_one(&set(by_id(2), &doc! { "a": 1 })).await.unwrap());
    });
}

#[test]
fn a_transaction_sees_its_snapshot_and_its_own_writes() {
    run(async {
        let store = MemoryStore::new();
        insert(&store, doc! { "_id": 1, "n": 1 }).await.unwrap();
        let transaction = store.begin().await.unwrap();
        insert(&store, doc! { "_id": 2 }).await.unwrap();
        insert(&*transaction, doc! { "_id": 3 }).await.unwrap();
        assert!(
            transaction
                .update_one(&set(by_id(1), &doc! { "n": 2 }))
                .await
                .unwrap()
        );
        let ids = |found: Vec<Document>| {
            found
                .iter()
                .map(|one| one.get_i32("_id").unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids(collect(&*transaction, find(selection(Node::Everything))).await),
            [1, 3]
        );
        assert_eq!(
            store.dump(WIDGETS),
            [doc! { "_id": 1, "n": 1 }, doc! { "_id": 2 }]
        );
        transaction.commit().await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(
            store.dump(WIDGETS),
            [doc! { "_id": 1, "n": 2 }, doc! { "_id": 2 }, doc! { "_id": 3 }]
        );
        assert_eq!(code(transaction.delete_one(WIDGETS, &by_id(1)).await), 251);
    });
}

#[test]
fn a_transaction_that_is_dropped_or_aborted_leaves_nothing() {
    run(async {
        let store = MemoryStore::new();
        let transaction = store.begin().await.unwrap();
        insert(&*transaction, doc! { "_id": 1 }).await.unwrap();
        drop(transaction);
        let transaction = store.begin().await.unwrap();
        insert(&*transaction, doc! { "_id": 1 }).await.unwrap();
        transaction.abort().await;
        assert_eq!(code(transaction.commit().await), 251);
        assert!(store.dump(WIDGETS).is_empty());
    });
}

#[test]
fn transactions_conflict_over_documents() {
    run(async {
        let store = MemoryStore::new();
        for id in 1..=3 {
            insert(&store, doc! { "_id": id }).await.unwrap();
        }
        // Changed outside since the snapshot: at once.
        let transaction = store.begin().await.unwrap();
        store.update_one(&set(by_id(1), &doc! { "n": 1 })).await.unwrap();
        assert!(is_transient(
            &transaction.update_one(&set(by_id(1), &doc! { "n": 2 })).await
        ));
        // And that was the end of it.
        assert_eq!(code(transaction.commit().await), 251);
        let transaction = store.begin().await.unwrap();
        store.delete_one(WIDGETS, &by_id(1)).await.unwrap();
        assert!(is_transient(&transaction.delete_one(WIDGETS, &by_id(1)).await));
        // Changed outside after the write: at the commit, and nothing of it takes effect.
        let transaction = store.begin().await.unwrap();
        transaction.delete_one(WIDGETS, &by_id(3)).await.unwrap();
        transaction
            .update_one(&set(by_id(2), &doc! { "n": 2 }))
            .await
            .unwrap();
        let rival = store.begin().await.unwrap();
        rival.update_one(&set(by_id(2), &doc! { "n": 3 })).await.unwrap();
        rival.commit().await.unwrap();
        assert!(is_transient(&transaction.commit().await));
        assert_eq!(
            store.dump(WIDGETS),
            [doc! { "_id": 2, "n": 3 }, doc! { "_id": 3 }]
        );
    });
}

#[test]
fn transactions_conflict_over_unique_keys() {
    run(async {
        let store = MemoryStore::new();
        store
            .create_index(WIDGETS, &unique(doc! { "n": 1 }, "n"))
            .await
            .unwrap();
        insert(&store, doc! { "_id": 1, "n": 1 }).await.unwrap();
        insert(&store, doc! { "_id": 2, "n": 2 }).await.unwrap();
        // Taken in the snapshot.
        let transaction = store.begin().await.unwrap();
        assert_eq!(
            duplicate(insert(&*transaction, doc! { "_id": 9, "n": 1 }).await),
            "n"
        );
        // Taken in the snapshot, given up since.
        let transaction = store.begin().await.unwrap();
        store.delete_one(WIDGETS, &by_id(1)).await.unwrap();
        assert!(is_transient(
            &insert(&*transaction, doc! { "_id": 9, "n": 1 }).await
        ));
        // Taken since.
        let transaction = store.begin().await.unwrap();
        insert(&*transaction, doc! { "_id": 3, "n": 3 }).await.unwrap();
        insert(&store, doc! { "_id": 4, "n": 3 }).await.unwrap();
        assert!(is_transient(&transaction.commit().await));
        // Moved from one document to another.
        let transaction = store.begin().await.unwrap();
        transaction.delete_one(WIDGETS, &by_id(2)).await.unwrap();
        transaction
            .update_one(&set(by_id(4), &doc! { "n": 2 }))
            .await
            .unwrap();
        insert(&*transaction, doc! { "_id": 5, "n": 3 }).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(
            store.dump(WIDGETS),
            [doc! { "_id": 4, "n": 2 }, doc! { "_id": 5, "n": 3 }]
        );
    });
}

#[test]
fn nothing_shows_a_stored_value() {
    run(async {
        let store = MemoryStore::new();
        insert(&store, doc! { "_id": "s3cret" }).await.unwrap();
        let error = insert(&store, doc! { "_id": "s3cret" }).await.unwrap_err();
        assert!(!format!("{store:?} {error:?}").contains("s3cret"));
    });
}
