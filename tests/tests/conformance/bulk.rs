//! Contract G 31: many documents at once keep every promise of one.

use bson::doc;
use model_core::prelude::*;
use model_core::{BulkEffect, BulkOutcome, ModelExt};

use crate::harness::{change, on_both_stores};
use crate::models::{
    Ctx, Hooked, HookedPatch, NewHooked, NewNote, NewProject, Note, NotePatch, Project, ProjectPatch, User,
    Widget, WidgetPatch, new_widget, open_policy,
};

fn hooked(name: &str) -> NewHooked {
    NewHooked {
        name: name.into(),
        optional: Default::default(),
    }
}

fn note(text: &str) -> NewNote {
    NewNote {
        text: text.into(),
        optional: Default::default(),
    }
}

fn named(name: &str) -> ProjectPatch {
    ProjectPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

fn text(text: &str) -> NotePatch {
    NotePatch {
        text: Set(text.into()),
        ..Default::default()
    }
}

/// Each write moves it on.
#[derive(Clone, Model)]
#[model(collection = "movers")]
pub(crate) struct Mover {
    #[model(id)]
    id: Id<Mover>,
    #[model(tenant)]
    organization: TenantId,
    #[model(index)]
    place: i64,
    #[model(default = 0)]
    writes: i64,
    #[model(default = false)]
    seen: bool,
}

impl BaseModel for Mover {
    type Actor = User;

    open_policy!(Self, Ctx);

    async fn before_update(_ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        let after = change.after_mut();
        after.place += 10_000;
        after.writes += 1;
        Ok(())
    }
}

on_both_stores! {
    /// Each document is told of once, when its batch stands: what became of it, by its id.
    async fn each_document_is_told_of(stage: Stage) {
        let shop = stage.shop().await;
        let made = Note::create_many(&shop.admin, ["a", "b", "c"].map(note)).await.unwrap();
        let mut told = Vec::new();
        let report = Note::update_many(&shop.admin, |n| n.text.in_(["a", "b"]), text("b"))
            .on_each(|id, effect| told.push((id.clone(), effect)))
            .await.unwrap();
        assert_eq!((report.matched, report.written), (2, 1));
        assert_eq!(told, [(made[0].id.clone(), BulkEffect::Written), (made[1].id.clone(), BulkEffect::Unchanged)]);
        let mut told = Vec::new();
        let report = Note::delete_many(&shop.admin, |n| n.text.eq("b")).limit(1)
            .on_each(|id, effect| told.push((id.clone(), effect)))
            .await.unwrap();
        assert!(report.limited);
        assert_eq!(told, [(made[0].id.clone(), BulkEffect::Written)]);
    }

    /// Of a batch that fails nobody is told anything, since nothing of it stands; of the batches before, everything.
    async fn only_what_stands_is_told_of(stage: Stage) {
        let shop = stage.shop().await;
        Note::create_many(&shop.admin, (0..1_500).map(|n| note(&format!("n{n:04}")))).await.unwrap();
        let mut broken = shop.stored("notes").await.remove(0);
        broken.extend(doc! { "_id": Id::<Note>::generate().to_bson(), "text": 5 });
        shop.store_raw("notes", broken).await;
        let mut told = 0;
        let error = Note::update_many(&shop.admin, |_| Filter::all(), text("same"))
            .allow_all()
            .on_each(|_, effect| told += i32::from(effect == BulkEffect::Written))
            .await.unwrap_err();
        assert!(error.is_decode(), "{error}");
        let written = shop.stored("notes").await.iter().filter(|one| one.get_str("text").is_ok_and(|text| text == "same")).count();
        assert_eq!((told, written), (1_000, 1_000));
    }

    /// Tenant, timestamps, defaults, normalisation, hooks in order and once, an entry for each.
    async fn create_many_is_many_creates(stage: Stage) {
        let shop = stage.shop().await;
        let created = Hooked::create_many(&shop.admin, ["one ", " two", "three"].map(hooked)).await.unwrap();
        let names: Vec<_> = created.iter().map(|one| (one.name.as_str(), one.slug.as_str())).collect();
        assert_eq!(names, [("one", "  one-slug"), ("two", "  two-slug"), ("three", "  three-slug")]);
        assert!(created.iter().all(|one| one.organization == *shop.admin.tenant() && one.created_at == shop.admin.now()));
        assert_eq!(shop.hooks.take(), [
            "before_create(one)", "before_create(two)", "before_create(three)",
            "after_create(one   one-slug)", "after_create(two   two-slug)", "after_create(three   three-slug)",
        ]);
        let read = Hooked::query(&shop.admin).sort(|h| h.id.asc()).await.unwrap();
        let mut same = created;
        same.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(format!("{read:?}"), format!("{same:?}"));
        let log = shop.audit_log().await;
        assert_eq!(log.len(), 3);
        assert!(log.iter().all(|entry| entry.get_str("event").unwrap() == "hooked.create"));
    }

    /// Each document is judged before the first is written, and the failing one is named.
    async fn create_many_names_the_failing_document(stage: Stage) {
        let shop = stage.shop().await;
        let error = Hooked::create_many(&shop.admin, ["one", "much too long for a name", "three"].map(hooked)).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
        assert_eq!((error.position(), error.written()), (Some(1), 0));
        let editor = shop.acme(User::editor("ed", &["prj_a"]));
        let inputs = [new_widget("prj_a", "Blue"), new_widget("prj_b", "Red")];
        let error = Widget::create_many(&editor, inputs).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(error.position(), Some(1));
        assert!(shop.stored("hooked").await.is_empty() && shop.stored("widgets").await.is_empty());
        assert!(shop.audit_log().await.is_empty());
    }

    /// A batch is all or nothing: a duplicate key in the middle leaves nothing.
    async fn a_batch_is_all_or_nothing(stage: Stage) {
        let shop = stage.shop().await;
        let project = |name: &str| NewProject { name: name.into() };
        Project::create(&shop.admin, project("taken")).await.unwrap();
        let error = Project::create_many(&shop.admin, ["a", "b", "taken", "c"].map(project)).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!((error.position(), error.index()), (Some(2), Some("organization_1_name_1_unique")));
        assert_eq!(shop.stored("projects").await.len(), 1);
    }

    /// Nothing asked, nothing done.
    async fn nothing_is_nothing(stage: Stage) {
        let shop = stage.shop().await;
        assert!(Note::create_many(&shop.admin, []).await.unwrap().is_empty());
        assert!(Note::bulk(&shop.admin).await.unwrap().is_empty());
        let report = Note::update_many(&shop.admin, |n| n.text.eq("none"), text("x")).await.unwrap();
        assert_eq!((report.matched, report.written, report.limited), (0, 0, false));
    }

    /// More than one batch.
    async fn batches_add_up(stage: Stage) {
        let shop = stage.shop().await;
        let created = Note::create_many(&shop.admin, (0..2_500).map(|i| note(&format!("n{i}")))).await.unwrap();
        assert_eq!(created.len(), 2_500);
        assert!(created.iter().enumerate().all(|(i, one)| one.text == format!("n{i}")));
        let report = Note::update_many(&shop.admin, |n| n.text.starts_with("n"), text("same")).await.unwrap();
        assert_eq!((report.matched, report.written, report.limited), (2_500, 2_500, false));
        let report = Note::update_many(&shop.admin, |n| n.text.eq("same"), text("same")).await.unwrap();
        assert_eq!((report.matched, report.written), (2_500, 0));
        let report = Note::delete_many(&shop.admin, |n| n.text.eq("same")).limit(1_200).await.unwrap();
        assert_eq!((report.written, report.limited), (1_200, true));
        assert_eq!(Note::query(&shop.admin).count().await.unwrap(), 1_300);
    }

    /// A document that its own write moves ahead of the cursor, in the index that serves the filter, is written once.
    async fn each_document_is_written_once(stage: Stage) {
        let shop = stage.open(|builder| builder.model::<Mover>()).await;
        let movers = (0..2_100).map(|place| NewMover { place, optional: Default::default() });
        Mover::create_many(&shop.admin, movers).await.unwrap();
        let patch = |seen| MoverPatch { seen: Set(seen), ..Default::default() };
        let report = Mover::update_many(&shop.admin, |m| m.place.gte(0), patch(true)).await.unwrap();
        assert_eq!((report.matched, report.written), (2_100, 2_100));
        let all = Mover::query(&shop.admin).await.unwrap();
        assert!(all.len() == 2_100 && all.iter().all(|one| one.writes == 1 && one.place >= 10_000));
        let some = Mover::update_many(&shop.admin, |m| m.place.gte(0), patch(false)).limit(1_500).await.unwrap();
        assert_eq!((some.matched, some.written, some.limited), (1_500, 1_500, true));
    }

    /// Update by filter: hooks, audit with before and after, timestamps; what does not differ is left alone.
    async fn update_many_is_many_updates(stage: Stage) {
        let shop = stage.shop().await;
        let created = Hooked::create_many(&shop.admin, ["one", "two", "same"].map(hooked)).await.unwrap();
        shop.hooks.take();
        shop.tick();
        let patch = HookedPatch { name: Set(" same ".into()), ..Default::default() };
        let report = Hooked::update_many(&shop.admin, |h| h.name.ne("none"), patch).await.unwrap();
        assert_eq!((report.matched, report.written), (3, 2));
        let mut calls = shop.hooks.take();
        calls.sort();
        assert_eq!(calls, [
            "after_update(  one-slug -> same-slug)", "after_update(  two-slug -> same-slug)",
            "before_update(one -> same)", "before_update(two -> same)",
        ]);
        let read = Hooked::query(&shop.admin).await.unwrap();
        assert!(read.iter().all(|one| one.name == "same" && one.slug.trim() == "same-slug"));
        let moved = read.iter().filter(|one| one.updated_at > one.created_at).count();
        assert_eq!(moved, 2);
        let log = shop.audit_log().await;
        assert_eq!(log.len(), 5);
        let entry = log.iter().find(|entry| {
            entry.get_str("event").unwrap() == "hooked.update"
                && entry.get_document("entity").unwrap().get_str("id").unwrap() == created[0].id.to_string()
        });
        assert_eq!(change(entry.unwrap(), "name").unwrap(), &doc! { "path": "name", "before": "one", "after": "same" });
    }

    /// What the actor may not read is no part of it; what it may read and not write fails the whole batch.
    async fn permissions_hold_for_each(stage: Stage) {
        let shop = stage.shop().await;
        let inputs = [new_widget("prj_a", "Blue"), new_widget("prj_b", "Red"), new_widget("prj_a", "Green")];
        Widget::create_many(&shop.admin, inputs).await.unwrap();
        Widget::create(&shop.rival, new_widget("prj_a", "Theirs")).await.unwrap();
        let editor = shop.acme(User::editor("ed", &["prj_a"]));
        let patch = || WidgetPatch { note: Set(Some("n".into())), ..Default::default() };
        let report = Widget::update_many(&editor, |w| w.name.ne(""), patch()).await.unwrap();
        assert_eq!((report.matched, report.written), (2, 2));
        let noted = shop.stored("widgets").await.iter().filter(|widget| widget.contains_key("note")).count();
        assert_eq!(noted, 2);
        let viewer = shop.acme(User::viewer("vi", &["prj_a", "prj_b"]));
        let error = Widget::update_many(&viewer, |w| w.name.eq("Red"), patch()).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        let error = Widget::delete_many(&editor, |w| w.name.ne("")).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(shop.stored("widgets").await.len(), 4);
        let report = Widget::delete_many(&shop.admin, |_| Filter::all()).allow_all().await.unwrap();
        assert_eq!(report.written, 3);
        assert_eq!(shop.stored_one("widgets").await.get_str("name").unwrap(), "Theirs");
    }

    /// C 17: a filter that selects everything has to be spelled out.
    async fn an_empty_filter_is_refused(stage: Stage) {
        let shop = stage.shop().await;
        Note::create(&shop.admin, note("a")).await.unwrap();
        let error = Note::delete_many(&shop.admin, |_| Filter::all()).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
        assert_eq!(error.violations()[0].rule, "empty");
        assert!(Note::update_many(&shop.admin, |_| Filter::all(), text("b")).await.unwrap_err().is_invalid());
        assert_eq!(shop.stored_one("notes").await.get_str("text").unwrap(), "a");
    }

    /// Operations of several kinds, in their order, or none of them.
    async fn a_mixed_bulk_is_one(stage: Stage) {
        let shop = stage.shop().await;
        let project = |name: &str| NewProject { name: name.into() };
        let old = Project::create_many(&shop.admin, ["a", "b", "c"].map(project)).await.unwrap();
        let outcomes = Project::bulk(&shop.admin)
            .delete(old[0].id.clone())
            .create(project("a"))
            .update(old[1].id.clone(), named("bb"))
            .update(old[2].id.clone(), named("c"))
            .delete(Id::generate())
            .await
            .unwrap();
        assert!(matches!(&outcomes[..], [
            BulkOutcome::Deleted, BulkOutcome::Created(a), BulkOutcome::Updated(bb), BulkOutcome::Unchanged(c), BulkOutcome::Missing,
        ] if a.name == "a" && bb.name == "bb" && c.name == "c"), "{outcomes:?}");
        let failing = Project::bulk(&shop.admin)
            .delete(old[1].id.clone())
            .create(project("c"))
            .await
            .unwrap_err();
        assert!(failing.is_duplicate(), "{failing}");
        assert_eq!(failing.position(), Some(1));
        assert_eq!(Project::query(&shop.admin).count().await.unwrap(), 3);
        let missing = Project::bulk(&shop.admin)
            .delete(old[1].id.clone())
            .update(Id::generate(), named("x"))
            .await
            .unwrap_err();
        assert!(missing.is_not_found(), "{missing}");
        let twice = Project::bulk(&shop.admin).delete(old[1].id.clone()).delete(old[1].id.clone()).await.unwrap_err();
        assert!(twice.is_invalid(), "{twice}");
        assert_eq!(Project::query(&shop.admin).count().await.unwrap(), 3);
    }

    /// Two writers by filter at one time: each document is changed by both or by one after the other, none is lost.
    async fn racing_updates_settle(stage: Stage) {
        let shop = stage.shop().await;
        Hooked::create_many(&shop.admin, (0..40).map(|i| hooked(&format!("n{i}")))).await.unwrap();
        shop.hooks.meet(2);
        let tasks: Vec<_> = ["left", "right"].map(|name| {
            let ctx = shop.admin.clone();
            tokio::spawn(async move {
                let patch = HookedPatch { name: Set(name.into()), ..Default::default() };
                Hooked::update_many(&ctx, |h| h.name.starts_with("n"), patch).await
            })
        }).into();
        let mut written = 0;
        for task in tasks {
            written += task.await.unwrap().unwrap().written;
        }
        assert_eq!(written, 40, "each was changed by one of them");
        let updates = shop.audit_log().await.iter().filter(|entry| entry.get_str("event").unwrap() == "hooked.update").count();
        assert_eq!(updates, 40);
    }

    /// An after-hook that fails says so, with the document; the writes stand.
    async fn after_hooks_that_fail_say_so(stage: Stage) {
        let shop = stage.shop().await;
        shop.hooks.fail(Some("after_create"));
        let error = Hooked::create_many(&shop.admin, ["one", "two"].map(hooked)).await.unwrap_err();
        assert!(error.is_after_write(), "{error}");
        assert_eq!(error.position(), Some(0));
        assert_eq!(shop.stored("hooked").await.len(), 2);
        assert_eq!(shop.hooks.take().iter().filter(|call| call.starts_with("after_create")).count(), 2);
    }
}
