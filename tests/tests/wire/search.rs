//! What a search sends: the words beside everything else, the score, and an index that begins with the tenant.

use bson::{Document, doc};
use model_core::SyncOptions;
use model_core::prelude::*;
use model_tests::events::CommandLog;
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
    embedding: Option<Vector<2>>,
}

policy!(Leaf, Exact);

async fn open() -> (mongodb::Database, CommandLog, Ctx) {
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
    let ctx = db.context(TenantId::new("acme").unwrap(), person);
    for title in ["Milk", "Oat milk"] {
        let mut new = NewLeaf {
            title: title.into(),
            text: "white".into(),
            optional: NewLeafOptional::default(),
        };
        new.optional.embedding = Some([1.0, 0.5].try_into().unwrap());
        Leaf::create(&ctx, new).await.unwrap();
    }
    log.take();
    (database, log, ctx)
}

/// The vectors alone, then the best; before them an index of the server's is asked for, if there may be one.
#[tokio::test]
async fn the_nearest_are_two_commands() {
    let (_database, log, ctx) = open().await;
    let to = Vector::try_from([1.0, 0.0]).unwrap();
    let query = || Leaf::query(&ctx).filter(|l| l.text.eq("white"));
    assert_eq!(query().nearest(|l| &l.embedding, &to, 1).await.unwrap().len(), 1);
    let sent = log.take();
    let names: Vec<_> = sent.iter().map(|sent| sent.name.as_str()).collect();
    assert_eq!(names, ["find", "find"]);
    let fields = doc! { "_sv": 1, "embedding": 1, "organization": 1 };
    assert_eq!(sent[0].body.get_document("projection").unwrap(), &fields);
    let ids = sent[1]
        .body
        .get_document("filter")
        .unwrap()
        .get_array("$and")
        .unwrap();
    assert!(ids[0].to_string().contains("\"$in\""), "{ids:?}");
    let by_index = query()
        .nearest(|l| &l.embedding, &to, 1)
        .by_index("embedding_vector", 50);
    assert_eq!(by_index.await.unwrap().len(), 1);
    assert_eq!(log.take_names(), ["aggregate", "find", "find"]);
}

#[tokio::test]
async fn one_command_by_the_tenants_part_of_the_index() {
    let (database, log, ctx) = open().await;
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
