//! What is stored is read only to see whether it can be; tenants are found; passes stop between two batches.

use bson::doc;
use model_core::prelude::*;

use crate::harness::{foreign_widget, on_both_stores};
use crate::models::{User, Widget};
use crate::references::{
    About, Author, Country, Library, Message, NewAuthor, NewCountry, NewMessageOptional, NewPost,
    NewPostOptional, Post, Reader, Tag,
};

on_both_stores! {
    /// Each document that cannot be read is told with its id and never with a value; another tenant's are not looked at.
    async fn unreadable_documents_are_found(stage: Stage) {
        let shop = stage.shop().await;
        for number in 0..7 {
            shop.store_raw("widgets", foreign_widget(&format!("wgt_{number}"))).await;
        }
        let mut broken = foreign_widget("wgt_broken");
        broken.insert("name", 7);
        broken.insert("note", "canary");
        let mut newer = foreign_widget("wgt_newer");
        newer.insert("_sv", 99);
        let mut foreign = foreign_widget("wgt_foreign");
        foreign.extend(doc! { "organization": "globex", "name": 7 });
        for document in [broken, newer, foreign] {
            shop.store_raw("widgets", document).await;
        }
        assert!(Widget::check_stored(&shop.admin).await.unwrap_err().is_forbidden());
        let job = shop.admin.dangerously_bypass_permissions("check");
        let mut told = Vec::new();
        let report = Widget::check_stored(&job).batch(4).on_progress(|so_far| told.push(so_far.scanned)).await.unwrap();
        assert_eq!((report.scanned, report.unreadable, report.errors.len()), (9, 2, 2), "{report:?}");
        assert_eq!(told, [4, 8, 9]);
        assert_eq!(report.errors.iter().filter_map(model_core::Error::id).collect::<Vec<_>>(), ["wgt_broken", "wgt_newer"]);
        assert!(!format!("{report:?}").contains("canary"));
    }

    /// A reference leads nowhere when its document is gone, or another tenant's; one that is soft-deleted is still there, and
    /// so is what belongs to nobody. Each way of holding one is looked through, batch by batch.
    async fn dangling_references_are_found(stage: Stage) {
        let library = Library::open(stage).await;
        let (ada, deleted) = (library.author("Ada").await, library.author("Eve").await);
        let foreign = Author::create(&library.rival, NewAuthor { name: "Mallory".into() }).await.unwrap();
        let (there, gone) = (library.tag("there").await, library.tag("gone").await);
        library.post("whole", &ada, &[&there], 0).await;
        library.post("tags", &ada, &[&there, &gone, &gone], 0).await;
        library.post("soft", &deleted, &[], 0).await;
        let first = library.post("foreign", &foreign, &[], 0).await;
        let global = library.db.global_context(Reader { sees_all: true });
        let austria = NewCountry { name: "Austria".into() };
        let austria = Country::create_with_id(&global, Id::parse("at").unwrap(), austria).await.unwrap();
        for country in [Ref::to(&austria.id), Ref::to(&Id::parse("nowhere").unwrap())] {
            let optional = NewPostOptional { country: Some(country), ..Default::default() };
            let new = NewPost { title: "land".into(), author: Ref::to(&ada.id), optional };
            Post::create(&library.admin, new).await.unwrap();
        }
        Author::delete(&library.admin, &deleted.id).await.unwrap();
        Tag::delete(&library.admin, &gone.id).await.unwrap();
        let job = library.admin.dangerously_bypass_permissions("check");
        for batch in [2, 500] {
            let report = Post::check_stored(&job).batch(batch).await.unwrap();
            let mut paths: Vec<_> = report.errors.iter().map(|error| error.path().unwrap()).collect();
            paths.sort_unstable();
            assert_eq!((report.scanned, report.unreadable, report.dangling), (6, 0, 4), "{report:?}");
            assert_eq!(paths, ["author", "country", "tags", "tags"]);
            assert!(report.errors.iter().all(|error| error.is_not_found() && error.id().is_some()));
        }
        // One path may name documents of several models: it is enough that one of them has the id.
        for about in [About::Post(Ref::to(&first.id)), About::Author(Ref::to(&ada.id)), About::Nothing] {
            library.message("about", 0, NewMessageOptional { about: Some(about), ..Default::default() }).await;
        }
        Post::delete(&library.admin, &first.id).await.unwrap();
        let report = Message::check_stored(&job).await.unwrap();
        assert_eq!((report.scanned, report.dangling), (3, 1), "{report:?}");
        let elsewhere = library.rival.dangerously_bypass_permissions("check");
        assert_eq!(Post::check_stored(&elsewhere).await.unwrap().scanned, 0);
    }

    /// Stopped, it says where to go on.
    async fn a_check_stops_and_goes_on(stage: Stage) {
        let shop = stage.shop().await;
        for number in 0..7 {
            shop.store_raw("widgets", foreign_widget(&format!("wgt_{number}"))).await;
        }
        let job = shop.admin.dangerously_bypass_permissions("check");
        let report = Widget::check_stored(&job).batch(3).stop_when(|| true).await.unwrap();
        assert_eq!(report.scanned, 3);
        let rest = Widget::check_stored(&job).resume(report.resume.unwrap()).await.unwrap();
        assert_eq!((rest.scanned, rest.resume), (4, None));
        let stopped = Widget::reencrypt(&job).batch(2).stop_when(|| true).await.unwrap();
        assert_eq!((stopped.scanned, stopped.resume.map(|token| token.to_string()).as_deref()), (2, Some("s:wgt_1")));
    }

    /// Each once, and no others.
    async fn tenants_are_found(stage: Stage) {
        let shop = stage.shop().await;
        for (number, tenant) in ["globex", "acme", "globex"].into_iter().enumerate() {
            let mut document = foreign_widget(&format!("wgt_{number}"));
            document.insert("organization", tenant);
            shop.store_raw("widgets", document).await;
        }
        let global = shop.db.global_context(User::admin("ada"));
        assert!(Widget::tenants(&global).await.unwrap_err().is_forbidden());
        let tenants = Widget::tenants(&global.dangerously_bypass_permissions("list")).await.unwrap();
        assert_eq!(tenants, ["acme", "globex"].map(|name| TenantId::new(name).unwrap()));
    }
}
