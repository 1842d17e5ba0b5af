//! Every operation of the crate on the model, and what each says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures_util::TryStreamExt;
use model_core::crypto::{Candidate, Purpose};
use model_core::prelude::*;
use model_core::query::Group;
use model_core::testing::{self, FixedClock};
use model_core::{Confirm, Embedded, ModelExt};

use crate::model::{
    Account, CANARY, Contact, Ctx, MARKER, NewSafe, NewSafeOptional, Part, Safe, SafePatch, User, keyring,
    register,
};

/// The canary as LibreChat and as GrowthBook would store it, by Node's `createCipheriv`.
const OLD: &str = "v3:0f1e2d3c4b5a69788796a5b4c3d2e1f0:cdb06073c7435089b056f546b832259c77dc1016585d753ff3c1209cd82c2b324f63";
const PARAMS: &str = "U2FsdGVkX18BAgMEBQYHCBoysf+HX1JGcIsiyDp1ZT/LEOYbqAj2j3+kMZg3dGrJMRCo+DgRU1sy1pjCNtAywGYl05ox8kv38hxCVMghd9Y=";

#[derive(Clone, Embedded)]
struct Total {
    count: i64,
}

/// What was said, by what kind of thing.
#[derive(Default)]
struct Said(BTreeMap<&'static str, String>);

impl Said {
    fn debug(&mut self, value: &impl std::fmt::Debug) {
        let text = self.0.entry("debug outputs").or_default();
        writeln!(text, "{value:?} {value:#?}").unwrap();
    }

    fn view(&mut self, value: &impl serde::Serialize) {
        let text = self.0.entry("views").or_default();
        writeln!(text, "{}", serde_json::to_string(value).unwrap()).unwrap();
    }

    /// An error, and all that it was caused by.
    fn error<T>(&mut self, result: Result<T>) {
        let Err(error) = result else {
            panic!("it was to fail")
        };
        let text = self.0.entry("errors").or_default();
        writeln!(text, "{error} {error:?} {error:#?} {:?}", error.violations()).unwrap();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            writeln!(text, "{cause} {cause:?} {cause:#?}").unwrap();
            source = cause.source();
        }
    }
}

fn new(name: &str, email: Option<&str>) -> NewSafe {
    let secret = || Secret::from(CANARY);
    NewSafe {
        name: format!("{MARKER} {name}"),
        optional: NewSafeOptional {
            plain: Some(secret()),
            padded: Some(Secret::new(vec![CANARY.to_owned(), CANARY.to_owned()])),
            email: email.map(|email| Secret::from(format!("{email}{CANARY}"))),
            city: Some(secret()),
            session: Some(Token::presented(format!("{name}{CANARY}"))),
            contact: Some(Contact {
                email: email.map(|email| Encrypted::new(format!("{email}{CANARY}"))),
                pin: Some(Encrypted::new(CANARY)),
            }),
            password: Some(NewPassword::new(CANARY.to_owned()).unwrap()),
            accounts: Some(vec![Account {
                id: "one".to_owned(),
                token: Encrypted::new(CANARY),
                answers: BTreeMap::from([("pet".to_owned(), Encrypted::new(CANARY))]),
            }]),
            keys: Some(BTreeMap::from([("k".to_owned(), secret())])),
            ..Default::default()
        },
    }
}

fn patch(name: &str) -> SafePatch {
    SafePatch {
        plain: Set(Some(Secret::from(format!("{CANARY} anew")))),
        session: Set(Some(Token::presented(format!("{CANARY} {name}")))),
        password: Set(Some(NewPassword::new(format!("{CANARY} anew")).unwrap())),
        ..Default::default()
    }
}

/// Carries all of them out.
pub(crate) async fn all(db: &Db, ctx: &Ctx, clock: &FixedClock) -> Vec<(&'static str, String)> {
    let mut said = Said::default();
    let one = writes(&mut said, ctx).await;
    reads(&mut said, ctx, &one).await;
    others(&mut said, db, ctx, &one).await;
    refusals(&mut said, db, ctx, &one).await;
    keys(&mut said, db, ctx, clock).await;
    let panicked = {
        let (ctx, id) = (ctx.clone(), one.id.clone());
        let named = SafePatch {
            name: Set(format!("{MARKER} panic")),
            ..patch("one")
        };
        tokio::spawn(async move { Safe::update(&ctx, &id, named).await.map(drop) }).await
    };
    said.debug(&panicked.unwrap_err().to_string());
    said.debug(db);
    said.debug(ctx);
    said.debug(&db.manifest());
    said.0.into_iter().collect()
}

async fn writes(said: &mut Said, ctx: &Ctx) -> Safe {
    let input = new("one", Some("one"));
    said.debug(&input);
    said.debug(&patch("one"));
    let one = Safe::create(ctx, input).await.unwrap();
    said.debug(&one);
    let many = Safe::create_many(ctx, (0..3).map(|n| new(&format!("many{n}"), None)))
        .await
        .unwrap();
    said.debug(&many);
    said.debug(&Safe::update(ctx, &one.id, patch("one")).await.unwrap());
    said.debug(
        &Safe::modify(ctx, &one.id, |_| Ok(Some(patch("one"))))
            .await
            .unwrap(),
    );
    let city = SafePatch {
        city: Set(Some(Secret::from(CANARY))),
        padded: Set(None),
        ..Default::default()
    };
    said.debug(
        &Safe::update_many(ctx, |s| s.name.contains("many"), city)
            .await
            .unwrap(),
    );
    said.debug(
        &Safe::upsert(
            ctx,
            |s| s.name.eq(format!("{MARKER} up")),
            new("up", Some("up")),
            patch("up"),
        )
        .await
        .unwrap(),
    );
    let bulk = Safe::bulk(ctx)
        .create(new("bulk", None))
        .update(many[0].id.clone(), patch("bulk"))
        .delete(many[1].id.clone());
    said.debug(&bulk.await.unwrap());
    let ours = ctx.transaction(|tx| {
        let id = one.id.clone();
        async move { Safe::update(&tx, &id, patch("one")).await }
    });
    said.debug(&ours.await.unwrap());
    assert!(Safe::delete(ctx, &many[2].id).await.unwrap());
    one
}

async fn reads(said: &mut Said, ctx: &Ctx, one: &Safe) {
    let email = format!("one{CANARY}");
    let filter = Safe::filter(|s| s.email.eq(email.as_str()) & !s.city.eq("nowhere") | s.plain.is_none());
    said.debug(&filter);
    let found = Safe::query(ctx).matching(filter.clone()).await.unwrap();
    assert_eq!(found.len(), 1);
    said.debug(&found);
    assert_eq!(
        Safe::query(ctx)
            .filter(|s| s.city.eq(CANARY))
            .count()
            .await
            .unwrap(),
        4
    );
    let page = Safe::query(ctx)
        .matching(filter.clone())
        .page(1, None)
        .await
        .unwrap();
    said.debug(&page.next.map(|next| next.to_string()));
    said.debug(
        &Safe::query(ctx)
            .matching(filter.clone())
            .distinct(|s| &s.name)
            .await
            .unwrap(),
    );
    let rows = Safe::query(ctx)
        .matching(filter)
        .group::<Total>(|_, row| Group::all().count(&row.count));
    assert_eq!(rows.await.unwrap()[0].count, 1);
    let found = Safe::fetch(ctx, &one.id).await.unwrap();
    let revealed = found.plain.as_ref().unwrap().reveal(ctx).await.unwrap();
    assert!(revealed.expose().starts_with(CANARY));
    said.debug(&revealed);
    let candidate = Candidate::new(format!("{CANARY} anew"));
    said.debug(&candidate);
    said.debug(
        &ctx.verify_and_upgrade(found.password.as_ref(), &candidate)
            .await
            .unwrap(),
    );
    let token = Token::presented(format!("{CANARY} one"));
    said.debug(&token);
    assert!(
        found
            .session
            .as_ref()
            .unwrap()
            .matches(ctx, &token)
            .await
            .unwrap()
    );
    assert!(
        Safe::find_unique(ctx, |s| s.session.lookup_token(&token))
            .await
            .unwrap()
            .is_some()
    );
    said.view(&found.into_view(ctx));
    let log = ctx.audit_log().of::<Safe>(&one.id).await.unwrap();
    assert!(log.len() > 2);
    said.debug(&log);
}

/// What else there is: other ways to read and write, and what is told of a model and its documents as a whole.
async fn others(said: &mut Said, db: &Db, ctx: &Ctx, one: &Safe) {
    let by_email = || Safe::filter(|s| s.contact.email.eq(format!("one{CANARY}")) & s.email.is_some());
    said.debug(&by_email());
    said.debug(&Safe::query(ctx).matching(by_email()));
    assert_eq!(Safe::query(ctx).matching(by_email()).count().await.unwrap(), 1);
    for found in Safe::query(ctx).matching(by_email()).results().await.unwrap() {
        said.debug(&found);
        said.view(&found.unwrap().into_view(ctx));
    }
    let parts = Safe::query(ctx)
        .matching(by_email())
        .select::<Part>()
        .await
        .unwrap();
    said.debug(&parts);
    for part in parts {
        said.view(&part.into_view(ctx));
    }
    let streamed: Vec<Safe> = Safe::query(ctx)
        .matching(by_email())
        .stream()
        .try_collect()
        .await
        .unwrap();
    said.debug(&streamed);
    said.debug(&Safe::query(ctx).matching(by_email()).first().await.unwrap());
    said.debug(&Safe::get_many(ctx, [&one.id]).await.unwrap());
    said.debug(
        &Safe::get_by(ctx, |s| s.name.eq(format!("{MARKER} one")))
            .await
            .unwrap(),
    );
    said.debug(&Safe::explain(ctx, &one.id).await.unwrap());
    let taken = Safe::create(ctx, new("three", None)).await.unwrap();
    let with = |email: &str| NewSafe {
        optional: NewSafeOptional {
            session: None,
            contact: Some(Contact {
                email: Some(Encrypted::new(format!("{email}{CANARY}"))),
                pin: None,
            }),
            ..new("three", None).optional
        },
        ..new("three", None)
    };
    said.error(Safe::replace(ctx, &taken.id, with("one")).await);
    said.debug(&Safe::replace(ctx, &taken.id, with("three")).await.unwrap());
    said.debug(
        &Safe::update_with(ctx, &taken.id, |s| s.name.set(format!("{MARKER} four")))
            .await
            .unwrap(),
    );
    let mover = ctx.clone().with_reason("looking");
    let globex = TenantId::new("globex").unwrap();
    said.debug(&Safe::move_to_tenant(&mover, &taken.id, globex).await.unwrap());
    said.debug(&Safe::delete_many(ctx, |s| s.name.eq("nobody")).await.unwrap());
    said.debug(&db.plan_indexes().await.unwrap());
    said.debug(&ctx.audit_log().of::<Safe>(&taken.id).await.unwrap());
}

/// What is not to be, by whatever check.
async fn refusals(said: &mut Said, db: &Db, ctx: &Ctx, one: &Safe) {
    said.error(Safe::create(ctx, new("two", Some("one"))).await);
    let taken = Safe::create(
        ctx,
        NewSafe {
            optional: new("one", None).optional,
            ..new("x", None)
        },
    )
    .await;
    said.debug(&taken.is_ok());
    let denied = SafePatch {
        name: Set("denied".to_owned()),
        ..patch("one")
    };
    said.error(Safe::update(ctx, &one.id, denied.clone()).await);
    said.error(Safe::update_many(ctx, |s| s.city.eq(CANARY), patch("one")).await);
    said.error(NewSafe::from_json(
        &format!(r#"{{"name": 1, "plain": ["{CANARY}"], "_bi": "{CANARY}", "{CANARY}x": 1}}"#)
            .replace(&format!("\"{CANARY}x\": 1"), "\"x\": 1"),
    ));
    said.error(SafePatch::from_json(&format!(
        r#"{{"stamps": "{CANARY}", "password": {{"a": "{CANARY}"}}, "padded": "{CANARY}"}}"#
    )));
    said.error(NewSafe::from_json(&format!(r#"{{"name": "{CANARY}"#)));
    let rival = db.context(TenantId::new("globex").unwrap(), User::new("rita"));
    said.error(one.plain.as_ref().unwrap().reveal(&rival).await);
    assert!(NewPassword::new("short".to_owned()).is_err());
    // What another writer has stored: of a wrong type, in the clear, in an old format.
    for (field, value) in [
        ("plain", bson::Bson::from(CANARY)),
        ("stamps", CANARY.into()),
        ("created_at", CANARY.into()),
        ("accounts", bson::bson!([{ "id": "a", "token": CANARY }])),
        ("keys", bson::bson!({ "k": CANARY })),
    ] {
        let mut document = bson::doc! { "_id": bson::oid::ObjectId::from_bytes([7; 12]), "organization": "globex", "name": MARKER };
        document.insert("created_at", date());
        document.insert("updated_at", date());
        document.insert("accounts", bson::bson!([]));
        document.insert("keys", bson::doc! {});
        document.insert(field, value);
        // In a database of its own: the files are to be free of it.
        let other = register(Db::memory()).keys(keyring()).build().await.unwrap();
        testing::store_raw(&other, "safes", &document).await.unwrap();
        let rival = other.context(TenantId::new("globex").unwrap(), User::new("rita"));
        said.error(Safe::query(&rival).await);
        for broken in Safe::query(&rival).results().await.unwrap() {
            said.error(broken);
        }
        said.debug(
            &Safe::check_stored(&rival.dangerously_bypass_permissions("looking"))
                .await
                .unwrap(),
        );
    }
    let id = bson::oid::ObjectId::from_bytes([7; 12]);
    let document = bson::doc! {
        "_id": id, "organization": "acme", "name": MARKER, "old": OLD, "params": PARAMS,
        "accounts": [], "keys": {},
        "created_at": date(), "updated_at": date(),
    };
    testing::store_raw(db, "safes", &document).await.unwrap();
    let id = Id::parse(&id.to_hex()).unwrap();
    let found = Safe::fetch(ctx, &id).await.unwrap();
    assert_eq!(
        found.old.as_ref().unwrap().reveal(ctx).await.unwrap().expose(),
        CANARY
    );
    assert_eq!(
        found.params.as_ref().unwrap().reveal(ctx).await.unwrap().expose()["password"],
        CANARY
    );
    said.debug(&found);
    let touched = SafePatch {
        name: Set(format!("{MARKER} old")),
        ..Default::default()
    };
    said.debug(&Safe::update(ctx, &id, touched).await.unwrap());
}

fn date() -> bson::DateTime {
    bson::DateTime::from_millis(0)
}

async fn keys(said: &mut Said, db: &Db, ctx: &Ctx, clock: &FixedClock) {
    let keys = db.keys(ActorIdentity::system("rotation"));
    for purpose in [Purpose::Enc, Purpose::BlindIndex] {
        let id = keys.stage(purpose, Some(ctx.tenant())).await.unwrap();
        clock.advance(chrono::TimeDelta::hours(1));
        keys.promote(id).await.unwrap();
    }
    let job = ctx.dangerously_bypass_permissions("rotation");
    said.debug(&Safe::reencrypt(&job).await.unwrap());
    said.debug(&Safe::reencrypt(&job).inspect().await.unwrap());
    said.debug(&keys.rewrap().await.unwrap());
    said.debug(&keys.status(Some(ctx.tenant())).await.unwrap());
    let globex = TenantId::new("globex").unwrap();
    said.debug(&keys.shred(&globex, Confirm::CryptoShred).await.unwrap());
}
