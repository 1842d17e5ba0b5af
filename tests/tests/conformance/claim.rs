//! Contract N 49: one worker, one document.

use std::collections::BTreeSet;

use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{Task, TaskPatch, User, new_task};

fn by(worker: &str) -> TaskPatch {
    TaskPatch {
        worker: Set(Some(worker.into())),
        ..Default::default()
    }
}

on_both_stores! {
    /// In the order asked for; none when all are taken.
    async fn takes_the_first(stage: Stage) {
        let shop = stage.shop().await;
        Task::create_many(&shop.admin, [3, 1, 2].map(|number| new_task("prj_a", number))).await.unwrap();
        let open = || Task::query(&shop.admin).filter(|t| t.worker.is_none()).sort(|t| t.number.asc());
        for number in 1..=3 {
            let task = open().claim(by("w")).await.unwrap().unwrap();
            assert_eq!((task.number, task.worker.as_deref()), (number, Some("w")));
        }
        assert!(open().claim(by("w")).await.unwrap().is_none());
        let entries = shop.audit_log().await;
        assert_eq!(entries.iter().filter(|entry| entry.get_str("event").unwrap() == "task.update").count(), 3);
    }

    /// Many workers at one time: each task goes to one.
    async fn no_task_goes_to_two(stage: Stage) {
        let shop = stage.shop().await;
        Task::create_many(&shop.admin, (0..24).map(|number| new_task("prj_a", number))).await.unwrap();
        shop.hooks.meet(6);
        let workers: Vec<_> = (0..6).map(|worker| {
            let ctx = shop.admin.clone();
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let open = Task::query(&ctx).filter(|t| t.worker.is_none()).sort(|t| t.number.asc());
                    match open.claim(by(&format!("w{worker}"))).await.unwrap() {
                        Some(task) => taken.push(task.number),
                        None => return taken,
                    }
                }
            })
        }).collect();
        let mut taken = Vec::new();
        for worker in workers {
            taken.extend(worker.await.unwrap());
        }
        assert_eq!(taken.len(), 24);
        assert_eq!(taken.iter().copied().collect::<BTreeSet<_>>(), (0..24).collect());
    }

    /// A patch after which the next worker would find the document again is refused, and changes nothing.
    async fn a_claim_has_to_claim(stage: Stage) {
        let shop = stage.shop().await;
        Task::create(&shop.admin, new_task("prj_a", 1)).await.unwrap();
        let open = || Task::query(&shop.admin).filter(|t| t.worker.is_none());
        let counted = TaskPatch { runs: Set(1), ..Default::default() };
        assert!(open().claim(counted).await.unwrap_err().is_invalid());
        assert!(open().claim(TaskPatch::default()).await.unwrap_err().is_invalid());
        assert_eq!(open().await.unwrap()[0].runs, 0);
    }

    /// What the actor may not read it does not claim.
    async fn only_what_the_actor_reads(stage: Stage) {
        let shop = stage.shop().await;
        Task::create(&shop.admin, new_task("prj_b", 1)).await.unwrap();
        Task::create(&shop.rival, new_task("prj_a", 1)).await.unwrap();
        let editor = shop.acme(User::editor("ed", &["prj_a"]));
        assert!(Task::query(&editor).filter(|t| t.worker.is_none()).claim(by("ed")).await.unwrap().is_none());
    }
}
