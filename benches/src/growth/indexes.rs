//! Whether reads use the index where a collection has a thousand tenants, and where a scope has ten thousand ids: by what
//! the server says that it looks at for the very commands that were sent.

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions};
use model_tests::events::CommandLog;
use model_tests::server;
use mongodb::Database;

use super::object_id;
use crate::document::TENANT;
use crate::report::{self, Row};

/// How many tenants there are, and how many documents each has.
const TENANTS: u32 = 1_000;
const EACH: u32 = 100;
/// How many ids the scope of a reader has.
const SCOPE: u32 = 10_000;
/// They are each so manieth document of the tenant.
const SPREAD: u32 = 10;
/// How many of them are read.
const READ: u64 = 50;

/// Who reads: everything, or what is listed.
struct Reader(Option<Vec<Id<Ticket>>>);

impl Actor for Reader {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

#[derive(Clone, Model)]
#[model(collection = "tickets", index(rank, id))]
struct Ticket {
    #[model(id)]
    id: Id<Ticket>,
    #[model(tenant)]
    organization: TenantId,
    rank: i64,
    text: String,
}

impl BaseModel for Ticket {
    type Actor = Reader;

    fn can_read(&self, _ctx: &Context<Reader>) -> bool {
        !self.text.is_empty() && self.rank >= 0 && !self.organization.to_string().is_empty()
    }

    fn can_create(&self, _ctx: &Context<Reader>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Context<Reader>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Context<Reader>) -> bool {
        true
    }

    fn read_scope(ctx: &Context<Reader>) -> Filter<Self> {
        match &ctx.actor().0 {
            Some(ids) => Self::filter(|ticket| ticket.id.in_(ids)),
            None => Filter::all(),
        }
    }
}

/// What the server looks at for each document that it gives.
///
/// # Panics
/// If there is no server.
pub async fn indexes() -> Vec<Row> {
    let (database, log) = server::recorded_database().await;
    let db = Db::mongo(database.clone())
        .model::<Ticket>()
        .build()
        .await
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    fill(&database).await;
    let tenant = || TenantId::new(TENANT).unwrap();
    let ids = (0..SCOPE).map(|number| Id::parse(&object_id(number * SPREAD).to_hex()).unwrap());
    let all = db.context(tenant(), Reader(None));
    let scoped = db.context(tenant(), Reader(Some(ids.collect())));

    let mut rows = Vec::new();
    log.take();
    let found = Ticket::query(&all)
        .sort(|ticket| ticket.rank.asc())
        .limit(READ)
        .await
        .unwrap();
    assert_eq!(found.len() as u64, READ);
    rows.extend(examined("one tenant of 1,000, sorted", &database, &log).await);

    let found = Ticket::query(&all)
        .filter(|ticket| ticket.rank.gte(50))
        .limit(READ)
        .await
        .unwrap();
    assert_eq!(found.len() as u64, READ);
    rows.extend(examined("one tenant of 1,000, filtered", &database, &log).await);

    let found = Ticket::query(&scoped)
        .sort(|ticket| ticket.rank.asc())
        .limit(READ)
        .await
        .unwrap();
    assert_eq!(found.len() as u64, READ);
    rows.extend(examined("a scope of 10,000 ids, sorted", &database, &log).await);

    let one = Id::parse(&object_id(7 * SPREAD).to_hex()).unwrap();
    assert!(Ticket::get(&scoped, &one).await.unwrap().is_some());
    rows.extend(examined("a scope of 10,000 ids, by id", &database, &log).await);
    server::drop_database(database).await;
    report::show(rows).collect()
}

/// The tenant that is read has ten times as many documents as the scope has ids; each other one has fewer.
async fn fill(database: &Database) {
    let tickets = database.collection::<Document>("tickets");
    let own = (0..SCOPE * SPREAD).map(|number| {
        doc! { "_id": object_id(number), "organization": TENANT, "rank": i64::from(number), "text": "own" }
    });
    tickets.insert_many(own).await.unwrap();
    for first in (1..TENANTS).step_by(100) {
        let others = (first..TENANTS.min(first + 100)).flat_map(|tenant| {
            (0..EACH).map(move |number| {
                doc! { "organization": format!("tenant-{tenant}"), "rank": i64::from(number), "text": "other" }
            })
        });
        tickets.insert_many(others).await.unwrap();
    }
}

/// The documents and the keys that the server examined for the read that was sent last, to the documents that it gave.
#[allow(clippy::cast_precision_loss, reason = "a few thousand documents")]
async fn examined(name: &str, database: &Database, log: &CommandLog) -> [Row; 2] {
    let sent = log.take();
    let find = sent
        .into_iter()
        .rfind(|command| command.name == "find")
        .expect("a read");
    let mut command = find.body;
    for key in ["lsid", "$db", "$clusterTime", "$readPreference", "txnNumber"] {
        command.remove(key);
    }
    let explain = doc! { "explain": command, "verbosity": "executionStats" };
    let told = database.run_command(explain).await.unwrap();
    log.take();
    let statistics = told.get_document("executionStats").unwrap();
    let number = |key: &str| match statistics.get(key) {
        Some(Bson::Int32(number)) => f64::from(*number),
        Some(Bson::Int64(number)) => *number as f64,
        other => panic!("{key} is {other:?}"),
    };
    let stages = told.get_document("queryPlanner").unwrap().to_string();
    assert!(!stages.contains("COLLSCAN"), "{name}: {stages}");
    let of = |unit, key| Row::exact(name, unit, number(key), number("nReturned"));
    [
        of("documents", "totalDocsExamined").at_most(1.0),
        // Of a scope, as many as lie between those that are in it.
        of("keys", "totalKeysExamined").at_most(f64::from(2 * SPREAD)),
    ]
}
