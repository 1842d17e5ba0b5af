//! Commands that fail, connections that break, commits whose outcome nobody knows.

use std::collections::BTreeMap;

use bson::{Document, doc};
use model_core::prelude::*;
use model_core::{Db, SyncOptions};
use model_tests::server::{fresh_database, server};

use crate::ledger::{Story, Told, told};
use crate::model::{Ctx, Part, PartPatch, Worker, part};

fn named(name: &str) -> PartPatch {
    PartPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

/// A handle whose commands alone fail, and the same database by a client whose commands do not.
struct Stage {
    admin: mongodb::Database,
    app: String,
    ctx: Ctx,
    sound: Db,
}

impl Stage {
    async fn new() -> Self {
        let sound_database = fresh_database().await;
        let app = format!("faults {}", sound_database.name());
        let mut options = server().await.client_options().await;
        options.app_name = Some(app.clone());
        let client = mongodb::Client::with_options(options).unwrap();
        let open = |database| Db::mongo(database).model::<Part>().build_lazy().unwrap();
        let sound = open(sound_database.clone());
        sound.sync_indexes(SyncOptions::default()).await.unwrap();
        let db = open(client.database(sound_database.name()));
        let ctx = db.context(TenantId::new("acme").unwrap(), Worker);
        assert_eq!(Part::query(&ctx).count().await.unwrap(), 0);
        Self {
            admin: server().await.client().await.database("admin"),
            app,
            ctx,
            sound,
        }
    }

    async fn fail(&self, command: &str, mode: impl Into<bson::Bson>, how: &Document) {
        let mut data = doc! { "failCommands": [command], "appName": &self.app };
        data.extend(how.clone());
        let fail_point = doc! { "configureFailPoint": "failCommand", "mode": mode.into(), "data": data };
        self.admin.run_command(fail_point).await.unwrap();
    }

    async fn heal(&self) {
        let off = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        self.admin.run_command(off).await.unwrap();
    }

    /// What the documents are called, after the audit log has told the same.
    async fn tells_one_story(&self, case: &str) -> BTreeMap<String, String> {
        Story::read(&self.sound, "parts", "part", case).await.names
    }
}

#[tokio::test]
async fn a_failed_command_is_never_half_a_write() {
    let stage = Stage::new().await;
    let faults = [
        ("interrupted", doc! { "errorCode": 11_602 }),
        ("not primary", doc! { "errorCode": 10_107 }),
        ("refused", doc! { "errorCode": 2 }),
        ("broken connection", doc! { "closeConnection": true }),
        (
            "labelled",
            doc! { "errorCode": 112, "errorLabels": ["TransientTransactionError"] },
        ),
    ];
    for command in ["find", "insert", "update", "delete", "commitTransaction"] {
        for (fault, how) in &faults {
            for times in [1, 3] {
                let case = format!("{times} x {fault} of {command}");
                let kept = Part::create_many(&stage.ctx, ["kept", "changed", "deleted"].map(part))
                    .await
                    .unwrap();
                let [_, changed, deleted] = kept.map_ids();
                stage.fail(command, doc! { "times": times }, how).await;
                let created = told(&Part::create(&stage.ctx, part("created")).await);
                let updated = told(&Part::update(&stage.ctx, &changed, named("after")).await);
                let removed = told(&Part::delete(&stage.ctx, &deleted).await);
                let many = told(&Part::create_many(&stage.ctx, ["m1", "m2"].map(part)).await);
                let renamed =
                    told(&Part::update_many(&stage.ctx, |p| p.name.eq("kept"), named("moved")).await);
                let both = told(
                    &stage
                        .ctx
                        .transaction(|tx| async move {
                            Part::create(&tx, part("t1")).await?;
                            Part::create(&tx, part("t2")).await
                        })
                        .await,
                );
                stage.heal().await;
                let names = stage.tells_one_story(&case).await;
                let count = |name: &str| names.values().filter(|one| *one == name).count();
                let agrees = |told: Told, there: bool| match told {
                    Told::Done => there,
                    Told::Failed => !there,
                    Told::Unknown => true,
                };
                assert!(
                    agrees(created, count("created") == 1),
                    "{case}: create {created:?}"
                );
                assert!(
                    agrees(updated, names[&changed.to_string()] == "after"),
                    "{case}: update {updated:?}"
                );
                assert!(
                    agrees(removed, !names.contains_key(&deleted.to_string())),
                    "{case}: delete {removed:?}"
                );
                assert!(
                    agrees(many, count("m1") == 1 && count("m2") == 1),
                    "{case}: create_many {many:?}"
                );
                assert_eq!(count("m1"), count("m2"), "{case}: half a batch");
                assert!(
                    agrees(renamed, count("kept") == 0),
                    "{case}: update_many {renamed:?}"
                );
                assert!(
                    agrees(both, count("t1") == 1 && count("t2") == 1),
                    "{case}: transaction {both:?}"
                );
                assert_eq!(count("t1"), count("t2"), "{case}: half a transaction");
                Part::delete_many(&stage.ctx, |_| Filter::all())
                    .allow_all()
                    .await
                    .unwrap();
            }
        }
    }
}

/// The ids of three documents.
trait Ids {
    fn map_ids(self) -> [Id<Part>; 3];
}

impl Ids for Vec<Part> {
    fn map_ids(self) -> [Id<Part>; 3] {
        let ids: Vec<_> = self.into_iter().map(|part| part.id).collect();
        ids.try_into().unwrap()
    }
}

/// A commit that took effect, of which the client hears nothing: it is sent again, and once is once.
#[tokio::test]
async fn an_unknown_commit_is_sent_again() {
    let stage = Stage::new().await;
    let lost = doc! { "writeConcernError": { "code": 91, "errmsg": "going down" } };
    stage.fail("commitTransaction", doc! { "times": 1 }, &lost).await;
    let created = Part::create(&stage.ctx, part("a")).await;
    stage.heal().await;
    assert!(created.is_ok(), "{created:?}");
    assert_eq!(stage.tells_one_story("a lost commit").await.len(), 1);

    // A majority that is not reached in time, however often it is asked for.
    let lost = doc! { "writeConcernError": { "code": 64, "errmsg": "waiting for replication timed out" } };
    stage.fail("commitTransaction", "alwaysOn", &lost).await;
    let created = Part::create(&stage.ctx, part("b")).await;
    stage.heal().await;
    assert_eq!(told(&created), Told::Unknown, "{created:?}");
    assert_eq!(
        stage
            .tells_one_story("a commit that is never confirmed")
            .await
            .len(),
        2
    );
}

/// A retried write outside of transactions takes effect once.
#[tokio::test]
async fn a_repeated_write_is_one_write() {
    let stage = Stage::new().await;
    let id = Part::create(&stage.ctx, part("a")).await.unwrap().id;
    for command in ["find", "update"] {
        stage
            .fail(command, doc! { "times": 1 }, &doc! { "closeConnection": true })
            .await;
        let updated = Part::update(&stage.ctx, &id, named(command)).await;
        stage.heal().await;
        assert_eq!(updated.unwrap().name, command);
    }
    stage.tells_one_story("repeated writes").await;
}
