//! Attacks 17, 39, 41, 49 and 50, by number: places, values that look like operators, and policies that fail or look at the wrong side.

use bson::{Bson, doc};
use model_core::prelude::*;

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User};

/// A file in somebody's folder.
#[derive(Clone, Model)]
#[model(collection = "files")]
struct File {
    #[model(id)]
    id: Id<File>,
    #[model(tenant)]
    organization: TenantId,
    folder: String,
    text: String,
    any: Bson,
    token: Option<Encrypted<String>>,
}

impl BaseModel for File {
    type Actor = User;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        assert_ne!(self.text, "panics", "a policy that fails");
        true
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        after.folder == ctx.actor().name
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }
}

async fn open(stage: Stage) -> (Db, Ctx) {
    let builder = stage.builder().keys(model_core::testing::keyring().unwrap());
    let db = builder.model::<File>().build().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::viewer("ada", &[]));
    (db, ctx)
}

async fn file(ctx: &Ctx, text: &str) -> File {
    let new = NewFile {
        folder: "ada".into(),
        text: text.into(),
        any: Bson::Int32(1),
        optional: NewFileOptional {
            token: Some(Secret::from("canary")),
        },
    };
    File::create(ctx, new).await.unwrap()
}

fn says(text: &str) -> FilePatch {
    FilePatch {
        text: Set(text.into()),
        ..Default::default()
    }
}

on_both_stores! {
    /// 39: a document in the place of a value is a value, though it has the name of an operator.
    async fn an_operand_is_a_value(stage: Stage) {
        let (_db, ctx) = open(stage).await;
        file(&ctx, "one").await;
        for operand in [doc! { "$ne": Bson::Null }, doc! { "$gt": 0 }, doc! { "$exists": true }, doc! { "$in": [1] }] {
            let operand = Bson::Document(operand);
            let count = File::query(&ctx).filter(|f| f.any.eq(operand.clone())).count().await.unwrap();
            assert_eq!(count, 0, "{operand}");
            let count = File::query(&ctx).filter(|f| f.any.in_([operand.clone()])).count().await.unwrap();
            assert_eq!(count, 0, "{operand}");
        }
        assert_eq!(File::query(&ctx).filter(|f| f.any.eq(Bson::Int32(1))).count().await.unwrap(), 1);
    }

    /// 41: a text that begins with `$` is a text, wherever it is written or asked for.
    async fn a_text_names_no_field(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let texts = ["$token", "$$ROOT", "$folder", "{$literal: 1}"];
        for text in texts {
            let created = file(&ctx, "before").await;
            let updated = File::update(&ctx, &created.id, says(text)).await.unwrap();
            assert_eq!(updated.text, text);
            let again = File::update_with(&ctx, &created.id, |f| f.text.set(text)).await.unwrap();
            assert_eq!(again.text, text);
            let found = File::query(&ctx).filter(|f| f.text.eq(text)).await.unwrap();
            assert_eq!(found.len(), 1, "{text}");
        }
        let mut distinct = File::query(&ctx).distinct(|f| &f.text).await.unwrap();
        distinct.sort();
        let mut expected = texts.map(str::to_owned);
        expected.sort();
        assert_eq!(distinct, expected);
        let stored = model_core::testing::stored(&db, "files").await.unwrap();
        assert!(stored.iter().all(|found| texts.contains(&found.get_str("text").unwrap())), "{stored:?}");
    }

    /// 49: a policy that fails gives nothing out, and stands in nobody else's way.
    async fn a_policy_that_panics_denies(stage: Stage) {
        let (_db, ctx) = open(stage).await;
        let (good, bad) = (file(&ctx, "good").await, file(&ctx, "panics").await);
        let get = tokio::spawn({
            let (ctx, id) = (ctx.clone(), bad.id.clone());
            async move { File::get(&ctx, &id).await.map(|found| found.is_some()) }
        });
        assert!(get.await.unwrap_err().is_panic());
        let list = tokio::spawn({
            let ctx = ctx.clone();
            async move { File::query(&ctx).await.map(|found| found.len()) }
        });
        assert!(list.await.unwrap_err().is_panic());
        let update = tokio::spawn({
            let (ctx, id) = (ctx.clone(), bad.id.clone());
            async move { File::update(&ctx, &id, says("after")).await.map(drop) }
        });
        assert!(update.await.unwrap_err().is_panic());
        assert_eq!(File::fetch(&ctx, &good.id).await.unwrap().text, "good");
        File::update(&ctx, &good.id, says("after")).await.unwrap();
        let transaction = tokio::spawn({
            let (ctx, bad, good) = (ctx.clone(), bad.id.clone(), good.id.clone());
            async move {
                ctx.transaction(|tx| {
                    let (bad, good) = (bad.clone(), good.clone());
                    async move {
                        File::update(&tx, &good, says("in a transaction")).await?;
                        File::get(&tx, &bad).await.map(drop)
                    }
                })
                .await
            }
        });
        assert!(transaction.await.unwrap_err().is_panic());
        assert_eq!(File::fetch(&ctx, &good.id).await.unwrap().text, "after");
        File::update(&ctx, &good.id, says("once more")).await.unwrap();
    }

    /// 50: a change that moves a document to where its actor may not write is denied, whatever the verb.
    async fn the_new_state_is_asked_about(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let file = file(&ctx, "one").await;
        let moved = || FilePatch { folder: Set("bob".into()), ..Default::default() };
        let other = db.context(TenantId::new("acme").unwrap(), User::viewer("bob", &[]));
        let mut errors = vec![
            File::update(&ctx, &file.id, moved()).await.map(drop).unwrap_err(),
            File::update_with(&ctx, &file.id, |f| f.folder.set("bob")).await.map(drop).unwrap_err(),
            File::modify(&ctx, &file.id, |_| Ok(Some(moved()))).await.map(drop).unwrap_err(),
            File::update_many(&ctx, |f| f.text.eq("one"), moved()).await.map(drop).unwrap_err(),
            File::bulk(&ctx).update(file.id.clone(), moved()).await.map(drop).unwrap_err(),
        ];
        errors.push(File::update(&other, &file.id, says("two")).await.map(drop).unwrap_err());
        for error in errors {
            assert!(error.is_forbidden(), "{error}");
        }
        let found = File::fetch(&ctx, &file.id).await.unwrap();
        assert_eq!((found.folder.as_str(), found.text.as_str()), ("ada", "one"));
    }
}

mod places {
    use model_core::crypto::Origin;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(4), Just(b'a')], 0..6)
    }

    type Parts = (String, String, Option<(u8, Vec<u8>)>, (u8, Vec<u8>));

    fn parts() -> impl Strategy<Value = Parts> {
        let typed = || (prop_oneof![Just(2_u8), Just(7)], bytes());
        ("[ab]{0,3}", "[ab.]{0,3}", prop::option::of(typed()), typed())
    }

    fn origin((collection, path, tenant, id): &Parts) -> Origin<'_> {
        Origin {
            collection,
            path,
            tenant: tenant.as_ref().map(|(tag, bytes)| (*tag, bytes.as_slice())),
            id: (id.0, &id.1),
        }
    }

    proptest! {
        /// 17: two places have one form only if they are one place; and a place is read back from its form.
        #[test]
        fn no_two_places_have_one_form(one in parts(), other in parts()) {
            let (bytes, others) = (origin(&one).encode(), origin(&other).encode());
            prop_assert_eq!(bytes == others, one == other);
            prop_assert!(!others.starts_with(&bytes) || one == other);
            let read = Origin::parse(&bytes).unwrap();
            prop_assert_eq!(read.encode(), bytes.clone());
            prop_assert!(read == origin(&one));
        }
    }
}
