//! Snapshots, and conflicts.

use super::*;

#[test]
fn a_transaction_sees_its_snapshot_and_its_own_writes() {
    run(async {
        let store = MemoryStore::new();
        insert(&store, doc! { "_id": 1, "n": 1 }).await.unwrap();
        let transaction = store.begin().await.unwrap();
        insert(&store, doc! { "_id": 2 }).await.unwrap();
        insert(&*transaction, doc! { "_id": 3 }).await.unwrap();
        let updated = transaction
            .update(WIDGETS, &[&set(by_id(1), &doc! { "n": 2 })])
            .await;
        assert_eq!(updated.unwrap(), 1);
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
        assert_eq!(code(transaction.delete(WIDGETS, &[&by_id(1)]).await), 251);
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
        store
            .update(WIDGETS, &[&set(by_id(1), &doc! { "n": 1 })])
            .await
            .unwrap();
        assert!(is_transient(
            &transaction
                .update(WIDGETS, &[&set(by_id(1), &doc! { "n": 2 })])
                .await
        ));
        // And that was the end of it.
        assert_eq!(code(transaction.commit().await), 251);
        let transaction = store.begin().await.unwrap();
        store.delete(WIDGETS, &[&by_id(1)]).await.unwrap();
        assert!(is_transient(&transaction.delete(WIDGETS, &[&by_id(1)]).await));
        // Changed outside after the write: at the commit, and nothing of it takes effect.
        let transaction = store.begin().await.unwrap();
        transaction.delete(WIDGETS, &[&by_id(3)]).await.unwrap();
        transaction
            .update(WIDGETS, &[&set(by_id(2), &doc! { "n": 2 })])
            .await
            .unwrap();
        let rival = store.begin().await.unwrap();
        rival
            .update(WIDGETS, &[&set(by_id(2), &doc! { "n": 3 })])
            .await
            .unwrap();
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
        store.delete(WIDGETS, &[&by_id(1)]).await.unwrap();
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
        transaction.delete(WIDGETS, &[&by_id(2)]).await.unwrap();
        transaction
            .update(WIDGETS, &[&set(by_id(4), &doc! { "n": 2 })])
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
