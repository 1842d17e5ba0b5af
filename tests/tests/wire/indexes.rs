//! Contract K 42: what a sync sends: an index whose time to live or visibility differs is changed in place.

use bson::{Document, doc};
use model_core::SyncOptions;
use model_core::prelude::*;
use model_tests::events::{CommandLog, SentCommand};
use model_tests::server::recorded_database;

use super::{Ctx, Person};

macro_rules! lease {
    ($model:ident [$($index:tt)*] $ttl:literal) => {
        #[derive(Clone, Model)]
        #[model(collection = "leases", $($index)*)]
        struct $model {
            #[model(id)]
            id: Id<$model>,
            #[model(tenant)]
            organization: TenantId,
            name: String,
            #[model(ttl = $ttl)]
            ends: DateTime<Utc>,
        }

        impl BaseModel for $model {
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
        }
    };
}

lease!(Daily[index(name)] "1d");
lease!(Weekly[index(name)] "7d");
lease!(Nameless[] "7d");
lease!(Renamed[index(name, id, name = "both", replaces = "organization_1_name_1")] "7d");

fn handle<M: BaseModel>(database: &mongodb::Database) -> Db {
    Db::mongo(database.clone()).model::<M>().build_lazy().unwrap()
}

/// The commands that changed an index.
fn changes(log: &CommandLog) -> Vec<SentCommand> {
    let sent = log.take().into_iter();
    sent.filter(|sent| ["createIndexes", "dropIndexes", "collMod"].contains(&sent.name.as_str()))
        .collect()
}

/// The one command, which changes an index in place.
fn modified(log: &CommandLog) -> Document {
    let sent = changes(log);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].name, "collMod");
    assert_eq!(sent[0].body.get_str("collMod").unwrap(), "leases");
    sent[0].body.get_document("index").unwrap().clone()
}

/// Another time to live: one `collMod`.
#[tokio::test]
async fn a_time_to_live_changes_in_place() {
    let (database, log) = recorded_database().await;
    handle::<Daily>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    assert!(changes(&log).iter().all(|sent| sent.name == "createIndexes"));
    let db = handle::<Weekly>(&database);
    // Whatever may be dropped: nothing has to be.
    let all = SyncOptions::new().drop_extra(true).drop_foreign(true);
    db.sync_indexes(all).await.unwrap();
    let expected = doc! { "name": "ends_1_ttl", "expireAfterSeconds": 604_800_i64 };
    assert_eq!(modified(&log), expected);
    db.check_indexes().await.unwrap();
    db.sync_indexes(all).await.unwrap();
    assert!(changes(&log).is_empty());
}

/// Hidden before it goes, and shown when it is declared again: one `collMod` each, and no build.
#[tokio::test]
async fn an_index_is_hidden_and_shown_in_place() {
    let (database, log) = recorded_database().await;
    handle::<Weekly>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    log.take();
    let careful = SyncOptions::new().drop_extra(true).hide_first(true);
    let without = handle::<Nameless>(&database);
    without.sync_indexes(careful).await.unwrap();
    let index = |hidden: bool| doc! { "name": "organization_1_name_1", "hidden": hidden };
    assert_eq!(modified(&log), index(true));
    handle::<Weekly>(&database).sync_indexes(careful).await.unwrap();
    assert_eq!(modified(&log), index(false));
    without.sync_indexes(careful).await.unwrap();
    assert_eq!(modified(&log), index(true));
    without.sync_indexes(careful).await.unwrap();
    let sent = changes(&log);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(
        (sent[0].name.as_str(), sent[0].body.get_str("index").unwrap()),
        ("dropIndexes", "organization_1_name_1")
    );
}

/// What is superseded is dropped after its successor was built.
#[tokio::test]
async fn a_successor_is_built_first() {
    let (database, log) = recorded_database().await;
    handle::<Weekly>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    log.take();
    handle::<Renamed>(&database)
        .sync_indexes(SyncOptions::new())
        .await
        .unwrap();
    let names: Vec<_> = changes(&log).into_iter().map(|sent| sent.name).collect();
    assert_eq!(names, ["createIndexes", "dropIndexes"]);
}
