//! Contract N 54 and H 33: several operations, or none of them.

use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{
    Hooked, HookedPatch, NewHooked, NewNote, NewProject, Note, NotePatch, Project, Widget, new_widget,
};

fn note(text: &str) -> NewNote {
    NewNote {
        text: text.into(),
        optional: Default::default(),
    }
}

fn hooked(name: &str) -> NewHooked {
    NewHooked {
        name: name.into(),
        optional: Default::default(),
    }
}

/// An application's own error.
#[derive(Debug)]
enum Mine {
    Broke(u32),
    Model(Error),
}

impl From<Error> for Mine {
    fn from(error: Error) -> Self {
        Self::Model(error)
    }
}

on_both_stores! {
    /// All of it, and what it wrote is seen inside before it is seen outside.
    async fn takes_effect_as_a_whole(stage: Stage) {
        let shop = stage.shop().await;
        let old = Note::create(&shop.admin, note("old")).await.unwrap().id;
        let (outside, new) = (shop.rival.clone(), note("new"));
        let created = shop.admin.transaction(|tx| async move {
            assert!(Note::delete(&tx, &old).await?);
            let created = Note::create(&tx, new).await?;
            assert_eq!(Note::query(&tx).count().await?, 1);
            assert_eq!(Note::fetch(&tx, &created.id).await?.text, "new");
            assert_eq!(Note::create_many(&tx, [note("x"), note("y")]).await?.len(), 2);
            assert_eq!(Note::update_many(&tx, |n| n.text.in_(["x", "y"]), NotePatch { text: Set("z".into()), ..Default::default() }).await?.written, 2);
            Ok::<_, Error>(created)
        }).await.unwrap();
        assert_eq!(created.text, "new");
        let mut texts: Vec<_> = Note::query(&shop.admin).await.unwrap().into_iter().map(|one| one.text).collect();
        texts.sort();
        assert_eq!(texts, ["new", "z", "z"]);
        assert_eq!(Note::query(&outside).count().await.unwrap(), 0);
    }

    /// The closure's own error comes back unchanged, and nothing stays: no document, no audit entry, no after-hook.
    async fn an_error_undoes_it(stage: Stage) {
        let shop = stage.shop().await;
        let result: Result<(), Mine> = shop.admin.transaction(|tx| async move {
            Hooked::create(&tx, hooked("one")).await?;
            Widget::create(&tx, new_widget("prj_a", "Blue")).await?;
            Err(Mine::Broke(7))
        }).await;
        assert!(matches!(result, Err(Mine::Broke(7))), "{result:?}");
        assert!(shop.stored("hooked").await.is_empty() && shop.stored("widgets").await.is_empty());
        assert!(shop.audit_log().await.is_empty());
        assert_eq!(shop.hooks.take(), ["before_create(one)"]);
        let result: Result<(), Mine> = shop.admin.transaction(|tx| async move {
            Note::fetch(&tx, &Id::generate()).await?;
            Ok(())
        }).await;
        assert!(matches!(&result, Err(Mine::Model(error)) if error.is_not_found()), "{result:?}");
    }

    /// After-hooks wait for the commit, see what was written, and are outside.
    async fn after_hooks_run_after_the_commit(stage: Stage) {
        let shop = stage.shop().await;
        let hooks = shop.hooks.clone();
        shop.admin.transaction(|tx| async move {
            let one = Hooked::create(&tx, hooked("one")).await?;
            let patch = HookedPatch { name: Set("two".into()), ..Default::default() };
            Hooked::update(&tx, &one.id, patch).await?;
            Hooked::delete(&tx, &one.id).await?;
            assert_eq!(hooks.take(), ["before_create(one)", "before_update(one -> two)", "before_delete(two)"]);
            Ok::<_, Error>(())
        }).await.unwrap();
        assert_eq!(shop.hooks.take(), ["after_create(one   one-slug)", "after_update(  one-slug -> two-slug)", "after_delete(two)"]);
        assert_eq!(shop.audit_log().await.len(), 3);
        shop.hooks.fail(Some("after_create"));
        let failed = shop.admin.transaction(|tx| async move { Hooked::create(&tx, hooked("three")).await }).await.unwrap_err();
        assert!(failed.is_after_write(), "{failed}");
        assert!(failed.id().is_some());
        assert_eq!(shop.stored("hooked").await.len(), 1);
    }

    /// A transaction inside of a transaction is part of it.
    async fn nested_ones_join(stage: Stage) {
        let shop = stage.shop().await;
        let result: Result<(), Mine> = shop.admin.transaction(|tx| async move {
            tx.transaction(|inner| async move { Note::create(&inner, note("inner")).await }).await?;
            assert_eq!(Note::query(&tx).count().await?, 1);
            Err(Mine::Broke(1))
        }).await;
        assert!(result.is_err());
        assert!(shop.stored("notes").await.is_empty());
    }

    /// The session cannot be forgotten: another context inside of the closure is refused, and so is the closure's after it.
    async fn the_context_cannot_be_mixed_up(stage: Stage) {
        let shop = stage.shop().await;
        let outer = shop.admin.clone();
        let slipped = shop.admin.transaction(|_tx| async move { Note::create(&outer, note("slip")).await }).await.unwrap_err();
        assert!(slipped.is_configuration(), "{slipped}");
        let outer = shop.admin.clone();
        let slipped = shop.admin.transaction(|_tx| async move { Note::query(&outer).count().await }).await.unwrap_err();
        assert!(slipped.is_configuration(), "{slipped}");
        let outer = shop.admin.clone();
        let slipped = shop.admin.transaction(|_tx| async move { Widget::create(&outer, new_widget("prj_a", "Blue")).await }).await.unwrap_err();
        assert!(slipped.is_configuration(), "{slipped}");
        let kept = shop.admin.transaction(|tx| async move { Ok::<_, Error>(tx) }).await.unwrap();
        let late = Note::create(&kept, note("late")).await.unwrap_err();
        assert!(late.is_configuration(), "{late}");
        assert!(shop.stored("notes").await.is_empty() && shop.stored("widgets").await.is_empty());
    }

    /// An operation that failed has undone the transaction: passing over its error does not commit the rest.
    async fn a_failure_cannot_be_passed_over(stage: Stage) {
        let shop = stage.shop().await;
        let project = |name: &str| NewProject { name: name.into() };
        Project::create(&shop.admin, project("taken")).await.unwrap();
        let result = shop.admin.transaction(|tx| async move {
            Project::create(&tx, project("free")).await?;
            assert!(Project::create(&tx, project("taken")).await.unwrap_err().is_duplicate());
            Ok::<_, Error>(())
        }).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        assert_eq!(shop.stored("projects").await.len(), 1);
    }

    /// A refusal before anything was sent leaves the transaction as it was.
    async fn a_refusal_can_be_passed_over(stage: Stage) {
        let shop = stage.shop().await;
        shop.admin.transaction(|tx| async move {
            assert!(Hooked::create(&tx, hooked("much too long for a name")).await.unwrap_err().is_invalid());
            assert!(!Note::delete(&tx, &Id::generate()).await?);
            Note::create(&tx, note("kept")).await
        }).await.unwrap();
        assert_eq!(shop.stored("notes").await.len(), 1);
    }

    /// Transactions that run into each other are run again: of counters nothing is lost.
    async fn collisions_are_run_again(stage: Stage) {
        let shop = stage.shop().await;
        let id = Note::create(&shop.admin, note("counter")).await.unwrap().id;
        shop.hooks.meet(8);
        let tasks: Vec<_> = (0..8).map(|_| {
            let (ctx, id) = (shop.admin.clone(), id.clone());
            tokio::spawn(async move {
                ctx.transaction(|tx| async move {
                    let seen = Note::fetch(&tx, &id).await?;
                    let patch = NotePatch { view_count: Set(seen.view_count + 1), ..Default::default() };
                    Note::update(&tx, &id, patch).await
                }).await
            })
        }).collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(Note::fetch(&shop.admin, &id).await.unwrap().view_count, 8);
    }

    /// A sink of the application's own hears of it once it stands, and of nothing that was undone.
    async fn sinks_wait_for_the_commit(stage: Stage) {
        let (shop, sink) = stage.shop_with_sink().await;
        let heard = sink.clone();
        shop.admin.transaction(|tx| async move {
            Widget::create(&tx, new_widget("prj_a", "Blue")).await?;
            assert!(heard.take().is_empty());
            Ok::<_, Error>(())
        }).await.unwrap();
        assert_eq!(sink.take().len(), 1);
        let _: Result<(), Mine> = shop.admin.transaction(|tx| async move {
            Widget::create(&tx, new_widget("prj_a", "Red")).await?;
            Err(Mine::Broke(1))
        }).await;
        assert!(sink.take().is_empty());
    }
}
