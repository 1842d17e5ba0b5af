//! Administration of keys: rotation in two phases, disabling, destroying, shredding, and what each does to values.

use bson::{Bson, Document};
use chrono::TimeDelta;
use model_core::crypto::{KeyId, KeyState, Keyring, LocalKek, Purpose};
use model_core::prelude::*;
use model_core::{Confirm, Keys, ModelExt};

use crate::harness::{Shop, on_both_stores};
use crate::models::{Widget, WidgetPatch, new_widget};

const CANARY: &str = "canary-tok_live_4242";

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn keys(shop: &Shop) -> Keys {
    shop.db.keys(ActorIdentity::system("rotation"))
}

/// The key-encryption key of the suite, and the one that follows it.
fn old_kek() -> LocalKek {
    LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89").unwrap()
}

fn new_kek() -> LocalKek {
    LocalKek::parse("8f1d3b5a7c9e0f2143658709badcfe1032547698badcfe0123456789abcdef01").unwrap()
}

fn ring(kek: LocalKek) -> Keyring {
    Keyring::builder().realm("test").wrapper(kek).build().unwrap()
}

/// A widget with a token, of the tenant `acme`.
async fn with_token(shop: &Shop) -> Widget {
    let mut new = new_widget("prj_a", "Blue");
    new.optional.token = Some(Secret::from(CANARY));
    Widget::create(&shop.admin, new).await.unwrap()
}

async fn states(shop: &Shop) -> Vec<(Purpose, u8, KeyState)> {
    let found = keys(shop).status(Some(&acme())).await.unwrap();
    found
        .iter()
        .map(|key| (key.purpose, key.version, key.state))
        .collect()
}

/// Stages a key, waits until every process knows it, and promotes it.
pub(crate) async fn rotate(shop: &Shop, purpose: Purpose) -> KeyId {
    let keys = keys(shop);
    let id = keys.stage(purpose, Some(&acme())).await.unwrap();
    shop.clock.advance(TimeDelta::minutes(15));
    keys.promote(id).await.unwrap();
    id
}

/// The id of the key that sealed the stored token.
fn key_of(document: &Document) -> Vec<u8> {
    let Some(Bson::Binary(binary)) = document.get("token") else {
        panic!("not sealed")
    };
    binary.bytes[2..18].to_vec()
}

async fn reveal(shop: &Shop, widget: &Widget) -> Result<String> {
    let found = Widget::fetch(&shop.admin, &widget.id).await?;
    Ok(found.token.unwrap().reveal(&shop.admin).await?.expose().clone())
}

on_both_stores! {
    /// A staged key does not seal; promoted too early it is refused; then it seals, and the old one still opens.
    async fn a_rotation_has_two_phases(stage: Stage) {
        let shop = stage.shop().await;
        let widget = with_token(&shop).await;
        let old = key_of(&shop.stored_one("widgets").await);
        let keys = keys(&shop);
        let new = keys.stage(Purpose::Enc, Some(&acme())).await.unwrap();
        assert_eq!(states(&shop).await, [(Purpose::Enc, 1, KeyState::Primary), (Purpose::Enc, 2, KeyState::DecryptOnly)]);
        let patch = WidgetPatch { token: Set(Some(Secret::from("another"))), ..Default::default() };
        Widget::update(&shop.admin, &widget.id, patch).await.unwrap();
        assert_eq!(key_of(&shop.stored_one("widgets").await), old);
        shop.clock.advance(TimeDelta::minutes(14));
        assert!(keys.promote(new).await.unwrap_err().is_refused());
        shop.clock.advance(TimeDelta::minutes(1));
        keys.promote(new).await.unwrap();
        keys.promote(new).await.unwrap();
        assert_eq!(states(&shop).await, [(Purpose::Enc, 1, KeyState::DecryptOnly), (Purpose::Enc, 2, KeyState::Primary)]);
        assert_eq!(reveal(&shop, &widget).await.unwrap(), "another");
        let patch = WidgetPatch { token: Set(Some(Secret::from(CANARY))), ..Default::default() };
        Widget::update(&shop.admin, &widget.id, patch).await.unwrap();
        assert_eq!(key_of(&shop.stored_one("widgets").await), new.as_bytes());
        assert_eq!(reveal(&shop, &widget).await.unwrap(), CANARY);
    }

    /// What administration does is audited with its actor, and tells no key.
    async fn administration_is_audited(stage: Stage) {
        let shop = stage.shop().await;
        with_token(&shop).await;
        let before = shop.audit_log().await.len();
        rotate(&shop, Purpose::Enc).await;
        let log = shop.audit_log().await;
        let events: Vec<_> = log[before..].iter().map(|entry| entry.get_str("event").unwrap()).collect();
        assert_eq!(events, ["key.stage", "key.promote", "key.promote"]);
        let actor = log[before].get_document("actor").unwrap();
        assert_eq!((actor.get_str("kind").unwrap(), actor.get_str("id").unwrap()), ("system", "rotation"));
        assert_eq!(log[before].get_str("tenant").unwrap(), "acme");
    }

    /// Two administrators who stage at once make two keys with two numbers, or one of them is told.
    async fn staging_at_once_gives_each_key_its_number(stage: Stage) {
        let shop = stage.shop().await;
        with_token(&shop).await;
        let (one, two) = (keys(&shop), keys(&shop));
        let tenant = acme();
        let done = tokio::join!(one.stage(Purpose::Enc, Some(&tenant)), two.stage(Purpose::Enc, Some(&tenant)));
        let mut staged = 0;
        for result in [done.0, done.1] {
            match result {
                Ok(_) => staged += 1,
                Err(error) => assert!(error.is_conflict(), "{error}"),
            }
        }
        let mut versions: Vec<_> = states(&shop).await.iter().filter(|key| key.0 == Purpose::Enc).map(|key| key.1).collect();
        versions.sort_unstable();
        assert!(staged >= 1);
        assert_eq!(versions, (1..=1 + staged).collect::<Vec<u8>>());
    }

    /// A disabled key opens nothing until it is enabled; the primary one cannot be disabled or destroyed.
    async fn a_disabled_key_opens_nothing(stage: Stage) {
        let shop = stage.shop().await;
        let widget = with_token(&shop).await;
        let keys = keys(&shop);
        let old = keys.status(Some(&acme())).await.unwrap()[0].id;
        assert!(keys.disable(old).await.unwrap_err().is_refused());
        assert!(keys.destroy(old, Confirm::CryptoShred).await.unwrap_err().is_refused());
        rotate(&shop, Purpose::Enc).await;
        keys.disable(old).await.unwrap();
        let error = reveal(&shop, &widget).await.unwrap_err();
        assert!(error.is_crypto() && error.to_string().contains("disabled"), "{error}");
        keys.enable(old).await.unwrap();
        assert_eq!(reveal(&shop, &widget).await.unwrap(), CANARY);
        keys.destroy(old, Confirm::CryptoShred).await.unwrap();
        assert!(reveal(&shop, &widget).await.unwrap_err().to_string().contains("destroyed"));
        assert!(keys.enable(old).await.unwrap_err().is_refused());
        assert!(keys.promote(old).await.unwrap_err().is_refused());
    }

    /// Shredding a tenant erases its values and no other's, leaves tombstones, and does not stop new writes.
    async fn shredding_a_tenant(stage: Stage) {
        let shop = stage.shop().await;
        let widget = with_token(&shop).await;
        let mut other = new_widget("prj_b", "Green");
        other.optional.token = Some(Secret::from("rival"));
        let other = Widget::create(&shop.rival, other).await.unwrap();
        assert_eq!(keys(&shop).shred(&acme(), Confirm::CryptoShred).await.unwrap(), 1);
        assert!(reveal(&shop, &widget).await.unwrap_err().to_string().contains("destroyed"));
        assert_eq!(other.token.unwrap().reveal(&shop.rival).await.unwrap().expose(), "rival");
        assert_eq!(states(&shop).await, [(Purpose::Enc, 1, KeyState::Destroyed)]);
        let rows = shop.stored("__model_keys").await;
        let tombstone = rows.iter().find(|row| row.get_str("state").unwrap() == "destroyed").unwrap();
        assert!(tombstone.get_binary_generic("wrapped").unwrap().is_empty() && tombstone.contains_key("destroyed_at"));
        let fresh = with_token(&shop).await;
        assert_eq!(reveal(&shop, &fresh).await.unwrap(), CANARY);
        assert_eq!(states(&shop).await.last(), Some(&(Purpose::Enc, 2, KeyState::Primary)));
    }

    /// A new key-encryption key takes over every data key of every tenant, of each purpose and state, and no value changes; then
    /// the old one is not needed any more. A run after it finds nothing to do.
    async fn keys_are_wrapped_anew(stage: Stage) {
        let shop = stage.shop().await;
        let widget = with_token(&shop).await;
        let mut new = new_widget("prj_b", "Red");
        new.optional.token = Some(Secret::from(CANARY));
        let theirs = Widget::create(&shop.rival, new).await.unwrap();
        rotate(&shop, Purpose::Enc).await;
        let disabled = keys(&shop).stage(Purpose::BlindIndex, Some(&acme())).await.unwrap();
        keys(&shop).disable(disabled).await.unwrap();
        let destroyed = keys(&shop).stage(Purpose::Pepper, Some(&acme())).await.unwrap();
        keys(&shop).destroy(destroyed, Confirm::CryptoShred).await.unwrap();
        let before = shop.stored("widgets").await;
        assert!(shop.another_process(ring(new_kek())).await.is_err(), "it knows none of the keys");
        let both = shop.another_process(ring(new_kek().with_retired(old_kek()))).await.unwrap();
        let keks = async || {
            let found = keys(&shop).status(Some(&acme())).await.unwrap();
            let alive = found.into_iter().filter(|key| key.state != KeyState::Destroyed);
            alive.map(|key| key.kek).collect::<std::collections::BTreeSet<_>>()
        };
        let old_keks = keks().await;
        let administration = both.keys(ActorIdentity::system("kek rotation"));
        let done = administration.rewrap().await.unwrap();
        assert!(done.failed.is_empty() && done.scanned == done.rewrapped && done.scanned >= 4, "{done:?}");
        let again = administration.rewrap().await.unwrap();
        assert_eq!((again.scanned, again.rewrapped, again.failed.len()), (done.scanned, 0, 0));
        assert!(keks().await.len() == 1 && keks().await.is_disjoint(&old_keks));
        assert_eq!(shop.stored("widgets").await, before);
        let alone = shop.another_process(ring(new_kek())).await.unwrap();
        for (tenant, widget) in [("acme", &widget), ("globex", &theirs)] {
            let ctx = alone.context(TenantId::new(tenant).unwrap(), crate::models::User::admin("ada"));
            let found = Widget::fetch(&ctx, &widget.id).await.unwrap();
            assert_eq!(found.token.unwrap().reveal(&ctx).await.unwrap().expose(), CANARY);
        }
        let log = shop.audit_log().await;
        let told = log.iter().filter(|entry| entry.get_str("event").is_ok_and(|event| event == "key.rewrap")).count();
        assert_eq!(told as u64, done.rewrapped);
        assert!(shop.another_process(ring(old_kek())).await.is_err(), "the old key opens nothing any more");
    }

    /// A wrapped key that does not unwrap is told, and the others are wrapped anew all the same.
    async fn a_broken_row_is_told(stage: Stage) {
        let shop = stage.shop().await;
        with_token(&shop).await;
        let rows = shop.stored("__model_keys").await;
        let mut broken = rows[0].clone();
        let id = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![7; 16] };
        broken.insert("_id", Bson::Binary(id));
        broken.insert("state", "decrypt_only");
        broken.insert("ver", 200);
        broken.remove("slot");
        shop.store_raw("__model_keys", broken).await;
        let db = shop.another_process(ring(new_kek().with_retired(old_kek()))).await.unwrap();
        let done = db.keys(ActorIdentity::system("kek rotation")).rewrap().await.unwrap();
        let count = rows.len() as u64;
        assert_eq!((done.scanned, done.rewrapped, done.failed.len()), (count + 1, count, 1), "{:?}", done.failed);
        assert!(done.failed[0].is_crypto() && done.failed[0].to_string().contains("07070707"), "{}", done.failed[0]);
    }

    /// A keyring with another key-encryption key than the database's is refused at start-up.
    async fn a_wrong_wrapping_key_shows_at_start_up(stage: Stage) {
        let shop = stage.shop().await;
        with_token(&shop).await;
        let wrong = |realm: &str| {
            let other = LocalKek::parse("13198a2e03707344a4093822299f31d0082efa98ec4e6c89243f6a8885a308d3").unwrap();
            Keyring::builder().realm(realm).wrapper(other).build().unwrap()
        };
        let error = shop.another_process(wrong("test")).await.unwrap_err();
        assert!(error.is_configuration(), "{error}");
        assert!(shop.another_process(wrong("elsewhere")).await.is_ok(), "another realm has no keys yet");
    }
}
