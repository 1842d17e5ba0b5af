//! Contract C 8 and C 10: the commands of a move, each with the tenant of its side.

use bson::Bson;
use model_core::ModelExt;
use model_core::prelude::*;
use model_tests::server::recorded_database;

use super::{Ctx, Person};

#[derive(Clone, Model)]
#[model(collection = "crates")]
struct Crate {
    #[model(id)]
    id: Id<Crate>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}

impl BaseModel for Crate {
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

#[tokio::test]
async fn a_move_carries_the_tenant_of_each_side() {
    let (database, log) = recorded_database().await;
    let db = Db::mongo(database).model::<Crate>().build().await.unwrap();
    let person = Person {
        reads: true,
        writes: true,
    };
    let ctx = db
        .context(TenantId::new("acme").unwrap(), person)
        .with_reason("sold");
    let made = Crate::create(&ctx, NewCrate { name: "c".into() }).await.unwrap();
    log.take();
    Crate::move_to_tenant(&ctx, &made.id, TenantId::new("globex").unwrap())
        .await
        .unwrap();
    let sent = log.take();
    let names: Vec<_> = sent.iter().map(|command| command.name.as_str()).collect();
    assert_eq!(names, ["find", "delete", "insert", "insert", "commitTransaction"]);
    let of = |filter: &bson::Document| {
        filter
            .get_document("organization")
            .unwrap()
            .get_str("$eq")
            .unwrap()
            .to_owned()
    };
    assert_eq!(of(sent[0].body.get_document("filter").unwrap()), "acme");
    let deleted = sent[1].body.get_array("deletes").unwrap()[0]
        .as_document()
        .unwrap();
    assert_eq!(of(deleted.get_document("q").unwrap()), "acme");
    let inserted = |place: usize, field: &str| -> Vec<Bson> {
        let documents = sent[place].body.get_array("documents").unwrap().iter();
        documents
            .map(|one| one.as_document().unwrap().get(field).unwrap().clone())
            .collect()
    };
    assert_eq!(inserted(2, "organization"), ["globex".into()]);
    assert_eq!(inserted(3, "tenant"), ["acme".into(), "globex".into()]);
}
