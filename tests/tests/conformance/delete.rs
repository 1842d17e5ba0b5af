//! Contract G 30 and C 10-11 where they concern single documents: delete, bypass.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{change, on_both_stores};
use crate::models::{Hooked, NewHooked, NewNote, Note, NotePatch, User, Widget, new_widget};

on_both_stores! {
    /// G 30: missing, unreadable or already deleted is `false`, and not audited.
    async fn missing_is_false(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
        let outsider = shop.acme(User::viewer("olga", &["prj_b"]));
        assert!(!Widget::delete(&shop.rival, &created.id).await.unwrap());
        assert!(!Widget::delete(&outsider, &created.id).await.unwrap());
        assert!(!Widget::delete(&shop.admin, &Id::parse("wgt_none").unwrap()).await.unwrap());
        assert_eq!(shop.audit_log().await.len(), 1);
        assert!(Widget::delete(&shop.admin, &created.id).await.unwrap());
        assert!(!Widget::delete(&shop.admin, &created.id).await.unwrap());
        let log = shop.audit_log().await;
        assert_eq!(log.len(), 2);
        assert_eq!(log[1].get_str("event").unwrap(), "widget.delete");
        assert_eq!(change(&log[1], "name").unwrap(), &doc! { "path": "name", "before": "Blue" });
        assert!(shop.stored("widgets").await.is_empty());
    }

    /// A denied delete is forbidden.
    async fn asks_can_delete(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
        let editor = shop.acme(User::editor("ed", &["prj_a"]));
        let error = Widget::delete(&editor, &created.id).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(shop.stored("widgets").await.len(), 1);
    }

    /// H 33: both hooks, once, in order; the first may refuse.
    async fn hooks_run_once(stage: Stage) {
        let shop = stage.shop().await;
        let created = Hooked::create(&shop.admin, NewHooked { name: "one".into(), optional: Default::default() }).await.unwrap();
        shop.hooks.take();
        shop.hooks.fail(Some("before_delete"));
        assert!(Hooked::delete(&shop.admin, &created.id).await.unwrap_err().is_refused());
        assert_eq!(shop.stored("hooked").await.len(), 1);
        shop.hooks.fail(None);
        shop.hooks.take();
        assert!(Hooked::delete(&shop.admin, &created.id).await.unwrap());
        assert_eq!(shop.hooks.take(), ["before_delete(one)", "after_delete(one)"]);
    }

    /// Of two deletes at one time, one deletes: one audit entry.
    async fn two_racing_deletes_make_one_entry(stage: Stage) {
        let shop = stage.shop().await;
        let created = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
        shop.hooks.meet(6);
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (ctx, id) = (shop.admin.clone(), created.id.clone());
                tokio::spawn(async move { Widget::delete(&ctx, &id).await })
            })
            .collect();
        let mut deleted = 0;
        for task in tasks {
            deleted += u32::from(task.await.unwrap().unwrap());
        }
        assert_eq!(deleted, 1);
        let deletes = shop.audit_log().await.iter().filter(|entry| entry.get_str("event").is_ok_and(|text| text == "widget.delete")).count();
        assert_eq!(deletes, 1);
    }

    /// C 11: work over tenants is a bypass that enters one after the other: each write stands in its tenant, with the reason.
    async fn work_over_tenants_is_audited(stage: Stage) {
        let shop = stage.shop().await;
        let tenants = [shop.admin.tenant().clone(), shop.rival.tenant().clone()];
        let support = shop.db.global_context(User::viewer("sue", &[]));
        let new = || NewNote { text: "maintenance".into(), optional: Default::default() };
        for tenant in &tenants {
            let denied = Note::create(&support.enter(tenant.clone()), new()).await.unwrap_err();
            assert!(denied.is_forbidden(), "{denied}");
        }
        assert!(shop.audit_log().await.is_empty());
        let job = support.dangerously_bypass_permissions("ticket 7");
        for tenant in &tenants {
            let inside = job.enter(tenant.clone());
            let note = Note::create(&inside, new()).await.unwrap();
            let patch = NotePatch { text: Set("over".into()), ..Default::default() };
            Note::update(&inside, &note.id, patch).await.unwrap();
            assert_eq!(note.org_id, *tenant);
            assert_eq!(Note::query(&inside).count().await.unwrap(), 1, "what the other tenant has is out of reach");
        }
        let log = shop.audit_log().await;
        let told: Vec<_> = log.iter().map(|entry| {
            let of = |key| entry.get_str(key).unwrap();
            (of("tenant"), of("event"), of("bypass_reason"))
        }).collect();
        assert_eq!(told, [
            ("acme", "Note.create", "ticket 7"), ("acme", "Note.update", "ticket 7"),
            ("globex", "Note.create", "ticket 7"), ("globex", "Note.update", "ticket 7"),
        ]);
    }

    /// The one bypass: no permission is asked, the tenant still holds, and the reason is audited, whatever the model says.
    async fn a_bypass_is_audited_and_stays_in_the_tenant(stage: Stage) {
        let shop = stage.shop().await;
        let note = Note::create(&shop.admin, NewNote { text: "a".into(), optional: Default::default() }).await.unwrap();
        let nobody = shop.acme(User::viewer("nemo", &[]));
        let patch = || NotePatch { text: Set("b".into()), ..Default::default() };
        assert!(Note::update(&nobody, &note.id, patch()).await.unwrap_err().is_forbidden());
        assert!(shop.audit_log().await.is_empty());
        let job = nobody.dangerously_bypass_permissions("nightly cleanup");
        Note::update(&job, &note.id, patch()).await.unwrap();
        let log = shop.audit_log().await;
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].get_str("bypass_reason").unwrap(), "nightly cleanup");
        assert_eq!(log[0].get_str("event").unwrap(), "Note.update");
        assert_eq!(log[0].get_document("actor").unwrap().get_str("id").unwrap(), "nemo");
        let other = shop.db.context(TenantId::new("globex").unwrap(), User::viewer("nemo", &[]));
        let other = other.dangerously_bypass_permissions("nightly cleanup");
        assert!(Note::update(&other, &note.id, patch()).await.unwrap_err().is_not_found());
        assert!(!Note::delete(&other, &note.id).await.unwrap());
    }
}
