//! Contract D 14: a late page costs what the first one costs. The server tells what it looked at.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::query::Sort;
use model_core::{ModelExt, SyncOptions};
use model_tests::server::fresh_database;

use super::{Ctx, Person};

/// How many documents a page has.
const SIZE: u64 = 5;
/// What two short ranges cost.
const FEW: i64 = 12;
/// How far the planner tries out each index that it has at hand, where no limit ends it.
const TRIAL: i64 = 101;
/// How many pages there are.
const PAGES: u64 = 1_001;

#[derive(Clone, Model)]
#[model(collection = "lines", index(rank, id), index(rank = desc, at, id))]
struct Line {
    #[model(id)]
    id: Id<Line>,
    #[model(tenant)]
    organization: TenantId,
    rank: Option<i64>,
    at: i64,
}

impl BaseModel for Line {
    type Actor = Person;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Filter::all()
    }
}

/// The cost of the page after `after`, by the server's profile: the keys and the documents that it looked at.
async fn cost(ctx: &Ctx, bare: &mongodb::Database, sort: Order, after: Option<&str>) -> (i64, i64) {
    let profile = |level: i32| bare.run_command(doc! { "profile": level });
    profile(2).await.unwrap();
    let page = Line::query(ctx).sort(sort).page(SIZE, after).await.unwrap();
    profile(0).await.unwrap();
    assert_eq!(page.items.len() as u64, SIZE);
    let reads = doc! { "op": { "$in": ["query", "getmore"] }, "ns": format!("{}.lines", bare.name()) };
    let entries = bare
        .collection::<Document>("system.profile")
        .find(reads)
        .await
        .unwrap();
    let entries: Vec<Document> = entries.try_collect().await.unwrap();
    bare.collection::<Document>("system.profile")
        .drop()
        .await
        .unwrap();
    assert!(!entries.is_empty(), "the server has noted no read");
    let sum = |key: &str| {
        entries
            .iter()
            .map(|entry| i64::from(entry.get_i32(key).unwrap()))
            .sum()
    };
    (sum("keysExamined"), sum("docsExamined"))
}

type Order = fn(&'static LineFields) -> Sort<Line>;

#[tokio::test]
async fn page_1000_costs_what_page_1_costs() {
    let bare = fresh_database().await;
    let db = Db::mongo(bare.clone()).model::<Line>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    // A fifth has no rank, and many share one.
    let lines = |tenant: &'static str| {
        (0..SIZE * PAGES).map(move |n| {
            let n = i64::try_from(n).unwrap();
            let mut line = doc! { "organization": tenant, "at": n % 7 };
            if n % 5 > 0 {
                line.insert("rank", n / 9);
            }
            line
        })
    };
    let collection = bare.collection::<Document>("lines");
    for tenant in ["acme", "globex"] {
        collection.insert_many(lines(tenant)).await.unwrap();
    }
    let person = Person {
        reads: true,
        writes: true,
    };
    let ctx = db.context(TenantId::new("acme").unwrap(), person);
    let orders: [Order; 4] = [
        |l| l.rank.asc(),
        |l| l.rank.desc(),
        |l| l.rank.desc().then(l.at.asc()),
        |l| l.rank.asc().then(l.at.desc()).then(l.id.desc()),
    ];
    // Where permissions are bypassed, the server counts off; else the reader stops.
    for ctx in [ctx.dangerously_bypass_permissions("all"), ctx] {
        for (place, sort) in orders.into_iter().enumerate() {
            let first = cost(&ctx, &bare, sort, None).await;
            // Up to page 999 in one go: a cursor knows nothing of sizes.
            let before = Line::query(&ctx).sort(sort).page(SIZE * 999, None).await.unwrap();
            let late = cost(&ctx, &bare, sort, before.next.as_deref()).await;
            let most = |(keys, documents): (i64, i64)| keys.max(documents);
            let told = format!("order {place}, {ctx:?}: page 1 {first:?}, page 1000 {late:?}");
            assert!(
                most(first) <= TRIAL + FEW && most(late) <= most(first).max(FEW),
                "{told}"
            );
        }
    }
}
