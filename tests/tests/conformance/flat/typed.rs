//! What is asked of variants and changed in them; views, inputs, schemas.

use bson::doc;
use model_core::prelude::*;
use model_core::{Model, ModelExt, testing};

use super::{
    Desk, Happening, HappeningPatch, NewHappening, Person, Spot, SpotPatch, What, WhatClickPatch, WhatPatch,
    WhatSignupPatch, click, signup,
};
use crate::harness::{Stage, on_both_stores};
use crate::models::User;

#[derive(Projection)]
#[projection(of = Happening)]
struct Line {
    what: Option<What>,
}

async fn all_kinds(desk: &Desk) {
    let place = Some(Spot { x: 5, y: 6 });
    let whole = What::Click {
        url: "/b".into(),
        count: 4,
        tags: vec!["a".into(), "b".into()],
        place,
    };
    desk.happening(1, click("/a")).await;
    desk.happening(2, whole).await;
    desk.happening(3, signup("ada@example.com")).await;
    desk.happening(
        4,
        What::Redirect {
            url: Spot { x: 5, y: 6 },
        },
    )
    .await;
    desk.happening(5, What::Ping).await;
    desk.happening(6, None).await;
}

on_both_stores! {
    /// By variant, and by what a variant has: always of documents of that variant.
    async fn filters_ask_for_the_variant(stage: Stage) {
        let desk = Desk::open(stage).await;
        all_kinds(&desk).await;
        assert_eq!(desk.times(|h| h.what.click.is()).await, [1, 2]);
        assert_eq!(desk.times(|h| h.what.ping.is()).await, [5]);
        assert_eq!(desk.times(|h| !h.what.click.is()).await, [3, 4, 5, 6]);
        assert_eq!(desk.times(|h| h.what.is_none()).await, [6]);
        assert_eq!(desk.times(|h| h.what.is_some()).await, [1, 2, 3, 4, 5]);
        assert_eq!(desk.times(|h| h.what.click.url.eq(" /a ")).await, [1]);
        assert_eq!(desk.times(|h| h.what.click.url.ne("/a")).await, [2], "and no redirection");
        assert_eq!(desk.times(|h| h.what.redirect.url.x.eq(5)).await, [4]);
        assert_eq!(desk.times(|h| h.what.click.place.x.eq(5)).await, [2]);
        assert_eq!(desk.times(|h| h.what.click.place.is_none()).await, [1]);
        assert_eq!(desk.times(|h| h.what.click.tags.any(|tag| tag.eq("b"))).await, [2]);
        assert_eq!(desk.times(|h| h.what.signup.email.eq("ADA@example.com") | h.what.ping.is()).await, [3, 5]);
        let most = Happening::query(&desk.ctx).filter(|h| h.what.click.is()).sort(|h| h.what.click.count.desc()).await.unwrap();
        assert_eq!(most[0].time, 2);
        assert_eq!(Happening::query(&desk.ctx).filter(|h| h.what.click.is()).count().await.unwrap(), 2);
        let tags = Happening::query(&desk.ctx).distinct(|h| &h.what.click.tags).await.unwrap();
        assert_eq!(tags, ["a", "b"]);
        let urls = Happening::query(&desk.ctx).distinct(|h| &h.what.click.url).await.unwrap();
        assert_eq!(urls, ["/a", "/b"], "and not those of redirections");
    }

    /// Operators change what a variant has, and nothing of a document of another one.
    async fn operators_know_the_variant(stage: Stage) {
        let desk = Desk::open(stage).await;
        let one = desk.happening(1, click("/a")).await;
        let changed = Happening::update_with(&desk.ctx, &one.id, |h| {
            h.what.click.count.inc(2).and(h.what.click.tags.push("x")).and(h.what.click.place.set(Some(Spot { x: 1, y: 1 })))
        });
        let expected = What::Click { url: "/a".into(), count: 3, tags: vec!["x".into()], place: Some(Spot { x: 1, y: 1 }) };
        assert!(changed.await.unwrap().what == Some(expected.clone()));
        Happening::update_with(&desk.ctx, &one.id, |h| h.what.click.place.x.inc(1)).await.unwrap();
        let error = Happening::update_with(&desk.ctx, &one.id, |h| h.what.signup.score.inc(1)).await.unwrap_err();
        let violation = &error.violations()[0];
        assert_eq!((&*violation.path, &*violation.rule), ("score", "variant"));
        assert_eq!(desk.stored(1).await.get_document("place").unwrap(), &doc! { "x": 2_i64, "y": 1_i64 });
    }

    /// In JSON a variant lies below its field, wherever it is stored; rules and hidden fields are kept.
    async fn views_and_inputs(stage: Stage) {
        let desk = Desk::open(stage).await;
        let json = r#"{ "time": 1, "what": { "__t": "SignupEvent", "email": "EVE@example.com" } }"#;
        let one = Happening::create(&desk.ctx, NewHappening::from_json(json).unwrap()).await.unwrap();
        assert_eq!(desk.stored(1).await, doc! { "__t": "SignupEvent", "email": "eve@example.com", "score": 0_i64 });
        let view = serde_json::to_value(one.clone().into_view(&desk.ctx)).unwrap();
        assert_eq!(view["what"], serde_json::json!({ "__t": "SignupEvent", "email": "eve@example.com" }));
        let patch = HappeningPatch::from_json(r#"{ "what": { "__t": "ClickEvent", "url": "/a" } }"#).unwrap();
        let one = Happening::update(&desk.ctx, &one.id, patch).await.unwrap();
        assert!(one.what == Some(click("/a")));
        let patch = HappeningPatch { what: Set(Some(signup("no address"))), ..Default::default() };
        let error = Happening::update(&desk.ctx, &one.id, patch).await.unwrap_err();
        assert_eq!((&*error.violations()[0].path, &*error.violations()[0].rule), ("what.email", "email"));
        // Parts of the variant that is stored.
        let patch = HappeningPatch::from_json(r#"{ "what": { "__t": "ClickEvent", "count": 5, "place": { "x": 1, "y": 2 } } }"#).unwrap();
        Happening::update(&desk.ctx, &one.id, patch).await.unwrap();
        let part = WhatClickPatch { place: Merge(SpotPatch { x: Set(3), ..Default::default() }), ..Default::default() };
        let patch = HappeningPatch { what: Merge(WhatPatch::Click(part)), ..Default::default() };
        let changed = Happening::update(&desk.ctx, &one.id, patch).await.unwrap();
        let expected = What::Click { url: "/a".into(), count: 5, tags: Vec::new(), place: Some(Spot { x: 3, y: 2 }) };
        assert!(changed.what == Some(expected));
        let part = WhatSignupPatch { email: Set("x@example.com".into()), ..Default::default() };
        let patch = HappeningPatch { what: Merge(WhatPatch::Signup(part)), ..Default::default() };
        let error = Happening::update(&desk.ctx, &one.id, patch).await.unwrap_err();
        assert_eq!((&*error.violations()[0].path, &*error.violations()[0].rule), ("what", "variant"));
        let patch = HappeningPatch::from_json(r#"{ "what": null }"#).unwrap();
        assert!(Happening::update(&desk.ctx, &one.id, patch).await.unwrap().what.is_none());
    }

    /// A projection of it is sent whole; what an actor is not shown of it, is all of it.
    async fn projections_and_hidden_fields(stage: Stage) {
        let desk = Desk::open(stage).await;
        all_kinds(&desk).await;
        let lines = Happening::query(&desk.ctx).sort(|h| h.time.asc()).select::<Line>().await.unwrap();
        assert!(lines[0].what == Some(click("/a")) && lines[2].what == Some(signup("ada@example.com")));
        assert!(lines[4].what == Some(What::Ping) && lines[5].what.is_none());
        let reader = desk.db.context(TenantId::new("acme").unwrap(), User::viewer("bob", &[]));
        let one = Happening::query(&reader).filter(|h| h.what.signup.is()).first().await.unwrap().unwrap();
        let view = serde_json::to_value(one.into_view(&reader)).unwrap();
        assert!(view.get("what").is_none() && view["time"] == 3, "{view}");
    }

    /// A watch tells what was and what is.
    async fn changes_are_watched(stage: Stage) {
        use futures_util::StreamExt as _;
        let desk = Desk::open(stage).await;
        let mut watch = Happening::watch(&desk.ctx).filter(|h| h.what.click.is()).await.unwrap();
        let one = desk.happening(1, click("/a")).await;
        let patch = HappeningPatch { what: Set(Some(What::Ping)), ..Default::default() };
        Happening::update(&desk.ctx, &one.id, patch).await.unwrap();
        let created = watch.next().await.unwrap().unwrap();
        assert!(matches!(created.event, model_core::Event::Created(_)));
        let gone = watch.next().await.unwrap().unwrap();
        assert!(matches!(gone.event, model_core::Event::Deleted(_)), "it is no click any more");
    }
}

/// The server's own judgement of what another client stores.
#[tokio::test]
async fn the_validator_knows_the_variants() {
    let database = model_tests::server::fresh_database().await;
    let builder = Db::mongo(database.clone()).model::<Happening>().model::<Person>();
    let db = builder.build_lazy().unwrap();
    db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
    db.sync_validators().await.unwrap();
    let fits = async |fields| testing::store_raw(&db, "events_flat", &fields).await.is_ok();
    for (n, (fields, expected)) in (1_u8..).zip([
        (
            doc! { "__t": "ClickEvent", "url": "/a", "count": 1_i64, "tags": [] },
            true,
        ),
        (doc! { "__t": "ClickEvent", "count": 1_i64, "tags": [] }, false),
        (
            doc! { "__t": "ClickEvent", "url": { "x": 1, "y": 1 }, "count": 1_i64, "tags": [] },
            false,
        ),
        (doc! { "__t": "RedirectEvent", "url": { "x": 1, "y": 1 } }, true),
        (doc! { "__t": "NoEvent" }, false),
        (doc! { "__t": "PingEvent", "other": 1 }, true),
        (doc! { "__t": null }, true),
        (doc! { "other": 1 }, true),
    ]) {
        let text = fields.to_string();
        assert_eq!(fits(super::foreign(n, "acme", fields)).await, expected, "{text}");
    }
}

/// The metadata tell what is stored, and what JSON looks like.
#[tokio::test]
async fn the_metadata_know_the_variants() {
    let builder = Stage::memory().builder().model::<Happening>().model::<Person>();
    let db = builder.build_lazy().unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&db.manifest().to_string()).unwrap();
    let fact = |path: &str| &manifest[format!("Happening.fields.__t{path}")];
    assert_eq!(
        fact("")["type"],
        "flat enum ClickEvent|SignupEvent|RedirectEvent|PingEvent?"
    );
    assert_eq!(fact("")["json"], "what");
    assert_eq!(fact("<ClickEvent>.url")["type"], "string");
    assert_eq!(fact("<RedirectEvent>.url.x")["type"], "int64");
    assert_eq!(
        Happening::schema().stored_path("what.click.url").as_deref(),
        Some("url")
    );
    assert_eq!(Happening::schema().stored_path("what").as_deref(), Some("__t"));
    let schema = model_core::schema::json::create(Happening::schema()).to_string();
    assert!(
        schema.contains(r#""what""#) && schema.contains(r#""__t":{"const":"ClickEvent"}"#),
        "{schema}"
    );
}
