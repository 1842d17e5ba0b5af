//! The verb of models with one document for each tenant.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;
use model_core::testing;

use super::model::{Calls, Ctx, Stage, User};

with_its_id! {
#[derive(Clone, Model)]
#[model(collection = "only", singleton, audit)]
pub(crate) struct Only {
    #[model(id)]
    id: Id<Only>,
    #[model(tenant)]
    organization: TenantId,
    #[model(trim, len(1..=12))]
    name: String,
    #[model(revision)]
    revision: Revision,
}
}

impl BaseModel for Only {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().reads
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().writes
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().writes
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().writes
    }

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Filter::all()
    }

    async fn before_create(ctx: &Ctx, document: &mut Self) -> Result<()> {
        document.name.push('!');
        Calls::call(ctx, "before_create", vec![])
    }

    async fn after_create(ctx: &Ctx, document: &Self) -> Result<()> {
        let shown = doc! { "name": &document.name, "_rev": document.revision.to_string() };
        Calls::call(ctx, "after_create", vec![shown])
    }
}

async fn only(ctx: &Ctx, name: &str, in_transaction: bool) -> Result<Only> {
    let new = || NewOnly { name: name.into() };
    match in_transaction {
        false => Only::singleton(ctx, new).await,
        true => {
            ctx.transaction(|tx: Ctx| async move { Only::singleton(&tx, new).await })
                .await
        }
    }
}

/// Permission, validation, hooks with the final document, audit and tenant, of the call that creates; the next one reads.
#[tokio::test]
async fn a_singleton_is_created_as_others_are() {
    for in_transaction in [false, true] {
        for stage in Stage::both().await {
            let stored = async || testing::stored(&stage.db, "only").await.unwrap();
            let error = only(&stage.acme(true, false), "one", in_transaction)
                .await
                .unwrap_err();
            assert!(error.is_forbidden(), "{error}");
            let error = only(&stage.admin, "much too long", in_transaction)
                .await
                .unwrap_err();
            assert!(
                error.is_invalid() && error.violations()[0].path == "name",
                "{error}"
            );
            assert!(stored().await.is_empty() && stage.log().await.is_empty());
            stage.calls.take();

            let created = only(&stage.admin, " one ", in_transaction).await.unwrap();
            let raw = stored().await.remove(0);
            assert_eq!(
                (created.name.as_str(), raw.get_str("name").unwrap()),
                ("one!", "one!")
            );
            assert_eq!(raw.get_str("organization").unwrap(), "acme");
            let final_one = doc! { "name": "one!", "_rev": raw.get_i64("_rev").unwrap().to_string() };
            let shown = stage.calls.take_shown();
            assert_eq!(
                shown,
                [("before_create", vec![]), ("after_create", vec![final_one])]
            );
            assert_eq!(stage.log().await[0].get_str("event").unwrap(), "only.create");

            let again = only(&stage.acme(true, false), "two", in_transaction)
                .await
                .unwrap();
            assert_eq!((again.id, again.name), (created.id, "one!".to_owned()));
            assert!(stage.calls.take().is_empty());
            let error = only(&stage.acme(false, true), "two", in_transaction)
                .await
                .unwrap_err();
            assert!(error.is_not_found(), "{error}");
            assert_eq!((stored().await.len(), stage.log().await.len()), (1, 1));
            stage.calls.take();

            only(&stage.rival(), "theirs", in_transaction).await.unwrap();
            assert_eq!((stored().await.len(), stage.log().await.len()), (2, 2));
        }
    }
}

/// First calls that race, each in a transaction of its own: one creates, the others read what it has created.
#[tokio::test]
async fn racing_transactions_make_one() {
    for stage in Stage::both().await {
        let names = ["a", "b", "c", "d"];
        let calls = names.map(|name| only(&stage.admin, name, true));
        let made = futures_util::future::try_join_all(calls).await.unwrap();
        assert!(made.iter().all(|one| one.name == made[0].name));
        assert_eq!(testing::stored(&stage.db, "only").await.unwrap().len(), 1);
        assert_eq!(stage.log().await.len(), 1);
    }
}
