//! Rows `replace`, `restore`, `purge` and `singleton`, and `get_by` among the reads of one document.

use model_core::prelude::*;

use super::{Change, Ctx, Person, ReadScope, Rival, Wire, new_audited, new_plain, policy};

/// Deleted softly, not audited.
#[derive(Clone, Model)]
#[model(collection = "drafts", soft_delete)]
pub(super) struct Draft {
    #[model(id)]
    id: Id<Draft>,
    #[model(tenant)]
    organization: TenantId,
    text: String,
}

/// Deleted softly, audited.
#[derive(Clone, Model)]
#[model(collection = "letters", soft_delete, audit)]
pub(super) struct Letter {
    #[model(id)]
    id: Id<Letter>,
    #[model(tenant)]
    organization: TenantId,
    text: String,
}

/// One for each tenant, audited.
#[derive(Clone, Model)]
#[model(collection = "setting", singleton, audit)]
pub(super) struct Setting {
    #[model(id)]
    id: Id<Setting>,
    #[model(tenant)]
    organization: TenantId,
    #[model(default = 1)]
    level: i64,
}

policy!(Draft, Exact);
policy!(Letter, Superset);
policy!(Setting, Exact);

const UPDATED: [&str; 2] = ["find", "update"];
const RECORDED: [&str; 4] = ["find", "update", "insert", "commitTransaction"];

/// A soft deletion, and the way back, are updates; a purge is a deletion.
#[tokio::test]
async fn a_life_is_updates_until_the_purge() {
    let wire = Wire::new().await;
    let ctx = &wire.ctx;
    let text = || "Dear".to_owned();
    let draft = Draft::create(ctx, NewDraft { text: text() }).await.unwrap().id;
    let letter = Letter::create(ctx, NewLetter { text: text() }).await.unwrap().id;
    assert_eq!(
        wire.sends(async { Draft::delete(ctx, &draft).await }).await.1,
        UPDATED
    );
    assert_eq!(
        wire.sends(async { Letter::delete(ctx, &letter).await }).await.1,
        RECORDED
    );
    assert_eq!(
        wire.sends(Draft::restore(ctx, &draft).into_future()).await.1,
        UPDATED
    );
    assert_eq!(
        wire.sends(Letter::restore(ctx, &letter).into_future()).await.1,
        RECORDED
    );
    assert_eq!(
        wire.sends(Draft::purge(ctx, &draft).into_future()).await.1,
        ["find", "delete"]
    );
    let sent = wire.sends(Letter::purge(ctx, &letter).into_future()).await.1;
    assert_eq!(sent, ["find", "delete", "insert", "commitTransaction"]);
}

/// What is replaced is an update of what differs.
#[tokio::test]
async fn a_replacement_is_a_find_and_an_update() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    let replaced = async { super::Plain::replace(&wire.ctx, &plain.id, new_plain("b")).await };
    assert_eq!(wire.sends(replaced).await.1, UPDATED);
    let replaced = async { super::Audited::replace(&wire.ctx, &audited.id, new_audited("b")).await };
    assert_eq!(wire.sends(replaced).await.1, RECORDED);
}

/// The first caller creates it, and later ones find it.
#[tokio::test]
async fn a_singleton_is_one_find_once_it_is_there() {
    let wire = Wire::new().await;
    let new = || NewSetting {
        optional: NewSettingOptional::default(),
    };
    let (first, sent) = wire.sends(Setting::singleton(&wire.ctx, new)).await;
    assert_eq!(sent, ["find", "insert", "insert", "commitTransaction"]);
    let (second, sent) = wire.sends(Setting::singleton(&wire.ctx, new)).await;
    assert_eq!(
        (second.unwrap().id, sent),
        (first.unwrap().id, vec!["find".to_owned()])
    );
}

/// By a unique field as by the id.
#[tokio::test]
async fn a_unique_key_is_one_find() {
    let wire = Wire::new().await;
    let mut new = new_audited("a");
    new.optional.code = Some("c1".into());
    super::Audited::create(&wire.ctx, new).await.unwrap();
    let got = super::Audited::get_by(&wire.ctx, |a| a.code.eq("c1"));
    let (found, sent) = wire.sends(got).await;
    assert_eq!(
        (found.unwrap().unwrap().name.as_str(), sent),
        ("a", vec!["find".to_owned()])
    );
}
