//! Of a sharded model, each command about one document names the whole shard key. There is no cluster here: what a router does
//! with it is the server's.

use bson::{Document, doc};
use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions};
use model_tests::events::{CommandLog, SentCommand};
use model_tests::server::recorded_database;

use super::Person;

#[derive(Clone, Model)]
#[model(collection = "spread", shard_key(organization, id = hashed), soft_delete, audit)]
struct Spread {
    #[model(id)]
    id: Id<Spread>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    #[model(default = 0)]
    count: i64,
}

impl BaseModel for Spread {
    type Actor = Person;
    fn can_read(&self, _: &Context<Person>) -> bool {
        true
    }
    fn can_create(&self, _: &Context<Person>) -> bool {
        true
    }
    fn can_update(&self, _: &Context<Person>, _: &Self) -> bool {
        true
    }
    fn can_delete(&self, _: &Context<Person>) -> bool {
        true
    }
}

/// The filters and documents of the commands to the collection.
fn targets(log: &CommandLog) -> Vec<Document> {
    let inside = |command: &SentCommand, list: &str, key: Option<&str>| -> Vec<Document> {
        let items = command.body.get_array(list).unwrap().iter();
        let items = items.map(|item| item.as_document().unwrap());
        items
            .map(|item| key.map_or(item, |key| item.get_document(key).unwrap()).clone())
            .collect()
    };
    let commands = log.take().into_iter();
    let own = commands.filter(|command| {
        command
            .body
            .get_str(&command.name)
            .is_ok_and(|name| name == "spread")
    });
    own.flat_map(|command| match command.name.as_str() {
        "find" => vec![command.body.get_document("filter").unwrap().clone()],
        "update" => inside(&command, "updates", Some("q")),
        "delete" => inside(&command, "deletes", Some("q")),
        "insert" => inside(&command, "documents", None),
        other => panic!("{other}"),
    })
    .collect()
}

#[tokio::test]
async fn every_command_on_one_document_names_the_shard_key() {
    let (recorded, log) = recorded_database().await;
    let db = Db::mongo(recorded).model::<Spread>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    // A replica set has no shards: the declared index is all there is to make.
    let plan = db.sync_collections().await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let indexes = db.plan_indexes().await.unwrap();
    assert!(indexes.is_empty(), "{indexes}");
    let ctx = &db.context(
        TenantId::new("acme").unwrap(),
        Person {
            reads: true,
            writes: true,
        },
    );
    let new = || NewSpread {
        name: "one".into(),
        optional: NewSpreadOptional::default(),
    };
    let named = |name: &str| SpreadPatch {
        name: Set(name.into()),
        ..Default::default()
    };
    log.take();
    let one = Spread::create(ctx, new()).await.unwrap();
    let id = &one.id;
    Spread::fetch(ctx, id).await.unwrap();
    Spread::update(ctx, id, named("two")).await.unwrap();
    Spread::update_with(ctx, id, |s| s.count.inc(1)).await.unwrap();
    Spread::modify(ctx, id, |_| Ok(Some(named("three"))))
        .await
        .unwrap();
    Spread::replace(ctx, id, new()).await.unwrap();
    Spread::delete(ctx, id).await.unwrap();
    Spread::restore(ctx, id).await.unwrap();
    Spread::purge(ctx, id).await.unwrap();
    let sent = targets(&log);
    assert!(sent.len() >= 16, "{sent:?}");
    for target in sent {
        let organization = target.get("organization").unwrap();
        assert!(
            [doc! { "$eq": "acme" }.into(), "acme".into()].contains(organization),
            "{target}"
        );
        assert!(target.get_object_id("_id").is_ok(), "{target}");
    }
}
