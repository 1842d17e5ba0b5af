//! What is stored, and what writes do to it.

use bson::doc;
use model_core::audit::AuditChange;
use model_core::prelude::*;
use model_core::{ModelExt, testing};

use super::{
    Desk, Happening, HappeningPatch, NewHappening, NewHappeningOptional, NewPerson, Person, Spot, What,
    click, foreign, signup,
};
use crate::harness::on_both_stores;

on_both_stores! {
    /// The documents of another library are read as they are, and written as they were: by the fields that changed.
    async fn discriminators_are_read_and_written(stage: Stage) {
        let desk = Desk::open(stage).await;
        for document in [
            foreign(1, "acme", doc! { "__t": "ClickEvent", "url": "/a", "count": 2_i64, "tags": ["x"], "extra": true }),
            // Their keys may come in any order.
            foreign(2, "acme", doc! { "email": "ada@example.com", "score": 7_i64, "__t": "SignupEvent" }),
            foreign(3, "acme", doc! {}),
            foreign(4, "acme", doc! { "__t": "PingEvent" }),
            foreign(5, "acme", doc! { "url": { "x": 1_i64, "y": 2_i64 }, "__t": "RedirectEvent" }),
            foreign(6, "globex", doc! { "__t": "ClickEvent", "url": "/a", "count": 1_i64, "tags": [] }),
        ] {
            testing::store_raw(&desk.db, "events_flat", &document).await.unwrap();
        }
        let all = Happening::query(&desk.ctx).sort(|h| h.time.asc()).await.unwrap();
        let whats: Vec<_> = all.iter().map(|one| one.what.clone()).collect();
        let first = What::Click { url: "/a".into(), count: 2, tags: vec!["x".into()], place: None };
        let second = What::Signup { email: "ada@example.com".into(), by: None, score: 7 };
        let fifth = What::Redirect { url: Spot { x: 1, y: 2 } };
        assert!(whats == [Some(first), Some(second), None, Some(What::Ping), Some(fifth)]);
        Happening::update_with(&desk.ctx, &all[0].id, |h| h.what.click.count.inc(1)).await.unwrap();
        let patch = HappeningPatch { time: Set(30), ..Default::default() };
        Happening::update(&desk.ctx, &all[2].id, patch).await.unwrap();
        let expected = doc! { "__v": 0, "__t": "ClickEvent", "url": "/a", "count": 3_i64, "tags": ["x"], "extra": true };
        assert_eq!(desk.stored(1).await, expected);
        assert_eq!(desk.stored(30).await, doc! { "__v": 0 });
        let made = desk.happening(7, click("/b")).await;
        assert!(made.what == Some(click("/b")));
        assert_eq!(desk.stored(7).await, doc! { "__t": "ClickEvent", "url": "/b", "count": 1_i64, "tags": [] });
        desk.happening(8, None).await;
        assert_eq!(desk.stored(8).await, doc! {});
        desk.happening(9, What::Ping).await;
        assert_eq!(desk.stored(9).await, doc! { "__t": "PingEvent" });
        let job = desk.ctx.dangerously_bypass_permissions("a look");
        assert_eq!(Happening::check_stored(&job).await.unwrap().unreadable, 0);
    }

    /// Another variant takes the place of the one that was: nothing of that is left, and what both call alike is the new one's.
    async fn a_variant_takes_the_place_of_another(stage: Stage) {
        let desk = Desk::open(stage).await;
        let one = desk.happening(1, click("/a")).await;
        let set = async |what: Option<What>| {
            let patch = HappeningPatch { what: Set(what.clone()), ..Default::default() };
            let changed = Happening::update(&desk.ctx, &one.id, patch).await.unwrap();
            assert!(changed.what == what);
        };
        set(Some(What::Redirect { url: Spot { x: 1, y: 2 } })).await;
        assert_eq!(desk.stored(1).await, doc! { "__t": "RedirectEvent", "url": { "x": 1_i64, "y": 2_i64 } });
        set(Some(What::Redirect { url: Spot { x: 1, y: 3 } })).await;
        assert_eq!(desk.stored(1).await.get_document("url").unwrap(), &doc! { "x": 1_i64, "y": 3_i64 });
        set(Some(signup("eve@example.com"))).await;
        assert_eq!(desk.stored(1).await, doc! { "__t": "SignupEvent", "email": "eve@example.com", "score": 0_i64 });
        set(Some(What::Ping)).await;
        assert_eq!(desk.stored(1).await, doc! { "__t": "PingEvent" });
        set(None).await;
        assert_eq!(desk.stored(1).await, doc! {});
        let history = desk.ctx.audit_log().of::<Happening>(&one.id).await.unwrap();
        let changes = |n: usize| history[n].changes.iter().map(AuditChange::path).collect::<Vec<_>>();
        assert_eq!(changes(0), ["__t"]);
        assert_eq!(changes(1), ["__t", "email", "score"]);
        assert_eq!(changes(2), ["__t", "email", "score", "url"]);
        assert_eq!(changes(3), ["url.y"], "of the same variant, the part that changed");
        assert_eq!(changes(4), ["__t", "url", "count", "tags"]);
        let hidden = history[1].changes.iter().find(|change| change.path() == "score").unwrap();
        assert!(matches!(hidden, AuditChange::Redacted { .. }));
    }

    /// A unique index over what one variant has is of its documents alone; a plan is empty after a sync.
    async fn an_index_is_of_one_variant(stage: Stage) {
        let desk = Desk::open(stage).await;
        assert!(desk.db.plan_indexes().await.unwrap().is_empty());
        desk.happening(1, click("/a")).await;
        desk.happening(2, What::Redirect { url: Spot { x: 1, y: 1 } }).await;
        desk.happening(3, What::Redirect { url: Spot { x: 1, y: 1 } }).await;
        let optional = NewHappeningOptional { what: Some(click("/a")) };
        let error = Happening::create(&desk.ctx, NewHappening { time: 4, optional }).await.unwrap_err();
        assert!(error.is_duplicate() && error.index().is_some_and(|name| name.contains("url")), "{error}");
    }

    /// What a variant refers to is dealt with when it is deleted.
    async fn a_reference_of_one_variant(stage: Stage) {
        let desk = Desk::open(stage).await;
        let person = Person::create(&desk.ctx, NewPerson {}).await.unwrap();
        let by = What::Signup { email: "a@example.com".into(), by: Some(Ref::to(&person.id)), score: 0 };
        desk.happening(1, by).await;
        // The same value where it is no reference.
        testing::store_raw(&desk.db, "events_flat", &foreign(2, "acme", doc! { "__t": "PingEvent", "by": person.id.to_bson() }))
            .await
            .unwrap();
        assert!(Person::delete(&desk.ctx, &person.id).await.unwrap());
        assert_eq!(desk.stored(1).await, doc! { "__t": "SignupEvent", "email": "a@example.com", "score": 0_i64 });
        assert!(desk.stored(2).await.contains_key("by"));
    }

    /// A document that is no variant is not read, and the error says where.
    async fn a_broken_document_is_an_error(stage: Stage) {
        let desk = Desk::open(stage).await;
        for (n, fields, path) in [
            (1, doc! { "__t": "NoEvent" }, "__t"),
            (2, doc! { "__t": "ClickEvent", "count": 1_i64, "tags": [] }, "url"),
            (3, doc! { "__t": "ClickEvent", "url": { "x": 1 }, "count": 1_i64, "tags": [] }, "url"),
        ] {
            let document = foreign(n, "acme", fields);
            testing::store_raw(&desk.db, "events_flat", &document).await.unwrap();
            let id = Id::parse(&document.get_object_id("_id").unwrap().to_hex()).unwrap();
            let error = Happening::get(&desk.ctx, &id).await.unwrap_err();
            assert_eq!((error.kind(), error.path()), (ErrorKind::Decode, Some(path)), "{error}");
        }
    }
}
