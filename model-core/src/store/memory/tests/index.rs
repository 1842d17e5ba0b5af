//! Identity and unique keys, and what is said of indexes.

use super::*;

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
        assert_eq!(code(store.insert(WIDGETS, &[b"\x09\0\0\0junk"]).await), 22);
        assert_eq!(
            code(store.update(WIDGETS, &[&set(by_id(1), &doc! { "_id": 2 })]).await),
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
                    .update(WIDGETS, &[&set(by_id(2), &doc! { "tags": ["q", "y"] })])
                    .await
            ),
            "tags"
        );
        assert_eq!(store.dump(WIDGETS)[1].get_str("tags").unwrap(), "z");
        store
            .update(WIDGETS, &[&set(by_id(1), &doc! { "slug": 1 })])
            .await
            .unwrap();
        assert_eq!(
            duplicate(
                store
                    .update(WIDGETS, &[&set(by_id(2), &doc! { "slug": 1.0 })])
                    .await
            ),
            "slug"
        );
        // A key that is given up is free.
        store.delete(WIDGETS, &[&by_id(1)]).await.unwrap();
        store
            .update(
                WIDGETS,
                &[&set(by_id(2), &doc! { "slug": 1, "tags": ["q", "y"] })],
            )
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
        // Words are declared; searches do without.
        create(doc! { "key": { "a": 1, "words": "text" }, "weights": { "words": 2 } })
            .await
            .unwrap();
        let words = doc! { "v": 2, "key": { "a": 1, "words": "text" }, "name": "a_1_words_text", "weights": { "words": 2 } };
        assert_eq!(store.list_indexes(WIDGETS).await.unwrap().last(), Some(&words));
        let lists = doc! { "_id": 1, "a": [1], "words": ["one", "two"] };
        assert!(
            insert(&store, lists).await.is_ok(),
            "no document is refused for its words"
        );
        store.drop_index(WIDGETS, "a_1_words_text").await.unwrap();
        for unknown in [
            doc! { "key": { "a": "hashed" } },
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
