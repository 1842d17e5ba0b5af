//! What an actor does not see does not come, and what goes out of sight is gone.

use bson::doc;
use model_core::prelude::*;
use model_core::{Event, ModelExt, testing};

use super::{Memo, MemoPatch, desk, memo, next, says, told};
use crate::harness::on_both_stores;

fn owned_by(owner: &str) -> MemoPatch {
    MemoPatch {
        owner: Set(owner.into()),
        ..Default::default()
    }
}

on_both_stores! {
    /// Whatever another tenant does, by whatever verb: the first event is one's own.
    async fn nothing_of_another_tenant_comes(stage: Stage) {
        let desk = desk(stage).await;
        let theirs = Memo::create(&desk.rival, memo("eve", "theirs")).await.unwrap();
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        let mut bypassed = Memo::watch(&desk.admin.dangerously_bypass_permissions("a test")).await.unwrap();
        Memo::create(&desk.rival, memo("eve", "new")).await.unwrap();
        Memo::update(&desk.rival, &theirs.id, says("changed")).await.unwrap();
        Memo::create_many(&desk.rival, [memo("eve", "a"), memo("eve", "b")]).await.unwrap();
        Memo::update_many(&desk.rival, |m| m.owner.eq("eve"), says("all")).await.unwrap();
        Memo::delete(&desk.rival, &theirs.id).await.unwrap();
        Memo::purge(&desk.rival, &theirs.id).await.unwrap();
        let job = desk.rival.dangerously_bypass_permissions("they leave");
        job.erase_tenant().await.unwrap();
        Memo::create(&desk.admin, memo("eve", "own")).await.unwrap();
        assert_eq!(told(&next(&mut stream).await), "+ own");
        assert_eq!(told(&next(&mut bypassed).await), "+ own");
    }

    /// `can_read` and `read_scope` judge either side; what an actor may see no more is deleted, and shows nothing new.
    async fn the_policy_judges_both_sides(stage: Stage) {
        let desk = desk(stage).await;
        let mut eve = Memo::watch(&desk.eve).await.unwrap();
        let mut admin = Memo::watch(&desk.admin).await.unwrap();
        let one = Memo::create(&desk.admin, memo("bob", "bobs")).await.unwrap();
        Memo::update(&desk.admin, &one.id, owned_by("eve")).await.unwrap();
        Memo::update(&desk.admin, &one.id, says("hers")).await.unwrap();
        Memo::update(&desk.admin, &one.id, says("secret")).await.unwrap();
        Memo::update(&desk.admin, &one.id, says("shown")).await.unwrap();
        let patch = MemoPatch { text: Set("bobs again".into()), ..owned_by("bob") };
        Memo::update(&desk.admin, &one.id, patch).await.unwrap();
        Memo::delete(&desk.admin, &one.id).await.unwrap();
        Memo::create(&desk.admin, memo("eve", "last")).await.unwrap();
        let mut seen = Vec::new();
        while seen.last().is_none_or(|last| last != "+ last") {
            seen.push(told(&next(&mut eve).await));
        }
        assert_eq!(seen, ["+ bobs", "bobs -> hers", "- hers", "+ shown", "- shown", "+ last"]);
        let mut all = Vec::new();
        while all.last().is_none_or(|last| last != "+ last") {
            all.push(told(&next(&mut admin).await));
        }
        assert_eq!(all, [
            "+ bobs", "bobs -> bobs", "bobs -> hers", "hers -> secret", "secret -> shown", "shown -> bobs again",
            "- bobs again", "+ last",
        ]);
    }

    /// A mark is a deletion, taking it away a creation; what is purged was gone already.
    async fn soft_deletions_are_deletions(stage: Stage) {
        let desk = desk(stage).await;
        let one = Memo::create(&desk.admin, memo("eve", "one")).await.unwrap();
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        Memo::delete(&desk.admin, &one.id).await.unwrap();
        Memo::restore(&desk.admin, &one.id).await.unwrap();
        Memo::delete(&desk.admin, &one.id).await.unwrap();
        Memo::purge(&desk.admin, &one.id).await.unwrap();
        Memo::create(&desk.admin, memo("eve", "last")).await.unwrap();
        for expected in ["- one", "+ one", "- one", "+ last"] {
            assert_eq!(told(&next(&mut stream).await), expected);
        }
    }

    /// Either side is in the present shape; a migration that is written back changes nothing.
    async fn older_documents_are_migrated(stage: Stage) {
        let desk = desk(stage).await;
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        for (number, text) in [(1, "old"), (2, "older")] {
            let old = doc! {
                "_id": bson::oid::ObjectId::from_bytes([number; 12]), "org": "acme", "owner": "eve", "words": text,
                "score": 0_i64, "updated_at": bson::DateTime::from_millis(0),
            };
            testing::store_raw(&desk.db, "memos", &old).await.unwrap();
        }
        let first = next(&mut stream).await;
        assert_eq!((told(&first), first.event.after().unwrap().rank), ("+ old".into(), 7));
        assert_eq!(told(&next(&mut stream).await), "+ older");
        Memo::update(&desk.admin, &first.event.after().unwrap().id, says("new")).await.unwrap();
        let updated = next(&mut stream).await;
        let Event::Updated { before, after, changed } = &updated.event else { panic!("{updated:?}") };
        assert_eq!((before.rank, after.rank), (7, 7));
        assert!(!changed.contains(&"rank".to_owned()), "{changed:?}");
        let job = desk.admin.dangerously_bypass_permissions("a release");
        assert_eq!(Memo::migrate_all(&job).await.unwrap().migrated, 1);
        Memo::create(&desk.admin, memo("eve", "last")).await.unwrap();
        assert_eq!(told(&next(&mut stream).await), "+ last");
    }

    /// What comes to satisfy the filter is created, what ceases to is deleted.
    async fn a_filter_is_a_window(stage: Stage) {
        let desk = desk(stage).await;
        let mut stream = Memo::watch(&desk.admin).filter(|m| m.text.starts_with("a")).await.unwrap();
        let one = Memo::create(&desk.admin, memo("eve", "b")).await.unwrap();
        for text in ["a1", "a2", "c"] {
            Memo::update(&desk.admin, &one.id, says(text)).await.unwrap();
        }
        Memo::delete(&desk.admin, &one.id).await.unwrap();
        Memo::create(&desk.admin, memo("eve", "a3")).await.unwrap();
        for expected in ["+ a1", "a1 -> a2", "- a2", "+ a3"] {
            assert_eq!(told(&next(&mut stream).await), expected);
        }
    }
}
