//! Contract G 32 and N 48: soft deletes, singletons, append-only models.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{Event, NewEvent, NewSettings, Settings, SettingsPatch, Task, TaskPatch, User, new_task};

on_both_stores! {
    /// Every path passes over a marked document; it is still there, and comes back whole.
    async fn a_soft_delete_marks(stage: Stage) {
        let shop = stage.shop().await;
        let tasks = Task::create_many(&shop.admin, [1, 2].map(|number| new_task("prj_a", number))).await.unwrap();
        let id = &tasks[0].id;
        let before = shop.stored("tasks").await;
        assert!(Task::delete(&shop.admin, id).await.unwrap());
        let stored = shop.stored("tasks").await;
        assert_eq!(stored.len(), 2);
        assert_eq!(stored[0].get_datetime("_deleted_at").unwrap().to_chrono(), shop.admin.now());
        assert_ne!(stored[0].get("_rev"), before[0].get("_rev"));

        assert!(Task::get(&shop.admin, id).await.unwrap().is_none());
        assert_eq!(Task::query(&shop.admin).await.unwrap().len(), 1);
        assert_eq!(Task::query(&shop.admin).count().await.unwrap(), 1);
        assert!(!Task::query(&shop.admin).filter(|t| t.number.eq(1)).exists().await.unwrap());
        assert!(Task::query(&shop.admin).filter(|t| t.number.eq(1)).first().await.unwrap().is_none());
        let patch = || TaskPatch { runs: Set(9), ..Default::default() };
        assert!(Task::update(&shop.admin, id, patch()).await.unwrap_err().is_not_found());
        assert!(!Task::delete(&shop.admin, id).await.unwrap());
        assert_eq!(Task::update_many(&shop.admin, |t| t.number.gte(0), patch()).await.unwrap().matched, 1);
        assert!(Task::query(&shop.admin).filter(|t| t.number.eq(1)).claim(patch()).await.unwrap().is_none());
        let bulk = Task::bulk(&shop.admin).update(id.clone(), patch()).await;
        assert!(bulk.unwrap_err().is_not_found());

        assert_eq!(Task::query(&shop.admin).with_deleted().count().await.unwrap(), 2);
        let deleted = Task::query(&shop.admin).only_deleted().await.unwrap();
        assert_eq!(deleted.iter().map(|task| task.number).collect::<Vec<_>>(), [1]);

        assert!(!Task::restore(&shop.rival, id).await.unwrap());
        assert!(Task::restore(&shop.admin, id).await.unwrap());
        assert!(!Task::restore(&shop.admin, id).await.unwrap());
        let restored = Task::fetch(&shop.admin, id).await.unwrap();
        assert_eq!((restored.number, restored.runs), (1, 0));
        let events: Vec<_> = shop.audit_log().await.iter().map(|entry| entry.get_str("event").unwrap().to_owned()).collect();
        assert_eq!(events, ["task.create", "task.create", "task.delete", "task.update", "task.restore"]);
    }

    /// Purge removes, whether the document was marked or not, and asks as a delete does.
    async fn a_purge_removes(stage: Stage) {
        let shop = stage.shop().await;
        let tasks = Task::create_many(&shop.admin, [1, 2, 3].map(|number| new_task("prj_a", number))).await.unwrap();
        assert_eq!(Task::delete_many(&shop.admin, |t| t.number.eq(1)).await.unwrap().written, 1);
        let viewer = shop.acme(User::viewer("vi", &["prj_a"]));
        assert!(Task::purge(&viewer, &tasks[0].id).await.unwrap_err().is_forbidden());
        assert!(Task::purge(&shop.admin, &tasks[0].id).await.unwrap());
        assert!(Task::purge(&shop.admin, &tasks[1].id).await.unwrap());
        assert!(!Task::purge(&shop.admin, &tasks[1].id).await.unwrap());
        assert_eq!(shop.stored_one("tasks").await.get_i32("number").unwrap(), 3);
        let purges = shop.audit_log().await.iter().filter(|entry| entry.get_str("event").unwrap() == "task.purge").count();
        assert_eq!(purges, 2);
    }

    /// N 48: got or created, one for each tenant, whoever comes first.
    async fn a_singleton_is_one(stage: Stage) {
        let shop = stage.shop().await;
        shop.hooks.meet(8);
        let calls: Vec<_> = (0..8).map(|i| {
            let ctx = if i % 2 == 0 { shop.admin.clone() } else { shop.rival.clone() };
            tokio::spawn(async move { Settings::singleton(&ctx, NewSettings::default).await })
        }).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().page_size, 20);
        }
        assert_eq!(shop.stored("settings").await.len(), 2);
        let own = Settings::singleton(&shop.admin, NewSettings::default).await.unwrap();
        Settings::update(&shop.admin, &own.id, SettingsPatch { page_size: Set(50), ..Default::default() }).await.unwrap();
        assert_eq!(Settings::singleton(&shop.admin, NewSettings::default).await.unwrap().page_size, 50);
        assert_eq!(Settings::singleton(&shop.rival, NewSettings::default).await.unwrap().page_size, 20);
        let second = Settings::create(&shop.admin, NewSettings::default()).await.unwrap_err();
        assert!(second.is_unsupported(), "{second}");
        let second = Settings::create_many(&shop.admin, [NewSettings::default()]).await.unwrap_err();
        assert!(second.is_unsupported(), "{second}");
        let viewer = shop.db.context(TenantId::new("initech").unwrap(), User::viewer("vi", &[]));
        assert!(Settings::singleton(&viewer, NewSettings::default).await.unwrap_err().is_forbidden());
    }

    /// An append-only model is created and read.
    async fn append_only(stage: Stage) {
        let shop = stage.shop().await;
        let event = Event::create(&shop.admin, NewEvent { what: "opened".into() }).await.unwrap();
        assert_eq!(Event::fetch(&shop.admin, &event.id).await.unwrap().what, "opened");
        assert_eq!(shop.stored_one("events").await.get_str("what").unwrap(), "opened");
    }

    /// A document that another client marked is passed over as well; one with a null mark is not.
    async fn the_mark_is_a_date(stage: Stage) {
        let shop = stage.shop().await;
        for (id, number, mark) in [("tsk_a", 1, bson::Bson::Null), ("tsk_b", 2, shop.admin.now().into())] {
            shop.store_raw("tasks", doc! {
                "_id": id, "organization": "acme", "project": "prj_a", "number": number, "kind": "task", "runs": 0,
                "created_at": crate::harness::date(crate::harness::START), "_deleted_at": mark,
            }).await;
        }
        let seen = Task::query(&shop.admin).await.unwrap();
        assert_eq!(seen.iter().map(|task| task.number).collect::<Vec<_>>(), [1]);
    }
}
