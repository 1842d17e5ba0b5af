//! Every write and every hook.

use std::slice;

use bson::Bson;

use super::ID;
use super::model::stored_face;
use super::writes::{Kind, each};

/// Each hook once for each document, before-hooks first.
#[tokio::test]
async fn hooks() {
    each(async |stage, write, way, target| {
        assert!(
            write.by(way, &stage.admin, &target, "after").await.unwrap(),
            "{write:?} {way:?}"
        );
        let (before, after) = match write.kind() {
            Kind::Create => ("before_create", "after_create"),
            Kind::Update => ("before_update", "after_update"),
            Kind::Delete => ("before_delete", "after_delete"),
            Kind::Restore => ("", ""),
        };
        let expected = match (write.kind(), write.writes_two()) {
            (Kind::Restore, _) => vec![],
            (_, true) => vec![before, before, after, after],
            (_, false) => vec![before, after],
        };
        assert_eq!(stage.calls.take(), expected, "{write:?} {way:?}");
    })
    .await;
}

/// What the hooks are shown is what was there and what is stored in the end, with what the before-hook changed in it.
#[tokio::test]
async fn hooks_see_the_final_document() {
    each(async |stage, write, way, target| {
        let before = stage.stored_key("a").await.map(|one| stored_face(&one));
        assert!(
            write.by(way, &stage.admin, &target, " AFTER").await.unwrap(),
            "{write:?} {way:?}"
        );
        let after = stage.stored_key("a").await.map(|one| stored_face(&one));
        let shown = stage.calls.take_shown();
        let of_target = |hook: &str| {
            let id = after.as_ref().or(before.as_ref()).unwrap().get(ID);
            let mut all = shown
                .iter()
                .filter(|(name, shown)| *name == hook && shown[0].get(ID) == id);
            let (_, faces) = all.next().unwrap();
            faces.clone()
        };
        match write.kind() {
            Kind::Create => {
                let after = after.clone().unwrap();
                assert_eq!(after.get_array("tags").unwrap(), &vec![Bson::from("created")]);
                assert_eq!(
                    of_target("after_create"),
                    slice::from_ref(&after),
                    "{write:?} {way:?}"
                );
                assert_eq!(
                    of_target("before_create")[0].get("name"),
                    after.get("name"),
                    "{write:?} {way:?}"
                );
            }
            Kind::Update => {
                let (before, after) = (before.clone().unwrap(), after.clone().unwrap());
                assert_eq!(after.get_array("tags").unwrap(), &vec![Bson::from("updated")]);
                assert_eq!(
                    of_target("after_update"),
                    [after.clone(), before.clone()],
                    "{write:?} {way:?}"
                );
                let [proposed, stood] = &of_target("before_update")[..] else {
                    panic!("{write:?}")
                };
                assert_eq!(
                    (proposed.get("name"), stood),
                    (after.get("name"), &before),
                    "{write:?} {way:?}"
                );
            }
            Kind::Delete => {
                let before = before.clone().unwrap();
                assert_eq!(
                    of_target("before_delete"),
                    slice::from_ref(&before),
                    "{write:?} {way:?}"
                );
                assert_eq!(of_target("after_delete"), [before], "{write:?} {way:?}");
            }
            Kind::Restore => {
                let (mut before, mut after) = (before.clone().unwrap(), after.clone().unwrap());
                assert_ne!(before.remove("_rev"), after.remove("_rev"));
                assert_eq!(before, after);
                assert!(!stage.stored_key("a").await.unwrap().contains_key("_deleted_at"));
            }
        }
    })
    .await;
}
