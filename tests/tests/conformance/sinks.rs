//! Contract H 33 and I 34: a sink of the application's own that does not take an entry.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use model_core::audit::{AuditEntry, AuditSink};
use model_core::prelude::*;
use model_core::testing::CollectingSink;

use crate::harness::{Shop, Stage, on_both_stores};
use crate::models::{
    Hooked, HookedPatch, NewHooked, Note, Task, TaskPatch, Widget, WidgetPatch, new_task, new_widget,
};

/// Collects entries, and answers one of them with an error.
#[derive(Clone, Default)]
struct Picky {
    taken: CollectingSink,
    /// After how many entries it fails once, and with what.
    fails: Arc<Mutex<Option<(usize, Error)>>>,
}

#[async_trait]
impl AuditSink for Picky {
    async fn record(&self, entry: &AuditEntry) -> Result<()> {
        let failure = {
            let mut fails = self.fails.lock().unwrap();
            match &mut *fails {
                Some((0, _)) => fails.take().map(|(_, error)| error),
                Some((left, _)) => {
                    *left -= 1;
                    None
                }
                None => None,
            }
        };
        match failure {
            Some(error) => Err(error),
            None => self.taken.record(entry).await,
        }
    }
}

impl Picky {
    fn fail_after(&self, entries: usize, error: Error) {
        *self.fails.lock().unwrap() = Some((entries, error));
    }

    fn ids(&self) -> Vec<String> {
        self.taken
            .take()
            .into_iter()
            .map(|entry| entry.entity_id)
            .collect()
    }
}

async fn picky(stage: Stage) -> (Shop, Picky) {
    let sink = Picky::default();
    let shop = stage.open(|builder| builder.audit_to(sink.clone())).await;
    (shop, sink)
}

/// Errors of kinds that elsewhere mean "it was not there", or "try again".
async fn misleading(shop: &Shop) -> [Error; 2] {
    let widget = Widget::create(&shop.admin, new_widget("prj_a", "Bait"))
        .await
        .unwrap();
    let stale = Widget::update(&shop.admin, &widget.id, renamed("Stale")).if_revision(Revision::default());
    let conflict = stale.await.unwrap_err();
    assert!(conflict.is_conflict(), "{conflict}");
    [
        Note::fetch(&shop.admin, &Id::generate()).await.unwrap_err(),
        conflict,
    ]
}

fn renamed(name: &str) -> WidgetPatch {
    WidgetPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

fn hooked(name: &str) -> NewHooked {
    NewHooked {
        name: name.into(),
        optional: Default::default(),
    }
}

on_both_stores! {
    /// The others' entries are taken, every after-hook runs, and the error says which document's it was.
    async fn one_refused_entry_keeps_no_other(stage: Stage) {
        let (shop, sink) = picky(stage).await;
        sink.fail_after(1, Error::refused("full"));
        let error = Hooked::create_many(&shop.admin, ["one", "two", "three"].map(hooked)).await.unwrap_err();
        let stored = shop.stored("hooked").await;
        let ids: Vec<_> = stored.iter().map(|one| one.get_object_id("_id").unwrap().to_hex()).collect();
        assert!(error.is_after_write() && error.is_refused(), "{error}");
        assert_eq!((error.position(), error.id()), (Some(1), Some(ids[1].as_str())));
        assert_eq!(sink.ids(), [&*ids[0], &*ids[2]]);
        assert_eq!(shop.hooks.take().iter().filter(|call| call.starts_with("after_create")).count(), 3);

        sink.fail_after(0, Error::refused("full"));
        let patch = HookedPatch { name: Set("same".into()), ..Default::default() };
        let error = Hooked::update_many(&shop.admin, |h| h.name.ne("same"), patch).await.unwrap_err();
        assert!(error.is_after_write() && ids.iter().any(|id| error.id() == Some(id)), "{error}");
        assert_eq!(sink.ids().len(), 2);
        assert_eq!(shop.hooks.take().iter().filter(|call| call.starts_with("after_update")).count(), 3);
        assert!(shop.stored("hooked").await.iter().all(|one| one.get_str("name").unwrap() == "same"));
    }

    /// In the application's transaction the same, once it has taken effect.
    async fn after_a_transaction(stage: Stage) {
        let (shop, sink) = picky(stage).await;
        sink.fail_after(0, Error::refused("full"));
        let error = shop.admin.transaction(|tx| async move {
            Hooked::create(&tx, hooked("one")).await?;
            Hooked::create(&tx, hooked("two")).await
        }).await.unwrap_err();
        let stored = shop.stored("hooked").await;
        let ids: Vec<_> = stored.iter().map(|one| one.get_object_id("_id").unwrap().to_hex()).collect();
        assert!(error.is_after_write(), "{error}");
        assert_eq!(error.id(), Some(ids[0].as_str()));
        assert_eq!(sink.ids(), [&*ids[1]]);
        assert_eq!(shop.hooks.take().iter().filter(|call| call.starts_with("after_create")).count(), 2);
    }

    /// What the sink's error is like is no word on the write: it stands, is told as done, and is not done again.
    async fn a_sinks_error_is_not_the_stores(stage: Stage) {
        let (shop, sink) = picky(stage).await;
        for error in misleading(&shop).await {
            let kind = error.kind();
            let widget = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
            sink.taken.take();
            sink.fail_after(0, error);
            let error = Widget::delete(&shop.admin, &widget.id).await.unwrap_err();
            assert!(error.is_after_write() && error.kind() == kind, "{error}");
            assert_eq!(error.id(), Some(widget.id.to_string().as_str()));
            assert!(Widget::get(&shop.admin, &widget.id).await.unwrap().is_none());
            assert!(sink.ids().is_empty());
        }
        for (number, error) in (0..).zip(misleading(&shop).await) {
            let kind = error.kind();
            let task = Task::create(&shop.admin, new_task("prj_a", number)).await.unwrap();
            sink.fail_after(0, error);
            let patch = TaskPatch { worker: Set(Some("w".into())), ..Default::default() };
            let open = Task::query(&shop.admin).filter(|t| t.worker.is_none());
            let error = open.claim(patch).await.unwrap_err();
            assert!(error.is_after_write() && error.kind() == kind, "{error}");
            assert_eq!(Task::fetch(&shop.admin, &task.id).await.unwrap().worker.as_deref(), Some("w"));
        }
        for (number, error) in (7..).zip(misleading(&shop).await) {
            let kind = error.kind();
            let task = Task::create(&shop.admin, new_task("prj_a", number)).await.unwrap();
            for error in [error] {
                sink.fail_after(0, error);
                let error = Task::update_with(&shop.admin, &task.id, |t| t.runs.inc(1)).await.unwrap_err();
                assert!(error.is_after_write() && error.kind() == kind, "{error}");
            }
            assert_eq!(Task::fetch(&shop.admin, &task.id).await.unwrap().runs, 1, "counted once");
        }
        for error in misleading(&shop).await {
            let kind = error.kind();
            let project: Id<crate::models::Project> = Id::parse("prj_a").unwrap();
            let number = if kind == ErrorKind::NotFound { 20 } else { 21 };
            sink.fail_after(0, error);
            let patch = TaskPatch { runs: Set(9), ..Default::default() };
            let key = |t: &'static <Task as model_core::Model>::Fields| t.project.eq(&project) & t.number.eq(number);
            let error = Task::upsert(&shop.admin, key, new_task("prj_a", number), patch).await.unwrap_err();
            assert!(error.is_after_write() && error.kind() == kind, "{error}");
            let found = Task::query(&shop.admin).filter(key).await.unwrap();
            assert_eq!(found.iter().map(|task| task.runs).collect::<Vec<_>>(), [0], "created, and not updated thereafter");
        }
    }
}
