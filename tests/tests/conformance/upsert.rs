//! Upsert and replace.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{foreign_widget, on_both_stores};
use crate::models::{Limits, NewNote, Note, NotePatch, Task, TaskPatch, User, Widget, new_task, new_widget};

fn runs(runs: i32) -> TaskPatch {
    TaskPatch {
        runs: Set(runs),
        ..Default::default()
    }
}

on_both_stores! {
    /// Created with its defaults where there is none; patched where there is one.
    async fn creates_or_patches(stage: Stage) {
        let shop = stage.shop().await;
        let project: Id<crate::models::Project> = Id::parse("prj_a").unwrap();
        let upsert = |new, patch| {
            Task::upsert(&shop.admin, |t| t.project.eq(&project) & t.number.eq(1), new, patch)
        };
        let first = upsert(new_task("prj_a", 1), runs(9)).await.unwrap();
        assert!(first.is_created());
        let first = first.into_document();
        assert_eq!((first.runs, first.created_at), (0, shop.admin.now()));
        shop.tick();
        let second = upsert(new_task("prj_a", 1), runs(9)).await.unwrap();
        assert!(!second.is_created());
        let second = second.into_document();
        assert_eq!((&second.id, second.runs, second.created_at), (&first.id, 9, first.created_at));
        assert_eq!(shop.stored("tasks").await.len(), 1);
        let events: Vec<_> = shop.audit_log().await.iter().map(|entry| entry.get_str("event").unwrap().to_owned()).collect();
        assert_eq!(events, ["task.create", "task.update"]);
    }

    /// Racing calls make one document, and every one of them is heard.
    async fn racing_upserts_make_one(stage: Stage) {
        let shop = stage.shop().await;
        shop.hooks.meet(8);
        let tasks: Vec<_> = (1..=8).map(|n| {
            let ctx = shop.admin.clone();
            tokio::spawn(async move {
                let project: Id<crate::models::Project> = Id::parse("prj_a").unwrap();
                Task::upsert(&ctx, |t| t.project.eq(&project) & t.number.eq(1), new_task("prj_a", 1), runs(n)).await
            })
        }).collect();
        let mut created = 0;
        for task in tasks {
            created += u32::from(task.await.unwrap().unwrap().is_created());
        }
        assert_eq!(created, 1);
        assert_eq!(shop.stored("tasks").await.len(), 1);
    }

    /// A key that does not name one document is refused, and so is a new document that it would not find.
    async fn the_key_is_unique(stage: Stage) {
        let shop = stage.shop().await;
        let loose = Task::upsert(&shop.admin, |t| t.number.eq(1), new_task("prj_a", 1), runs(1)).await.unwrap_err();
        assert!(loose.is_configuration(), "{loose}");
        let wide = Task::upsert(&shop.admin, |_| Filter::all(), new_task("prj_a", 1), runs(1)).await.unwrap_err();
        assert!(wide.is_configuration(), "{wide}");
        let project: Id<crate::models::Project> = Id::parse("prj_a").unwrap();
        let other = Task::upsert(&shop.admin, |t| t.project.eq(&project) & t.number.eq(1), new_task("prj_a", 2), runs(1)).await;
        assert!(other.unwrap_err().is_invalid());
        assert!(shop.stored("tasks").await.is_empty());
    }

    /// Permissions are those of a create and of an update.
    async fn permissions_hold(stage: Stage) {
        let shop = stage.shop().await;
        let project: Id<crate::models::Project> = Id::parse("prj_a").unwrap();
        let viewer = shop.acme(User::viewer("vi", &["prj_a"]));
        let upsert = |ctx| Task::upsert(ctx, |t| t.project.eq(&project) & t.number.eq(1), new_task("prj_a", 1), runs(1));
        assert!(upsert(&viewer).await.unwrap_err().is_forbidden());
        upsert(&shop.admin).await.unwrap();
        assert!(upsert(&viewer).await.unwrap_err().is_forbidden());
        assert_eq!(shop.stored_one("tasks").await.get_i32("runs").unwrap(), 0);
    }

    /// Replace gives all that a caller may write, and keeps the rest: created_at, what the model does not declare.
    async fn replace_keeps_what_is_not_the_callers(stage: Stage) {
        let shop = stage.shop().await;
        let mut raw = foreign_widget("wgt_a");
        raw.insert("_sv", 2);
        raw.insert("note", "n");
        raw.insert("unknown", doc! { "kept": true });
        shop.store_raw("widgets", raw).await;
        shop.tick();
        let id = Id::parse("wgt_a").unwrap();
        let mut new = new_widget("prj_apollo", "  Replaced ");
        new.limits = Limits::new(9, 90);
        let replaced = Widget::replace(&shop.admin, &id, new).await.unwrap();
        assert_eq!((replaced.name.as_str(), replaced.note.as_deref()), ("Replaced", None));
        assert_eq!(replaced.updated_at - replaced.created_at, chrono::TimeDelta::seconds(1));
        let stored = shop.stored_one("widgets").await;
        assert_eq!(stored.get_document("unknown").unwrap(), &doc! { "kept": true });
        assert!(!stored.contains_key("note"));
        let moved = Widget::replace(&shop.admin, &id, new_widget("prj_other", "Moved")).await.unwrap_err();
        assert!(moved.is_invalid(), "{moved}");
        let missing = Widget::replace(&shop.admin, &Id::generate(), new_widget("prj_apollo", "Blue")).await;
        assert!(missing.unwrap_err().is_not_found());
    }

    /// An upsert by the id.
    async fn by_the_id(stage: Stage) {
        let shop = stage.shop().await;
        let new = || NewNote { text: "a".into(), optional: Default::default() };
        let note = Note::create(&shop.admin, new()).await.unwrap();
        let patch = NotePatch { text: Set("b".into()), ..Default::default() };
        let upserted = Note::upsert(&shop.admin, |n| n.id.eq(&note.id), new(), patch).await.unwrap();
        assert_eq!(upserted.into_document().text, "b");
    }
}
