//! How a query is read, and what the server makes of a page.

use super::*;

/// What a query says of how it is to be read stands in its commands.
#[tokio::test]
async fn options_stand_in_the_command() {
    use model_core::query::{Collation, ReadConcern, ReadPreference};
    let wire = Wire::new().await;
    wire.plain("a").await;
    let query = || {
        Plain::query(&wire.ctx)
            .filter(|p| p.name.eq("a"))
            .hint(|p| p.name.asc().then(p.id.asc()))
            .read_preference(ReadPreference::SecondaryPreferred)
            .read_concern(ReadConcern::Majority)
            .max_time(std::time::Duration::from_secs(2))
            .batch_size(7)
            .comment("a test")
    };
    wire.log.take();
    assert_eq!(query().await.unwrap().len(), 1);
    assert_eq!(query().count().await.unwrap(), 1);
    assert_eq!(query().distinct(|p| &p.name).await.unwrap(), ["a"]);
    assert_eq!(
        query()
            .sort(|p| p.name.asc())
            .page(3, None)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let sent = wire.log.take();
    assert_eq!(sent.len(), 4);
    for command in sent {
        let body = command.body;
        assert_eq!(
            body.get_document("hint").unwrap(),
            &doc! { "organization": 1, "name": 1, "_id": 1 }
        );
        assert_eq!(body.get_i64("maxTimeMS").unwrap(), 2_000);
        assert_eq!(body.get_str("comment").unwrap(), "a test");
        assert_eq!(
            body.get_document("readConcern")
                .unwrap()
                .get_str("level")
                .unwrap(),
            "majority"
        );
        let preference = body.get_document("$readPreference").unwrap();
        assert_eq!(preference.get_str("mode").unwrap(), "secondaryPreferred");
    }
    let undeclared = Plain::query(&wire.ctx).hint(|p| p.tags.asc()).await.unwrap_err();
    assert!(undeclared.is_configuration(), "{undeclared}");
    // The tenant is a string: it would be compared by the collation as well.
    let collation = Collation::new("en").strength(2);
    let error = Audited::query(&wire.ctx)
        .collation(collation.clone())
        .await
        .unwrap_err();
    assert!(error.is_unsupported() && wire.log.take().is_empty(), "{error}");
    // A tenant that is none does not; the scope is a superset, and `can_read` is asked.
    let oid = wire.db.context(
        bson::oid::ObjectId::from_bytes([7; 12]),
        Person {
            reads: true,
            writes: true,
        },
    );
    for name in ["b", "A", "a"] {
        Audited::create(&oid, new_audited(name)).await.unwrap();
    }
    let query = || Audited::query(&oid).collation(collation.clone());
    let found = query().filter(|a| a.name.eq("A")).await.unwrap();
    assert_eq!(found.len(), 2);
    let page = query().sort(|a| a.name.asc()).page(2, None).await.unwrap();
    let rest = query()
        .sort(|a| a.name.asc())
        .page(2, page.next.as_deref())
        .await
        .unwrap();
    assert_eq!((page.items.len(), rest.items[0].name.as_str()), (2, "b"));
    let error = Plain::query(&oid).collation(collation).count().await.unwrap_err();
    assert!(error.is_unsupported(), "an exact scope alone decides: {error}");
}

/// Row `page`: a `find` for each range that it takes, and the sixtieth page costs what the first does: the server begins in the index where the
/// page begins, and sorts nothing.
#[tokio::test]
async fn a_page_begins_in_the_index_at_its_place() {
    let wire = Wire::new().await;
    let plain = wire.unrecorded("plain").await;
    let stored = (0..3_000_i64).map(|n| {
        let mut row = doc! { "organization": "acme", "name": format!("n{:04}", n / 3), "tags": [] };
        row.insert("updated", bson::DateTime::from_millis(n / 500));
        row
    });
    plain.insert_many(stored).await.unwrap();
    let others =
        (0..3_000_i64).map(|n| doc! { "organization": "globex", "name": format!("n{n:04}"), "tags": [] });
    plain.insert_many(others).await.unwrap();
    type Order = fn(&'static PlainFields) -> Sort<Plain>;
    let orders: [Order; 4] = [
        |p| p.name.asc(),
        |p| p.name.desc(),
        |p| p.updated.desc().then(p.name.asc()),
        |p| p.updated.asc().then(p.name.desc()),
    ];
    for (n, order) in orders.into_iter().enumerate() {
        let mut cursor = None;
        let mut seen = 0;
        let mut worst = 0;
        loop {
            let query = Plain::query(&wire.ctx).sort(order);
            wire.log.take();
            let page = query.page(50, cursor.as_deref()).await.unwrap();
            let sent = wire.log.take();
            let most = if cursor.is_none() { 1 } else { 2 + n / 2 };
            assert!(
                sent.len() <= most && sent.iter().all(|sent| sent.name == "find"),
                "{sent:?}"
            );
            let mut of_page = 0;
            for find in &sent {
                carries_the_tenant(&wire.db, find, "acme");
                let (sorts, examined) = plan_of(&wire, find).await;
                assert!(!sorts, "order {n}: the server sorts after {seen}");
                of_page += examined;
            }
            worst = worst.max(of_page);
            seen += page.items.len();
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, 3_000);
        assert!(
            worst <= 60,
            "order {n}: {worst} documents or keys for a page of 50"
        );
    }
}

/// Whether the server sorts for this `find`, and how many keys or documents it looks at.
async fn plan_of(wire: &Wire, find: &SentCommand) -> (bool, i32) {
    let client = model_tests::server::server().await.client().await;
    let mut command = find.body.clone();
    for key in ["lsid", "$db", "$clusterTime", "$readPreference", "txnNumber"] {
        command.remove(key);
    }
    let explain = doc! { "explain": command, "verbosity": "executionStats" };
    let explained = client
        .database(wire.database.name())
        .run_command(explain)
        .await
        .unwrap();
    let stats = explained.get_document("executionStats").unwrap();
    let sorts = stats.to_string().contains("\"stage\": \"SORT\"");
    assert!(stats.to_string().contains("IXSCAN"), "{stats}");
    let examined = ["totalKeysExamined", "totalDocsExamined"].map(|key| stats.get_i32(key).unwrap());
    (sorts, examined.into_iter().max().unwrap())
}
