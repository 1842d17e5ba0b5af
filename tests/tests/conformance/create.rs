//! Contract E: create. Contract B 4 and C 7 where they concern it.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{START, change, date, on_both_stores};
use crate::models::{
    Hooked, NewHooked, NewHookedOptional, NewNote, NewProject, NewWidgetOptional, Note, Project, User,
    Widget, new_widget,
};

on_both_stores! {
    /// E 18-20: defaults fill absence, tenant, id and both timestamps are stamped with one instant, and what comes back
    /// is what a read returns.
    async fn stamps_and_fills(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "  Blue ")).await.unwrap();
        assert!(created.id.to_string().starts_with("wgt_"));
        assert_eq!(created.organization, TenantId::new("acme").unwrap());
        assert_eq!(created.name, "Blue");
        assert_eq!((created.note.as_deref(), created.enabled, created.internal_score), (None, false, 0.0));
        assert_eq!(created.created_at, created.updated_at);
        assert_eq!(created.created_at.to_rfc3339(), "2026-03-01T09:00:00+00:00");
        let read = Widget::fetch(&shop.admin, &created.id).await.unwrap();
        assert_eq!(format!("{read:?}"), format!("{created:?}"));
        assert_eq!(read.revision, created.revision);
    }

    /// E 20: hidden fields and secrets too are, once opened, what a read then returns.
    async fn what_is_hidden_equals_a_read(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_apollo", "Blue");
        new.limits.secret_note = Some("unseen".into());
        new.optional.token = Some(Secret::from("tok_live_4242"));
        new.optional.internal_score = Some(42.5);
        let created = Widget::create(&shop.admin, new).await.unwrap();
        let read = Widget::fetch(&shop.admin, &created.id).await.unwrap();
        let queried = Widget::query(&shop.admin).first().await.unwrap().unwrap();
        for widget in [created, read, queried] {
            assert_eq!((widget.internal_score, widget.limits.secret_note.as_deref()), (42.5, Some("unseen")));
            let token = widget.token.as_ref().unwrap().reveal(&shop.admin).await.unwrap();
            assert_eq!(token.expose(), "tok_live_4242");
            let shown = serde_json::to_string(&widget.into_view(&shop.admin)).unwrap();
            assert!(!shown.contains("42.5") && !shown.contains("tok_live") && !shown.contains("unseen"), "{shown}");
        }
    }

    /// The stored form: declared order, absence for none, dates as dates, revision and version at the end.
    async fn stores_the_declared_shape(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap();
        let stored = shop.stored_one("widgets").await;
        let keys: Vec<_> = stored.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["_id", "organization", "project", "name", "enabled", "internal_score", "limits", "created_at", "updated_at", "_rev", "_sv"]
        );
        assert_eq!(stored.get_str("_id").unwrap(), created.id.to_string());
        assert_eq!(stored.get_datetime("created_at").unwrap(), &date(START));
        assert_eq!(stored.get_document("limits").unwrap(), &doc! { "daily": 5_i64, "weekly": 50_i64 });
        assert_eq!(stored.get_i32("_sv").unwrap(), 2);
        assert_eq!(stored.get_i64("_rev").unwrap().to_string(), created.revision.to_string());
    }

    /// E 18: a default fills absence only; what the caller gives stands, even if it looks empty.
    async fn defaults_fill_absence_only(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_apollo", "Blue");
        new.optional = NewWidgetOptional { note: Some(String::new()), internal_score: Some(-0.0), ..Default::default() };
        let created = Widget::create(&shop.admin, new).await.unwrap();
        assert_eq!(created.note.as_deref(), Some(""));
        assert!(created.internal_score.is_sign_negative());
        let a = Note::create(&shop.admin, NewNote { text: "a".into(), optional: Default::default() }).await.unwrap();
        assert_eq!((a.tags.len(), a.labels.len(), a.view_count), (0, 0, 0));
    }

    /// B 4: a caller may bring the id; a second one with the same id is a duplicate, and nothing is stored.
    async fn takes_an_id_of_the_callers(stage: Stage) {
        let shop = stage.shop().await;
        let id: Id<Project> = Id::parse("prj_abc123").unwrap();
        Project::create_with_id(&shop.admin, id.clone(), NewProject { name: "One".into() }).await.unwrap();
        let error = Project::create_with_id(&shop.admin, id, NewProject { name: "Two".into() }).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!(error.index(), Some("_id_"));
        assert_eq!(shop.stored("projects").await.len(), 1);
    }

    /// Unique means unique in the tenant; the error names the index, not the value.
    async fn unique_is_per_tenant(stage: Stage) {
        let shop = stage.shop().await;
        Project::create(&shop.admin, NewProject { name: "Secret name".into() }).await.unwrap();
        Project::create(&shop.rival, NewProject { name: "Secret name".into() }).await.unwrap();
        let error = Project::create(&shop.admin, NewProject { name: " Secret name ".into() }).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert!(error.index().unwrap().contains("name"));
        assert!(!format!("{error} {error:?}").contains("Secret"), "{error:?}");
    }

    /// D 3.1: all violations at once, with paths; nothing is stored.
    async fn reports_every_violation(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_apollo", " x ");
        new.limits.daily = 1001;
        let error = Widget::create(&shop.admin, new).await.unwrap_err();
        assert!(error.is_invalid());
        let paths: Vec<_> = error.violations().iter().map(|v| (v.path.as_str(), v.rule.as_ref())).collect();
        assert_eq!(paths, [("name", "len"), ("limits.daily", "range")]);
        assert_eq!((error.model(), error.operation()), (Some("Widget"), Some("create")));
        assert!(shop.stored("widgets").await.is_empty());
        assert!(shop.audit_log().await.is_empty());
    }

    /// The permission is asked, and a denied create stores and audits nothing.
    async fn asks_can_create(stage: Stage) {
        let shop = stage.shop().await;
        let viewer = shop.acme(User::viewer("vic", &["prj_apollo"]));
        let error = Widget::create(&viewer, new_widget("prj_apollo", "Blue")).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        let editor = shop.acme(User::editor("ed", &["prj_apollo"]));
        Widget::create(&editor, new_widget("prj_apollo", "Blue")).await.unwrap();
        assert!(Widget::create(&editor, new_widget("prj_other", "Blue")).await.unwrap_err().is_forbidden());
        assert_eq!(shop.stored("widgets").await.len(), 1);
        assert_eq!(shop.audit_log().await.len(), 1);
    }

    /// Rule 1: a hook's change is normalised, validated and stored; tenant and timestamps are put right again.
    async fn a_hook_cannot_move_the_document(stage: Stage) {
        let shop = stage.shop().await;
        let new = NewHooked { name: "one".into(), optional: Default::default() };
        let created = Hooked::create(&shop.admin, new).await.unwrap();
        assert_eq!(created.organization, TenantId::new("acme").unwrap());
        assert_eq!(created.created_at.to_rfc3339(), "2026-03-01T09:00:00+00:00");
        assert_eq!(shop.hooks.take(), ["before_create(one)", "after_create(one   one-slug)"]);
        let stored = shop.stored_one("hooked").await;
        assert_eq!(stored.get_str("organization").unwrap(), "acme");
        let new = NewHooked { name: "twist".into(), optional: Default::default() };
        let error = Hooked::create(&shop.admin, new).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "name");
        assert_eq!(shop.hooks.take(), ["before_create(twist)"]);
    }

    /// H 33: the after-hook's failure says that the write stands, with the id.
    async fn an_after_hook_that_fails_says_so(stage: Stage) {
        let shop = stage.shop().await;
        shop.hooks.fail(Some("after_create"));
        let new = NewHooked { name: "one".into(), optional: NewHookedOptional::default() };
        let error = Hooked::create(&shop.admin, new).await.unwrap_err();
        assert!(error.is_after_write() && error.is_refused(), "{error}");
        let stored = shop.stored_one("hooked").await;
        assert_eq!(error.id().unwrap(), stored.get_object_id("_id").unwrap().to_hex());
        assert_eq!(shop.audit_log().await.len(), 1);
    }

    /// H: a before-hook that fails stops the write.
    async fn a_before_hook_refuses(stage: Stage) {
        let shop = stage.shop().await;
        shop.hooks.fail(Some("before_create"));
        let new = NewHooked { name: "one".into(), optional: Default::default() };
        let error = Hooked::create(&shop.admin, new).await.unwrap_err();
        assert!(error.is_refused() && !error.is_after_write());
        assert!(shop.stored("hooked").await.is_empty());
    }

    /// I 34: the entry of a create, with values, without secrets.
    async fn is_audited(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_apollo", "Blue");
        new.optional.token = Some(Secret::from("tok_live_4242"));
        new.optional.internal_score = Some(42.5);
        let request = model_core::audit::RequestMeta::new().ip("203.0.113.7").user_agent("curl/8").route("POST /widgets").with("key", "own");
        let ctx = shop.admin.clone().with_request(request);
        let created = Widget::create(&ctx, new).await.unwrap();
        let log = shop.audit_log().await;
        assert_eq!(log.len(), 1);
        let entry = &log[0];
        assert_eq!(entry.get_str("tenant").unwrap(), "acme");
        assert_eq!(entry.get_str("event").unwrap(), "widget.create");
        assert_eq!(entry.get_document("actor").unwrap(), &doc! { "kind": "user", "id": "ada" });
        let entity = doc! { "type": "widget", "id": created.id.to_string(), "name": "Blue" };
        assert_eq!(entry.get_document("entity").unwrap(), &entity);
        assert_eq!(entry.get_datetime("at").unwrap(), &date(START));
        let metadata = entry.get_document("metadata").unwrap();
        assert_eq!(metadata.get_str("ip").unwrap(), "203.0.113.7");
        assert_eq!(metadata.get_str("user_agent").unwrap(), "curl/8");
        assert_eq!(metadata.get_str("route").unwrap(), "POST /widgets");
        assert_eq!(metadata.get_str("key").unwrap(), "own");
        assert!(metadata.get_bool("success").unwrap() && metadata.get_i64("duration_ms").is_ok());
        assert_eq!(change(entry, "name").unwrap(), &doc! { "path": "name", "after": "Blue" });
        assert_eq!(change(entry, "token").unwrap(), &doc! { "path": "token", "changed": true });
        assert_eq!(change(entry, "internal_score").unwrap(), &doc! { "path": "internal_score", "changed": true });
        let text = entry.to_string();
        assert!(!text.contains("tok_live") && !text.contains("42.5"), "{text}");
    }
}
