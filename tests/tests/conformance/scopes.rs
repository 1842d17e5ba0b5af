//! Base filter and write scope: what a model holds at all, and what an actor may write of it.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{Task, TaskPatch, User, new_task};

on_both_stores! {
    /// A document of another kind in the same collection is not there, for a bypass neither; and none can be made.
    async fn the_base_filter_always_holds(stage: Stage) {
        let shop = stage.shop().await;
        shop.store_raw("tasks", doc! {
            "_id": "tsk_other", "organization": "acme", "project": "prj_a", "number": 7, "kind": "meeting", "runs": 0,
            "created_at": crate::harness::date(crate::harness::START),
        }).await;
        let job = shop.admin.dangerously_bypass_permissions("look");
        let id = Id::parse("tsk_other").unwrap();
        let patch = || TaskPatch { runs: Set(1), ..Default::default() };
        for ctx in [&shop.admin, &job] {
            assert!(Task::get(ctx, &id).await.unwrap().is_none());
            assert_eq!(Task::query(ctx).count().await.unwrap(), 0);
            assert!(Task::update(ctx, &id, patch()).await.unwrap_err().is_not_found());
            assert!(!Task::delete(ctx, &id).await.unwrap());
            assert!(!Task::purge(ctx, &id).await.unwrap());
            assert_eq!(Task::update_many(ctx, |t| t.number.eq(7), patch()).await.unwrap().matched, 0);
        }
        let mut meeting = new_task("prj_a", 1);
        meeting.optional.kind = Some("meeting".into());
        let error = Task::create(&shop.admin, meeting).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
        let task = Task::create(&shop.admin, new_task("prj_a", 1)).await.unwrap();
        let turn = TaskPatch { kind: Set("meeting".into()), ..Default::default() };
        assert!(Task::update(&shop.admin, &task.id, turn).await.unwrap_err().is_invalid());
        assert_eq!(shop.stored("tasks").await.len(), 2);
    }

    /// What lies outside of the write scope, before or after, is forbidden; a write by filter passes over it.
    async fn the_write_scope_holds_before_and_after(stage: Stage) {
        let shop = stage.shop().await;
        let tasks = Task::create_many(&shop.admin, [new_task("prj_a", 1), new_task("prj_b", 1)]).await.unwrap();
        let user = User { edits: vec![Id::parse("prj_a").unwrap()], ..User::viewer("ed", &["prj_a", "prj_b"]) };
        let ctx = shop.acme(user);
        let patch = || TaskPatch { runs: Set(1), ..Default::default() };
        Task::update(&ctx, &tasks[0].id, patch()).await.unwrap();
        assert!(Task::update(&ctx, &tasks[1].id, patch()).await.unwrap_err().is_forbidden());
        let away = TaskPatch { project: Set(Id::parse("prj_b").unwrap()), ..Default::default() };
        assert!(Task::update(&ctx, &tasks[0].id, away).await.unwrap_err().is_forbidden());
        assert!(Task::create(&ctx, new_task("prj_b", 5)).await.unwrap_err().is_forbidden());
        assert!(Task::delete(&ctx, &tasks[1].id).await.unwrap_err().is_forbidden());
        let report = Task::update_many(&ctx, |t| t.number.eq(1), TaskPatch { runs: Set(2), ..Default::default() }).await.unwrap();
        assert_eq!((report.matched, report.written), (1, 1));
        let job = ctx.dangerously_bypass_permissions("backfill");
        assert_eq!(Task::update_many(&job, |t| t.number.eq(1), patch()).await.unwrap().written, 2);
    }
}
