//! Contract F 21-26: update.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{change, foreign_widget, on_both_stores};
use crate::models::{
    Hooked, HookedPatch, Limits, LimitsPatch, NewHooked, NewNote, Note, NotePatch, Source, User, Widget,
    WidgetPatch, new_widget,
};

on_both_stores! {
    /// F 21: only what changed is sent; everything else, the unknown included, stays.
    async fn sends_only_what_changed(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let before = shop.stored_one("widgets").await;
        shop.tick();
        let patch = WidgetPatch { note: Set(Some("n".into())), enabled: Set(false), ..Default::default() };
        let updated = Widget::update(&shop.admin, &created.id, patch).await.unwrap();
        let after = shop.stored_one("widgets").await;
        for key in before.keys().filter(|key| !["updated_at", "_rev"].contains(&key.as_str())) {
            assert_eq!(before.get(key), after.get(key), "{key}");
        }
        assert_eq!(after.get_str("note").unwrap(), "n");
        assert_ne!(before.get("_rev"), after.get("_rev"));
        assert_eq!(updated.created_at, created.created_at);
        assert_eq!((updated.updated_at - created.updated_at).num_seconds(), 1);
        let read = Widget::fetch(&shop.admin, &created.id).await.unwrap();
        assert_eq!(format!("{read:?}"), format!("{updated:?}"));
        let entry = shop.audit_log().await.pop().unwrap();
        assert_eq!(change(&entry, "note").unwrap(), &doc! { "path": "note", "after": "n" });
        assert!(change(&entry, "name").is_none());
    }

    /// F 21: nothing changed, so no write, no hook, no audit, no new updated_at.
    async fn nothing_changed_is_no_write(stage: Stage) {
        let shop = stage.shop().await;
        let new = NewHooked { name: "one".into(), optional: Default::default() };
        let created = Hooked::create(&shop.admin, new).await.unwrap();
        let before = shop.stored_one("hooked").await;
        shop.hooks.take();
        shop.tick();
        let patch = HookedPatch { name: Set(" one ".into()), ..Default::default() };
        let same = Hooked::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!(shop.stored_one("hooked").await, before);
        assert_eq!(same.updated_at, created.updated_at);
        assert_eq!(shop.audit_log().await.len(), 1);
        assert_eq!(shop.hooks.take(), Vec::<String>::new());
    }

    /// F 24: `Set(None)` removes; `Merge` changes a part and keeps the rest, the hidden included.
    async fn unsets_and_merges(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_apollo", "Blue");
        new.optional.note = Some("n".into());
        new.limits = Limits { secret_note: Some("unseen".into()), ..Limits::new(5, 50) };
        let created = Widget::create(&shop.admin, new).await.unwrap();
        let patch = WidgetPatch {
            note: Set(None),
            limits: Merge(LimitsPatch { daily: Set(6), ..Default::default() }),
            ..Default::default()
        };
        let updated = Widget::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!(updated.note, None);
        assert_eq!(updated.limits, Limits { daily: 6, weekly: 50, secret_note: Some("unseen".into()) });
        let stored = shop.stored_one("widgets").await;
        assert!(!stored.contains_key("note"));
        let entry = shop.audit_log().await.pop().unwrap();
        assert_eq!(change(&entry, "limits.daily").unwrap(), &doc! { "path": "limits.daily", "before": 5_i64, "after": 6_i64 });
        assert_eq!(change(&entry, "note").unwrap(), &doc! { "path": "note", "before": "n" });
        let patch = WidgetPatch::from_json(r#"{"limits": {"daily": 9}, "note": null}"#).unwrap();
        let updated = Widget::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!(updated.limits, Limits { daily: 9, weekly: 50, secret_note: Some("unseen".into()) });
    }

    /// F 22: a read-only key of a JSON patch is an echo, or an error that lists each one.
    async fn readonly_keys_are_echoes(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let mut echo = serde_json::to_value(created.clone().into_view(&shop.admin)).unwrap();
        echo["name"] = "Green".into();
        echo.as_object_mut().unwrap().remove("organization");
        let patch = WidgetPatch::from_json(&echo.to_string()).unwrap();
        let updated = Widget::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!(updated.name, "Green");
        let bad = r#"{"id": "wgt_other", "project": "prj_other", "created_at": "2020-01-01T00:00:00Z", "name": "Red"}"#;
        let patch = WidgetPatch::from_json(bad).unwrap();
        let error = Widget::update(&shop.admin, &created.id, patch).await.unwrap_err();
        let mut paths: Vec<_> = error.violations().iter().map(|v| v.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["created_at", "id", "project"]);
        assert!(error.violations().iter().all(|violation| violation.rule == "readonly"));
    }

    /// F 23: a field that does not count moves neither updated_at nor, if it says so, the audit log.
    async fn some_fields_do_not_count(stage: Stage) {
        let shop = stage.shop().await;
        let note = Note::create(&shop.admin, NewNote { text: "a".into(), optional: Default::default() }).await.unwrap();
        shop.tick();
        let patch = NotePatch { view_count: Set(3), ..Default::default() };
        let viewed = Note::update(&shop.admin, &note.id, patch).await.unwrap();
        assert_eq!((viewed.view_count, viewed.changed_at), (3, note.changed_at));
        assert_eq!(shop.stored_one("notes").await.get_i64("viewCount").unwrap(), 3);
        let patch = NotePatch { text: Set("b".into()), ..Default::default() };
        let written = Note::update(&shop.admin, &note.id, patch).await.unwrap();
        assert!(written.changed_at > note.changed_at);
        assert!(shop.audit_log().await.is_empty(), "the model is not audited");
    }

    /// F 25: what the before-hook changes is validated, stored, returned and audited; it cannot move the document.
    async fn a_hooks_change_counts(stage: Stage) {
        let shop = stage.shop().await;
        let new = NewHooked { name: "one".into(), optional: Default::default() };
        let created = Hooked::create(&shop.admin, new).await.unwrap();
        shop.hooks.take();
        let patch = HookedPatch { name: Set("two".into()), ..Default::default() };
        let updated = Hooked::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!((updated.slug.as_str(), updated.organization.to_string().as_str()), ("two-slug", "acme"));
        assert_eq!(shop.hooks.take(), ["before_update(one -> two)", "after_update(  one-slug -> two-slug)"]);
        assert_eq!(shop.stored_one("hooked").await.get_str("organization").unwrap(), "acme");
        let entry = shop.audit_log().await.pop().unwrap();
        assert_eq!(change(&entry, "slug").unwrap().get_str("after").unwrap(), "two-slug");
        shop.hooks.fail(Some("before_update"));
        let patch = HookedPatch { name: Set("three".into()), ..Default::default() };
        assert!(Hooked::update(&shop.admin, &created.id, patch).await.unwrap_err().is_refused());
        assert_eq!(shop.stored_one("hooked").await.get_str("name").unwrap(), "two");
    }

    /// The model's own rule sees the merged document, and its violation joins the others.
    async fn validates_the_merged_document(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let patch = WidgetPatch {
            name: Set("x".into()),
            limits: Merge(LimitsPatch { daily: Set(4000), ..Default::default() }),
            ..Default::default()
        };
        let error = Widget::update(&shop.admin, &created.id, patch).await.unwrap_err();
        assert_eq!(error.violations().len(), 2, "{error}");
        assert_eq!(Widget::fetch(&shop.admin, &created.id).await.unwrap().name, "Blue");
    }

    /// F 26: missing, another tenant's and unreadable are the same: not found, no audit.
    async fn unreadable_is_not_found(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let patch = || WidgetPatch { enabled: Set(true), ..Default::default() };
        let outsider = shop.acme(User::editor("olga", &["prj_other"]));
        for ctx in [&shop.rival, &outsider] {
            let error = Widget::update(ctx, &created.id, patch()).await.unwrap_err();
            assert!(error.is_not_found(), "{error}");
        }
        let error = Widget::update(&shop.admin, &Id::parse("wgt_none").unwrap(), patch()).await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(shop.audit_log().await.len(), 1);
        assert!(!Widget::fetch(&shop.admin, &created.id).await.unwrap().enabled);
    }

    /// The permission is asked about before and after.
    async fn asks_can_update(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let viewer = shop.acme(User::viewer("vic", &["prj_apollo"]));
        let patch = WidgetPatch { enabled: Set(true), ..Default::default() };
        let error = Widget::update(&viewer, &created.id, patch).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!((error.model(), error.operation()), (Some("Widget"), Some("update")));
    }

    /// Decision 7: the revision that the caller has seen, in Rust and as an echo in JSON.
    async fn guards_across_requests(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let patch = |name: &str| WidgetPatch { name: Set(name.into()), ..Default::default() };
        let second = Widget::update(&shop.admin, &created.id, patch("Green")).if_revision(created.revision).await.unwrap();
        assert!(second.revision > created.revision);
        let error = Widget::update(&shop.admin, &created.id, patch("Red")).if_revision(created.revision).await.unwrap_err();
        assert!(error.is_conflict(), "{error}");
        let json = format!(r#"{{"name": "Red", "revision": "{}"}}"#, created.revision);
        let stale = WidgetPatch::from_json(&json).unwrap();
        assert!(Widget::update(&shop.admin, &created.id, stale).await.unwrap_err().is_conflict());
        let json = format!(r#"{{"name": "Red", "revision": "{}"}}"#, second.revision);
        let fresh = WidgetPatch::from_json(&json).unwrap();
        assert_eq!(Widget::update(&shop.admin, &created.id, fresh).await.unwrap().name, "Red");
        assert!(Widget::delete(&shop.admin, &created.id).if_revision(created.revision).await.unwrap_err().is_conflict());
    }

    /// Of updates that have all seen the same document, one takes effect: the losers are told, and nothing is lost.
    async fn a_lost_race_is_a_conflict(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        shop.hooks.meet(8);
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (ctx, id) = (shop.admin.clone(), created.id.clone());
                tokio::spawn(async move {
                    let patch = WidgetPatch { note: Set(Some(format!("note {n}"))), ..Default::default() };
                    Widget::update(&ctx, &id, patch).await
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(error.is_conflict(), "{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(shop.audit_log().await.len(), 2, "one entry for each write, and the create's");
    }

    /// 7.9: a document of another writer has no revision: the first write guards on that, and gives it one.
    async fn a_foreign_document_gets_a_revision(stage: Stage) {
        let shop = stage.shop().await;
        let mut foreign = foreign_widget("wgt_foreign");
        foreign.insert("_sv", 2);
        foreign.insert("__v", 3);
        shop.store_raw("widgets", foreign).await;
        let id = Id::parse("wgt_foreign").unwrap();
        let patch = WidgetPatch { limits: Merge(LimitsPatch { daily: Set(1), ..Default::default() }), ..Default::default() };
        let same = Widget::update(&shop.admin, &id, patch).await.unwrap();
        assert_eq!(same.limits.daily, 1);
        assert!(!shop.stored_one("widgets").await.contains_key("_rev"), "an equal number is no change");
        let patch = WidgetPatch { enabled: Set(true), ..Default::default() };
        Widget::update(&shop.admin, &id, patch).await.unwrap();
        let stored = shop.stored_one("widgets").await;
        assert!(stored.contains_key("_rev"));
        assert_eq!(stored.get_i32("__v").unwrap(), 3, "what the model does not know is kept");
        assert_eq!(stored.get_document("limits").unwrap(), &doc! { "daily": 1, "weekly": 2 }, "numbers stay as they were");
    }

    /// L 45: one call may leave the instant of the last change as it is.
    async fn updated_at_may_be_kept(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        shop.tick();
        let patch = WidgetPatch { enabled: Set(true), ..Default::default() };
        let updated = Widget::update(&shop.admin, &created.id, patch).keep_updated_at().await.unwrap();
        assert!(updated.enabled && updated.revision > created.revision);
        assert_eq!(updated.updated_at, created.updated_at);
        assert_eq!(Widget::fetch(&shop.admin, &created.id).await.unwrap().updated_at, created.updated_at);
    }

    /// F 21: a field that only the migration made up is stored when a patch sets it to that very value.
    async fn a_made_up_value_is_stored_when_it_is_meant(stage: Stage) {
        let shop = stage.shop().await;
        let mut old = foreign_widget("wgt_old");
        old.remove("limits");
        shop.store_raw("widgets", old).await;
        let id = Id::parse("wgt_old").unwrap();
        let patch = WidgetPatch { limits: Set(Limits::new(10, 20)), ..Default::default() };
        Widget::update(&shop.admin, &id, patch).await.unwrap();
        let stored = shop.stored_one("widgets").await;
        assert_eq!(stored.get_document("limits").unwrap(), &doc! { "daily": 10_i64, "weekly": 20_i64 });
        assert_eq!(stored.get_i32("_sv").unwrap(), 2);
    }

    /// An array whose length stays is changed element by element; one that grows keeps what other writers put into its
    /// elements, and a map is changed key by key.
    async fn arrays_and_maps_keep_their_rest(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = NewNote { text: "a".into(), optional: Default::default() };
        new.optional.tags = Some(vec!["one".into(), "two".into()]);
        new.optional.labels = Some([("x".to_owned(), 1), ("y".to_owned(), 2)].into());
        let note = Note::create(&shop.admin, new).await.unwrap();
        let labels = [("x".to_owned(), 1), ("z".to_owned(), 3)].into();
        let patch = NotePatch { labels: Set(labels), tags: Set(vec!["one".into(), "three".into()]), ..Default::default() };
        let updated = Note::update(&shop.admin, &note.id, patch).await.unwrap();
        let stored = shop.stored_one("notes").await;
        assert_eq!(stored.get_document("labels").unwrap(), &doc! { "x": 1, "z": 3 });
        assert_eq!(updated.tags, ["one", "three"]);
        assert_eq!(Note::fetch(&shop.admin, &note.id).await.unwrap().tags, updated.tags);
    }

    /// A read-only part of an embedded struct stays, however the patch comes: merged, set as a whole, or taken away.
    async fn nested_readonly_parts_stay(stage: Stage) {
        let shop = stage.shop().await;
        let source = |external: &str| Source { label: "l".into(), external: Some(external.into()), weight: 9 };
        let mut new = NewNote { text: "a".into(), optional: Default::default() };
        new.optional.source = Some(source("x"));
        let note = Note::create(&shop.admin, new).await.unwrap();
        let patches = [
            NotePatch { source: Set(Some(source("y"))), ..Default::default() },
            NotePatch { source: Set(None), ..Default::default() },
            NotePatch::from_json(r#"{"source": {"external": "y"}}"#).unwrap(),
            NotePatch::from_json(r#"{"source": null}"#).unwrap(),
        ];
        for patch in patches {
            let error = Note::update(&shop.admin, &note.id, patch).await.unwrap_err();
            assert!(error.violations().iter().all(|violation| violation.rule == "readonly"), "{error}");
        }
        let patch = NotePatch { source: Set(Some(Source { label: "m".into(), ..source("x") })), ..Default::default() };
        assert_eq!(Note::update(&shop.admin, &note.id, patch).await.unwrap().source.unwrap().label, "m");
    }

    /// What a client cannot see it can neither set nor reset.
    async fn hidden_parts_are_out_of_a_clients_reach(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = NewNote { text: "a".into(), optional: Default::default() };
        new.optional.source = Some(Source { label: "l".into(), external: None, weight: 9 });
        new.optional.sources = Some(vec![Source { label: "l".into(), external: None, weight: 8 }]);
        let note = Note::create(&shop.admin, new).await.unwrap();
        let forbidden = [r#"{"source": {"weight": 0}}"#, r#"{"sources": [{"label": "z"}]}"#];
        for json in forbidden {
            assert!(NotePatch::from_json(json).unwrap_err().is_invalid(), "{json}");
        }
        assert!(NewNote::from_json(r#"{"text": "t", "source": {"label": "l", "weight": 5}}"#).unwrap_err().is_invalid());
        assert!(WidgetPatch::from_json(r#"{"internal_score": 5}"#).unwrap_err().is_invalid());
        let patch = NotePatch::from_json(r#"{"source": {"label": "z"}}"#).unwrap();
        let updated = Note::update(&shop.admin, &note.id, patch).await.unwrap();
        assert_eq!(updated.source, Some(Source { label: "z".into(), external: None, weight: 9 }));
        assert_eq!(updated.sources[0].weight, 8);
    }
}
