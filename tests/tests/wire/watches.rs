//! What a watch sends.

use bson::Document;
use model_core::prelude::*;
use model_core::{EventKind, ModelExt};
use model_tests::server::recorded_database;

use super::{Ctx, Person, Rival, policy};

#[derive(Clone, Model)]
#[model(collection = "signals", watch)]
struct Signal {
    #[model(id)]
    id: Id<Signal>,
    #[model(tenant)]
    organization: TenantId,
    text: String,
}

policy!(Signal, Exact);

/// The same collection, where `can_read` has a say.
#[derive(Clone, Model)]
#[model(collection = "rumours", watch)]
struct Rumour {
    #[model(id)]
    id: Id<Rumour>,
    #[model(tenant)]
    organization: TenantId,
    text: String,
}

policy!(Rumour, Superset);

/// Of which side of a change something is asked, and of which it must not hold.
fn sides(stages: &[Document]) -> (bool, bool, bool) {
    let asked = stages.get(2).map(Document::to_string).unwrap_or_default();
    let asked = if asked.contains("$match") {
        asked
    } else {
        String::new()
    };
    (
        asked.contains("fullDocument."),
        asked.contains("fullDocumentBeforeChange."),
        asked.contains("$nor") || asked.contains("$not"),
    )
}

#[tokio::test]
async fn a_kind_is_asked_for_by_its_sides() {
    let (database, log) = recorded_database().await;
    let db = Db::mongo(database)
        .state(Rival::default())
        .model::<Signal>()
        .model::<Rumour>()
        .build_lazy()
        .unwrap();
    db.sync_collections().await.unwrap();
    let person = Person {
        reads: true,
        writes: true,
    };
    let ctx: Ctx = db.context(TenantId::new("acme").unwrap(), person);
    let sent = || {
        let mut pipelines = log.take().into_iter().filter_map(|command| {
            let stages = command.body.get_array("pipeline").ok()?;
            let stages = stages.iter().map(|stage| stage.as_document().unwrap().clone());
            Some(stages.collect::<Vec<_>>()).filter(|stages| stages[0].contains_key("$changeStream"))
        });
        sides(&pipelines.next().unwrap())
    };
    let exact = async |kinds: &[EventKind]| {
        drop(Signal::watch(&ctx).only(kinds.iter().copied()).await.unwrap());
        sent()
    };
    let superset = async |kinds: &[EventKind]| {
        drop(Rumour::watch(&ctx).only(kinds.iter().copied()).await.unwrap());
        sent()
    };
    use EventKind::{Created, Deleted, Updated};
    assert_eq!(exact(&[Created, Updated, Deleted]).await, (false, false, false));
    assert_eq!(
        exact(&[Created]).await,
        (true, true, true),
        "after, and not before"
    );
    assert_eq!(
        exact(&[Deleted]).await,
        (true, true, true),
        "before, and not after"
    );
    assert_eq!(exact(&[Updated]).await, (true, true, false));
    assert_eq!(exact(&[Created, Updated]).await, (true, false, false));
    assert_eq!(
        superset(&[Created]).await,
        (true, false, false),
        "before may not be readable"
    );
    assert_eq!(superset(&[Deleted]).await, (false, true, false));
    assert_eq!(superset(&[Updated]).await, (true, true, false));
    assert_eq!(
        superset(&[Created, Deleted]).await,
        (false, false, false),
        "either side"
    );
}
