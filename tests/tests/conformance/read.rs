//! Contract D 12, 13, 17 and C 7, 9: reads.

use bson::doc;
use futures_util::TryStreamExt;
use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{Shop, foreign_widget, on_both_stores};
use crate::models::{NewProject, Note, NotePatch, Project, User, Widget, new_widget};

/// Five widgets, a second apart; the third is of another project.
async fn five(shop: &Shop) {
    for (n, project) in ["prj_a", "prj_a", "prj_b", "prj_a", "prj_a"].iter().enumerate() {
        let id = Id::parse(&format!("wgt_{n}")).unwrap();
        Widget::create_with_id(&shop.admin, id, new_widget(project, &format!("Widget {n}")))
            .await
            .unwrap();
        shop.tick();
    }
}

fn names(widgets: &[Widget]) -> Vec<&str> {
    widgets.iter().map(|widget| widget.name.as_str()).collect()
}

on_both_stores! {
    /// D 13: denied by id is none, the same as missing and as another tenant's.
    async fn get_hides_what_may_not_be_read(stage: Stage) {
        let shop = stage.shop().await;
        five(&shop).await;
        let reader = shop.acme(User::viewer("vic", &["prj_a"]));
        let id = |text: &str| Id::parse(text).unwrap();
        assert!(Widget::get(&reader, &id("wgt_0")).await.unwrap().is_some());
        assert!(Widget::get(&reader, &id("wgt_2")).await.unwrap().is_none());
        assert!(Widget::get(&reader, &id("wgt_9")).await.unwrap().is_none());
        assert!(Widget::get(&shop.rival, &id("wgt_0")).await.unwrap().is_none());
        let error = Widget::fetch(&reader, &id("wgt_2")).await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.id(), Some("wgt_2"));
    }

    /// D 14's arithmetic for `skip` and `limit`: unreadable documents count for neither.
    async fn limit_and_skip_count_readable_documents(stage: Stage) {
        let shop = stage.shop().await;
        five(&shop).await;
        let reader = shop.acme(User::viewer("vic", &["prj_a"]));
        let query = || Widget::query(&reader).sort(|w| w.created_at.asc());
        assert_eq!(names(&query().await.unwrap()), ["Widget 0", "Widget 1", "Widget 3", "Widget 4"]);
        assert_eq!(names(&query().skip(2).limit(4).await.unwrap()), ["Widget 3", "Widget 4"]);
        assert_eq!(names(&query().skip(1).limit(2).await.unwrap()), ["Widget 1", "Widget 3"]);
        assert_eq!(query().first().await.unwrap().unwrap().name, "Widget 0");
        assert_eq!(query().count().await.unwrap(), 4);
        assert_eq!(query().skip(1).count().await.unwrap(), 3);
        assert_eq!(query().limit(2).count().await.unwrap(), 2);
        assert!(query().exists().await.unwrap());
        assert!(!query().filter(|w| w.project.eq(Id::parse("prj_b").unwrap())).exists().await.unwrap());
        assert_eq!(query().limit(0).await.unwrap().len(), 0);
    }

    /// C 7, 9: whatever the filter says, another tenant's documents do not come.
    async fn no_filter_widens_the_tenant(stage: Stage) {
        let shop = stage.shop().await;
        five(&shop).await;
        let acme = shop.admin.tenant().clone();
        let filters = || [
            Filter::all(),
            Widget::filter(|w| w.organization.eq(&acme)),
            Widget::filter(|w| w.organization.in_([&acme, shop.rival.tenant()])),
            Widget::filter(|w| w.organization.ne(shop.rival.tenant())),
            Widget::filter(|w| w.organization.eq(&acme)) | Filter::all(),
            !Widget::filter(|w| w.organization.eq(shop.rival.tenant())),
            Widget::filter(|w| w.name.starts_with("Widget")),
            Widget::filter(|w| w.organization.exists(true)),
        ];
        for filter in filters() {
            let text = format!("{filter:?}");
            assert_eq!(Widget::query(&shop.rival).matching(filter.clone()).count().await.unwrap(), 0, "{text}");
            assert_eq!(Widget::query(&shop.rival).matching(filter).await.unwrap().len(), 0, "{text}");
        }
        assert_eq!(Widget::query(&shop.admin).count().await.unwrap(), 5);
    }

    /// A model with an exact scope counts and limits on the server.
    async fn an_exact_scope_counts_on_the_server(stage: Stage) {
        let shop = stage.shop().await;
        for id in ["prj_a", "prj_b", "prj_c"] {
            Project::create_with_id(&shop.admin, Id::parse(id).unwrap(), NewProject { name: id.into() }).await.unwrap();
        }
        let reader = shop.acme(User::viewer("vic", &["prj_a", "prj_c"]));
        assert_eq!(Project::query(&reader).count().await.unwrap(), 2);
        let second = Project::query(&reader).sort(|p| p.id.asc()).skip(1).limit(5).await.unwrap();
        assert_eq!(second.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["prj_c"]);
        assert_eq!(Project::query(&shop.admin).count().await.unwrap(), 3);
    }

    /// Every comparison, with an index path and without.
    async fn filters_select(stage: Stage) {
        let shop = stage.shop().await;
        five(&shop).await;
        let count = async |filter: Filter<Widget>| Widget::query(&shop.admin).matching(filter).count().await.unwrap();
        assert_eq!(count(Widget::filter(|w| w.name.eq(" Widget 1 "))).await, 1, "trimmed as the field is");
        assert_eq!(count(Widget::filter(|w| w.name.ne("Widget 1"))).await, 4);
        assert_eq!(count(Widget::filter(|w| w.name.gt("Widget 1") & w.name.lte("Widget 3"))).await, 2);
        assert_eq!(count(Widget::filter(|w| w.limits.daily.gte(5) & w.limits.weekly.lt(51))).await, 5);
        assert_eq!(count(Widget::filter(|w| w.limits.daily.lt(5))).await, 0);
        assert_eq!(count(Widget::filter(|w| w.name.in_(["Widget 1", "Widget 2", "none"]))).await, 2);
        assert_eq!(count(Widget::filter(|w| w.name.not_in(["Widget 1"]))).await, 4);
        assert_eq!(count(Widget::filter(|w| w.name.in_(Vec::<String>::new()))).await, 0);
        assert_eq!(count(Widget::filter(|w| w.note.is_none())).await, 5);
        assert_eq!(count(Widget::filter(|w| w.note.is_some() | w.enabled.eq(true))).await, 0);
        assert_eq!(count(Widget::filter(|w| !w.note.exists(false))).await, 0);
        assert_eq!(count(Widget::filter(|w| w.name.starts_with("Widget"))).await, 5);
        assert_eq!(count(Widget::filter(|w| w.name.starts_with("W.*"))).await, 0, "nothing in a prefix is special");
        assert_eq!(count(Filter::nothing()).await, 0);
        assert_eq!(count(Filter::nothing() | Widget::filter(|w| w.name.eq("Widget 1"))).await, 1);
    }

    /// A stream gives the same documents, in the same order.
    async fn a_stream_gives_the_same(stage: Stage) {
        let shop = stage.shop().await;
        five(&shop).await;
        let reader = shop.acme(User::viewer("vic", &["prj_a"]));
        let stream = Widget::query(&reader).sort(|w| w.created_at.desc()).stream();
        let all: Vec<Widget> = stream.try_collect().await.unwrap();
        assert_eq!(names(&all), ["Widget 4", "Widget 3", "Widget 1", "Widget 0"]);
    }

    /// A stored document that does not fit is an error with collection, id and path, and without the value.
    async fn what_does_not_decode_says_where(stage: Stage) {
        let shop = stage.shop().await;
        let cases = [
            ("name", None, "missing"),
            ("name", Some(bson::Bson::Int32(4711)), "expected string, found int"),
            ("limits", Some(doc! { "daily": "4711", "weekly": 1 }.into()), "expected a whole number, found string"),
            ("limits", Some(doc! { "daily": 4711.5, "weekly": 1 }.into()), "expected a whole number"),
            ("limits", Some(doc! { "daily": -4711, "weekly": 1 }.into()), "out of range"),
            ("created_at", Some("4711".into()), "expected date, found string"),
        ];
        for (n, (field, value, message)) in cases.into_iter().enumerate() {
            let id = format!("wgt_bad{n}");
            let mut document = foreign_widget(&id);
            document.insert("_sv", 2);
            match value {
                Some(value) => document.insert(field, value),
                None => document.remove(field),
            };
            shop.store_raw("widgets", document).await;
            let error = Widget::get(&shop.admin, &Id::parse(&id).unwrap()).await.unwrap_err();
            assert!(error.is_decode(), "{error}");
            assert_eq!((error.model(), error.id()), (Some("Widget"), Some(id.as_str())));
            assert!(error.path().unwrap().starts_with(field), "{error}");
            assert!(error.to_string().contains(message), "{error}");
            assert!(!format!("{error:?}").contains("4711"), "{error:?}");
        }
    }

    /// A document of a newer version than the program knows is not misread.
    async fn a_newer_document_is_refused(stage: Stage) {
        let shop = stage.shop().await;
        let mut document = foreign_widget("wgt_new");
        document.insert("_sv", 3);
        shop.store_raw("widgets", document).await;
        let error = Widget::get(&shop.admin, &Id::parse("wgt_new").unwrap()).await.unwrap_err();
        assert!(error.is_decode() && error.to_string().contains("version 3"), "{error}");
    }

    /// J 36: an older document is migrated on read, and written back with the next write.
    async fn an_older_document_is_migrated(stage: Stage) {
        let shop = stage.shop().await;
        let mut old = foreign_widget("wgt_old");
        old.remove("name");
        old.remove("limits");
        old.insert("title", "Old name");
        old.insert("unknown", 7);
        shop.store_raw("widgets", old.clone()).await;
        let id = Id::parse("wgt_old").unwrap();
        let read = Widget::fetch(&shop.admin, &id).await.unwrap();
        assert_eq!((read.name.as_str(), read.limits.daily), ("Old name", 10));
        assert_eq!(shop.stored_one("widgets").await, old, "a read writes nothing");
        let patch = crate::models::WidgetPatch { enabled: Set(false), ..Default::default() };
        Widget::update(&shop.admin, &id, patch).await.unwrap();
        assert_eq!(shop.stored_one("widgets").await, old, "nothing meant, nothing written");
        let patch = crate::models::WidgetPatch { enabled: Set(true), ..Default::default() };
        Widget::update(&shop.admin, &id, patch).await.unwrap();
        let stored = shop.stored_one("widgets").await;
        assert_eq!(stored.get_str("name").unwrap(), "Old name");
        assert_eq!(stored.get_i32("_sv").unwrap(), 2);
        assert!(!stored.contains_key("title"));
        assert_eq!(stored.get_i32("unknown").unwrap(), 7);
        assert_eq!(stored.get_document("limits").unwrap(), &doc! { "daily": 10_i64, "weekly": 20_i64 });
    }
}

/// A document with one element more, even if it has one of that name.
fn with(document: &[u8], kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = document[..document.len() - 1].to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(value);
    bytes.push(0);
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    bytes
}

/// What another client stored under one name twice is not guessed: the error names the path, and nothing is written.
#[tokio::test]
async fn a_name_that_stands_twice_is_an_error() {
    let database = model_tests::server::fresh_database().await;
    let db = Db::mongo(database.clone()).model::<Note>().build_lazy().unwrap();
    db.sync_indexes(Default::default()).await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    let notes = database.collection::<bson::RawDocumentBuf>("notes");
    let number = 7_i32.to_le_bytes();
    let labels = with(&doc! { "x": 7_i32 }.to_vec().unwrap(), 16, "x", &number);
    let source = with(
        &doc! { "label": "l", "weight": 7_i32 }.to_vec().unwrap(),
        16,
        "weight",
        &number,
    );
    let cases = [
        ("viewCount", 16, number.to_vec(), "viewCount"),
        ("labels", 3, labels, "labels.x"),
        ("source", 3, source, "source.weight"),
    ];
    for (name, kind, value, path) in cases {
        let id: Id<Note> = Id::generate();
        let mut stored = doc! {
            "_id": bson::oid::ObjectId::parse_str(id.to_string()).unwrap(), "orgId": "acme", "text": "t", "viewCount": 1_i64,
            "tags": [], "labels": {}, "sources": [],
        };
        stored.remove(name);
        let mut stored = stored.to_vec().unwrap();
        if kind == 16 {
            stored = with(&stored, kind, name, &value);
        }
        let stored = bson::RawDocumentBuf::from_bytes(with(&stored, kind, name, &value)).unwrap();
        notes.insert_one(&stored).await.unwrap();
        let patch = NotePatch {
            text: Set("other".into()),
            ..Default::default()
        };
        let failed = [
            Note::fetch(&ctx, &id).await.map(drop),
            Note::query(&ctx).filter(|n| n.id.eq(&id)).await.map(drop),
            Note::update(&ctx, &id, patch).await.map(drop),
        ];
        for error in failed.map(Result::unwrap_err) {
            assert!(error.is_decode(), "{path}: {error}");
            assert_eq!(error.path(), Some(path), "{error}");
        }
        let kept = notes.find_one(doc! { "text": "t" }).await.unwrap().unwrap();
        assert_eq!(kept.as_bytes(), stored.as_bytes(), "{path}");
        notes.delete_many(doc! {}).await.unwrap();
    }
}
