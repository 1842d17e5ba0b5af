//! The corners of the embedded store.

mod index;
mod transaction;

use std::future::Future;

use bson::{Bson, Document, RawDocumentBuf, doc};

use super::*;
use crate::query::{Node, SortKey, Test};
use crate::schema::Direction;
use crate::store::Guard;

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
        revision: Guard::None,
        rest,
    }
}

fn by_id(id: impl Into<Bson>) -> Selection {
    Selection {
        id: Some(("_id", id.into())),
        ..selection(Node::Everything)
    }
}

fn set(selection: Selection, set: &Document) -> UpdateOne {
    let set = RawDocumentBuf::try_from(set).unwrap();
    UpdateOne {
        selection,
        set,
        unset: Vec::new(),
    }
}

async fn insert(store: &dyn Operations, document: Document) -> StoreResult<()> {
    store.insert(WIDGETS, &[&document.to_vec().unwrap()]).await
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
    Find::all(WIDGETS, selection)
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
        let count = async |selection: Selection| store.count(&find(selection)).await.unwrap();
        let tenant = |name: &str| Some(("tenant", Bson::from(name)));
        let all = selection(Node::Everything);
        assert_eq!(count(all.clone()).await, 3);
        let two = Find {
            limit: Some(2),
            ..find(all.clone())
        };
        assert_eq!(store.count(&two).await.unwrap(), 2);
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
                revision: Guard::Is(1),
                ..by_id(1_i64)
            })
            .await,
            1
        );
        assert_eq!(
            count(Selection {
                revision: Guard::Is(2),
                ..by_id(1)
            })
            .await,
            0
        );
        assert_eq!(
            count(Selection {
                revision: Guard::Unwritten,
                ..by_id(2)
            })
            .await,
            1
        );
        assert_eq!(
            count(Selection {
                revision: Guard::Unwritten,
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
            store.delete(WIDGETS, &[&by_id(2_400)]).await.unwrap();
        }
        assert_eq!(sizes, [1_000, 1_000, 500]);
        let sort = vec![SortKey {
            path: "group".into(),
            direction: Direction::Descending,
            outside: false,
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
            store.update(WIDGETS, &[&update]).await
        };
        let changes =
            doc! { "new": 1, "9": 1, "10": 1, "b.x": "one", "b.z": null, "deep.er": 1, "a.1.k": 3, "a.3": 4 };
        let outcome = change(changes, &["s", "b.y", "none.at.all", "a.0"]).await;
        assert_eq!(outcome.unwrap(), 1);
        let expected = doc! {
            "_id": 1, "b": { "x": "one", "z": null }, "a": [null, { "k": 3 }, null, 4],
            "9": 1, "10": 1, "deep": { "er": 1 }, "new": 1,
        };
        assert_eq!(store.dump(WIDGETS), std::slice::from_ref(&expected));
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
        let updated = store.update(WIDGETS, &[&set(by_id(2), &doc! { "a": 1 })]).await;
        assert_eq!(updated.unwrap(), 0);
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
