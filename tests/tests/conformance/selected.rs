//! Contract D 13, D 15 and B 6: reads by ids, values of a field, and why a document is not read.

use model_core::Access;
use model_core::prelude::*;
use model_core::query::{Collation, ReadConcern, ReadPreference};

use crate::harness::{foreign_widget, on_both_stores};
use crate::models::{NewNote, NewProject, Note, Project, User, Widget, new_widget};

fn id(text: &str) -> Id<Widget> {
    Id::parse(text).unwrap()
}

on_both_stores! {
    /// B 6: in the order asked for, each once; missing and unreadable ones are absent, another tenant's too.
    async fn many_come_in_the_order_asked_for(stage: Stage) {
        let shop = stage.shop().await;
        for (n, project) in ["prj_a", "prj_b", "prj_a"].iter().enumerate() {
            let new = new_widget(project, &format!("Widget {n}"));
            Widget::create_with_id(&shop.admin, id(&format!("wgt_{n}")), new).await.unwrap();
        }
        Widget::create_with_id(&shop.rival, id("wgt_r"), new_widget("prj_a", "Rival")).await.unwrap();
        let reader = shop.acme(User::viewer("vic", &["prj_a"]));
        let ids = ["wgt_2", "wgt_9", "wgt_1", "wgt_0", "wgt_r", "wgt_2"].map(id);
        let found = Widget::get_many(&reader, &ids).await.unwrap();
        assert_eq!(found.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["Widget 2", "Widget 0"]);
        let found = Widget::get_many(&shop.admin, ids.iter().rev()).await.unwrap();
        assert_eq!(found.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["Widget 2", "Widget 0", "Widget 1"]);
        assert!(Widget::get_many(&shop.admin, []).await.unwrap().is_empty());
    }

    /// Values are those of readable documents, normal, migrated, typed; arrays give their elements.
    async fn distinct_values_are_what_may_be_read(stage: Stage) {
        let shop = stage.shop().await;
        for (name, project) in [("Blue", "prj_a"), ("Amber", "prj_a"), ("Blue", "prj_a"), ("Secret", "prj_b")] {
            let mut new = new_widget(project, name);
            new.optional.note = (name == "Blue").then(|| "sea".to_owned());
            Widget::create(&shop.admin, new).await.unwrap();
        }
        let mut old = foreign_widget("wgt_old");
        old.remove("name");
        old.insert("title", "Old name");
        old.insert("project", "prj_a");
        shop.store_raw("widgets", old).await;
        let reader = shop.acme(User::viewer("vic", &["prj_a"]));
        let names = Widget::query(&reader).distinct(|w| &w.name).await.unwrap();
        assert_eq!(names, ["Amber", "Blue", "Old name"], "migrated, and without what may not be read");
        assert_eq!(Widget::query(&reader).distinct(|w| &w.note).await.unwrap(), ["sea"]);
        assert_eq!(Widget::query(&reader).distinct(|w| &w.limits.daily).await.unwrap(), [1, 5]);
        let named = Widget::query(&reader).filter(|w| w.name.starts_with("B")).distinct(|w| &w.name).await.unwrap();
        assert_eq!(named, ["Blue"]);
        let system = reader.dangerously_bypass_permissions("a test");
        assert_eq!(Widget::query(&system).distinct(|w| &w.name).await.unwrap().len(), 4);
        assert!(Widget::query(&shop.rival).distinct(|w| &w.name).await.unwrap().is_empty());
        for name in ["prj_a", "prj_b", "prj_c"] {
            Project::create_with_id(&shop.admin, Id::parse(name).unwrap(), NewProject { name: name.into() }).await.unwrap();
        }
        assert_eq!(Project::query(&reader).distinct(|p| &p.name).await.unwrap(), ["prj_a"], "an exact scope");
        let ids = Project::query(&shop.admin).distinct(|p| &p.id).await.unwrap();
        assert_eq!(ids, ["prj_a", "prj_b", "prj_c"].map(|text| Id::<Project>::parse(text).unwrap()));
        for tags in [vec!["b", "a"], vec![], vec!["c", "a"]] {
            let new = NewNote {
                text: "x".into(),
                optional: crate::models::NewNoteOptional {
                    tags: Some(tags.into_iter().map(Into::into).collect()),
                    ..Default::default()
                },
            };
            Note::create(&shop.admin, new).await.unwrap();
        }
        assert_eq!(Note::query(&shop.admin).distinct(|n| &n.tags).await.unwrap(), ["a", "b", "c"]);
        let system = shop.admin.dangerously_bypass_permissions("on the server");
        assert_eq!(Note::query(&system).distinct(|n| &n.tags).await.unwrap(), ["a", "b", "c"]);
        assert!(Note::query(&system).distinct(|n| &n.sources.weight).await.unwrap().is_empty());
        assert!(Note::query(&shop.admin).limit(1).distinct(|n| &n.tags).await.unwrap_err().is_invalid());
    }

    /// Which rule denied; a document of another tenant is missing.
    async fn an_explanation_names_the_rule(stage: Stage) {
        let shop = stage.shop().await;
        Widget::create_with_id(&shop.admin, id("wgt_1"), new_widget("prj_a", "Widget")).await.unwrap();
        let project = NewProject { name: "b".into() };
        Project::create_with_id(&shop.admin, Id::parse("prj_b").unwrap(), project).await.unwrap();
        let reader = shop.acme(User::viewer("vic", &["prj_x"]));
        assert_eq!(Widget::explain(&shop.admin, &id("wgt_1")).await.unwrap(), Access::Granted);
        assert_eq!(Widget::explain(&reader, &id("wgt_1")).await.unwrap(), Access::DeniedByCanRead);
        assert_eq!(Project::explain(&reader, &Id::parse("prj_b").unwrap()).await.unwrap(), Access::OutsideScope);
        assert_eq!(Widget::explain(&shop.admin, &id("wgt_2")).await.unwrap(), Access::Missing);
        assert_eq!(Widget::explain(&shop.rival, &id("wgt_1")).await.unwrap(), Access::Missing);
        let system = reader.dangerously_bypass_permissions("a test");
        assert_eq!(Widget::explain(&system, &id("wgt_1")).await.unwrap(), Access::Granted);
    }

    /// Options change nothing about the answer; a hint names a declared index.
    async fn options_change_no_answer(stage: Stage) {
        let shop = stage.shop().await;
        Widget::create_with_id(&shop.admin, id("wgt_1"), new_widget("prj_a", "Widget")).await.unwrap();
        let query = || {
            Widget::query(&shop.admin)
                .read_preference(ReadPreference::Nearest)
                .read_concern(ReadConcern::Local)
                .max_time(std::time::Duration::from_secs(5))
                .batch_size(1)
                .comment("a test")
                .hint(|w| w.project.asc().then(w.enabled.asc()))
        };
        assert_eq!(query().await.unwrap().len(), 1);
        assert_eq!(query().count().await.unwrap(), 1);
        let undeclared = Widget::query(&shop.admin).hint(|w| w.enabled.asc()).await.unwrap_err();
        assert!(undeclared.is_configuration(), "{undeclared}");
        let error = Widget::query(&shop.admin).collation(Collation::new("en")).await.unwrap_err();
        assert!(error.is_unsupported(), "the tenant is a string: {error}");
    }
}
