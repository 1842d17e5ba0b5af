//! What a search sends: the words beside everything else, the score, and an index that begins with the tenant.

use bson::{Document, doc};
use model_core::SyncOptions;
use model_core::prelude::*;
use model_tests::server::recorded_database;

use super::{Ctx, Person, Rival, policy};

#[derive(Clone, Model)]
#[model(collection = "pages", index(title = text(2), text = text))]
struct Leaf {
    #[model(id)]
    id: Id<Leaf>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    text: String,
}

policy!(Leaf, Exact);

#[tokio::test]
async fn one_command_by_the_tenants_part_of_the_index() {
    let (database, log) = recorded_database().await;
    let db = Db::mongo(database.clone())
        .state(Rival::default())
        .model::<Leaf>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let person = Person {
        reads: true,
        writes: true,
    };
    let ctx: Ctx = db.context(TenantId::new("acme").unwrap(), person);
    for title in ["Milk", "Oat milk"] {
        let new = NewLeaf {
            title: title.into(),
            text: "white".into(),
        };
        Leaf::create(&ctx, new).await.unwrap();
    }
    log.take();
    let search = || {
        Leaf::query(&ctx)
            .filter(|l| l.text.eq("white"))
            .search("milk -oat")
            .limit(5)
    };
    assert_eq!(search().await.unwrap().len(), 1);
    let sent = log.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let command: Document = sent[0].body.clone();
    let text = doc! { "$search": "milk -oat", "$caseSensitive": false, "$diacriticSensitive": false };
    let filter = doc! {
        "organization": { "$eq": "acme" },
        "$and": [{ "text": { "$eq": "white" } }, { "$text": text }],
    };
    assert_eq!(command.get_document("filter").unwrap(), &filter);
    let score = doc! { "_score": { "$meta": "textScore" } };
    assert_eq!(command.get_document("projection").unwrap(), &score);
    let sort = doc! { "_score": { "$meta": "textScore" }, "_id": 1 };
    assert_eq!(command.get_document("sort").unwrap(), &sort);

    let explain = doc! { "explain": { "find": "pages", "filter": filter }, "verbosity": "queryPlanner" };
    let plan = database.run_command(explain).await.unwrap().to_string();
    assert!(
        plan.contains(r#""indexPrefix": { "organization": "acme" }"#),
        "{plan}"
    );
    assert_eq!(search().documents().count().await.unwrap(), 1);
}
