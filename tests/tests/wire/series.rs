//! What a time series sends: the tenant in every command, and the packs that its measurements lie in.

use bson::doc;
use model_core::prelude::*;
use model_core::query::{Group, Window};
use model_tests::server::recorded_database;

use super::tenancy::carries_the_tenant;
use super::{Ctx, Person, Rival, policy};

#[derive(Clone, Model)]
#[model(collection = "points", time_series(time = at, meta = source), index(source, at = desc))]
struct Point {
    #[model(id)]
    id: Id<Point>,
    #[model(tenant)]
    organization: TenantId,
    source: String,
    at: DateTime<Utc>,
    value: i64,
}

policy!(Point, Exact);

#[derive(Clone, Embedded)]
struct PerDay {
    at: DateTime<Utc>,
    n: i64,
}

fn point(source: &str, hour: u32) -> NewPoint {
    NewPoint {
        source: source.into(),
        at: format!("2026-03-01T{hour:02}:00:00Z").parse().unwrap(),
        value: i64::from(hour),
    }
}

#[tokio::test]
async fn measurements_are_asked_for_by_tenant_and_pack() {
    let (database, log) = recorded_database().await;
    let db = Db::mongo(database)
        .state(Rival::default())
        .model::<Point>()
        .build_lazy()
        .unwrap();
    db.sync_collections().await.unwrap();
    db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
    let person = Person {
        reads: true,
        writes: true,
    };
    let ctx: Ctx = db.context(TenantId::new("acme").unwrap(), person);
    // The first operation of a handle looks at the server.
    assert_eq!(Point::query(&ctx).count().await.unwrap(), 0);
    log.take();
    Point::create(&ctx, point("a", 1)).await.unwrap();
    Point::create_many(&ctx, (2..9).map(|hour| point("b", hour)))
        .await
        .unwrap();
    let sent = log.take();
    let names: Vec<_> = sent.iter().map(|sent| sent.name.as_str()).collect();
    assert_eq!(names, ["insert", "insert"], "no transaction");
    assert!(sent.iter().all(|sent| carries_the_tenant(&db, sent, "acme")));
    let found = Point::query(&ctx)
        .filter(|p| p.source.eq("b") & p.at.gte(point("b", 7).at))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    let days = Point::query(&ctx)
        .group::<PerDay>(|p, row| Group::by_window(&row.at, &p.at, Window::days(1)).count(&row.n))
        .await
        .unwrap();
    assert_eq!((days.len(), days[0].n), (1, 8));
    let sent = log.take();
    let names: Vec<_> = sent.iter().map(|sent| sent.name.as_str()).collect();
    assert_eq!(names, ["find", "aggregate"]);
    assert!(sent.iter().all(|sent| carries_the_tenant(&db, sent, "acme")));
    let asked = sent[0].body.get_document("filter").unwrap().to_string();
    assert!(
        asked.contains("\"_meta.organization\"") && asked.contains("\"_meta.source\""),
        "{asked}"
    );
    let job = ctx.dangerously_bypass_permissions("they leave");
    job.erase_tenant().await.unwrap();
    let sent = log.take();
    let deleted = sent.iter().find(|sent| sent.name == "delete").unwrap();
    let statement = doc! { "q": { "_meta.organization": { "$eq": "acme" } }, "limit": 0 };
    assert_eq!(
        deleted.body.get_array("deletes").unwrap(),
        &vec![statement.into()]
    );
}
