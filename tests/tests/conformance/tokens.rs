//! Tokens that a service hands out: kept as digests, found by what is presented.

use bson::Bson;
use model_core::ModelExt;
use model_core::crypto::{KeyState, Purpose};
use model_core::prelude::*;

use crate::harness::{Shop, on_both_stores};
use crate::models::{ApiKey, ApiKeyPatch, NewApiKey, NewApiKeyOptional, User};

/// A key and its token, which nobody sees again.
async fn handed_out(shop: &Shop, label: &str) -> (ApiKey, Token) {
    let token = Token::generate().unwrap();
    let new = NewApiKey {
        label: label.into(),
        secret: token.clone(),
        optional: NewApiKeyOptional::default(),
    };
    (ApiKey::create(&shop.admin, new).await.unwrap(), token)
}

async fn found(shop: &Shop, token: &Token) -> Option<ApiKey> {
    ApiKey::query(&shop.admin)
        .filter(|key| key.secret.is(token))
        .first()
        .await
        .unwrap()
}

on_both_stores! {
    /// Storage has a digest of 33 bytes; the token is nowhere, and neither shows in a view, a message or the audit log.
    async fn only_a_digest_is_kept(stage: Stage) {
        let shop = stage.shop().await;
        let (key, token) = handed_out(&shop, "ci").await;
        let stored = shop.stored_one("api_keys").await;
        let Some(Bson::Binary(digest)) = stored.get("secret") else { panic!("{stored}") };
        assert_eq!((u8::from(digest.subtype), digest.bytes.len(), digest.bytes[0]), (8, 33, 1));
        let everything = format!("{stored:?} {:?} {key:?} {token:?}", shop.audit_log().await);
        assert!(!everything.contains(token.expose()));
        assert!(!format!("{key:?}").contains("digest"));
        let view = serde_json::to_string(&key.into_view(&shop.admin)).unwrap();
        assert!(!view.contains("secret"), "{view}");
        let input = format!(r#"{{"label": "x", "secret": "{}"}}"#, token.expose());
        let error = NewApiKey::from_json(&input).unwrap_err();
        assert_eq!(error.violations()[0].path, "secret");
        assert!(!format!("{error:?} {error}").contains(token.expose()));
    }

    /// It is found by its token, in its tenant; and before the tenant is known, where it is unique over all tenants.
    async fn a_digest_is_found_by_its_token(stage: Stage) {
        let shop = stage.shop().await;
        let (key, token) = handed_out(&shop, "ci").await;
        handed_out(&shop, "other").await;
        let presented = Token::presented(token.expose());
        assert_eq!(found(&shop, &presented).await.unwrap().id, key.id);
        assert!(found(&shop, &Token::presented("guess")).await.is_none());
        assert!(found(&shop, &Token::presented("")).await.is_none());
        let foreign = ApiKey::query(&shop.rival).filter(|key| key.secret.is(&presented)).count().await.unwrap();
        assert_eq!(foreign, 0);
        let others = ApiKey::query(&shop.admin).filter(|key| !key.secret.is(&presented)).await.unwrap();
        assert_eq!(others.iter().map(|key| key.label.as_str()).collect::<Vec<_>>(), ["other"]);
        let door = shop.db.global_context(User::admin("door"));
        let entered = ApiKey::find_unique(&door, |key| key.secret.lookup_token(&presented)).await.unwrap().unwrap();
        assert_eq!((entered.id, entered.organization), (key.id, TenantId::new("acme").unwrap()));
        let guess = Token::presented("guess");
        assert!(ApiKey::find_unique(&door, |key| key.secret.lookup_token(&guess)).await.unwrap().is_none());
        assert!(!format!("{:?}", ApiKey::filter(|key| key.secret.is(&presented))).contains(token.expose()));
    }

    /// A document that was found otherwise is compared in constant time; a token has one document.
    async fn a_digest_is_compared_and_unique(stage: Stage) {
        let shop = stage.shop().await;
        let (key, token) = handed_out(&shop, "ci").await;
        assert!(key.secret.matches(&shop.admin, &token).await.unwrap());
        assert!(!key.secret.matches(&shop.admin, &Token::generate().unwrap()).await.unwrap());
        assert!(TokenDigest::from(&token).matches(&shop.admin, &token).await.unwrap_err().is_invalid());
        let again = NewApiKey { label: "copy".into(), secret: token.clone(), optional: NewApiKeyOptional::default() };
        let error = ApiKey::create(&shop.rival, again).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert!(!format!("{error:?}").contains(token.expose()));
        // Two fields of one document do not share digests, and an optional one goes away.
        let patch = ApiKeyPatch { reset: Set(Some(token.clone())), ..Default::default() };
        let key = ApiKey::update(&shop.admin, &key.id, patch).await.unwrap();
        let stored = shop.stored_one("api_keys").await;
        assert_ne!(stored.get("reset"), stored.get("secret"));
        let by_reset = ApiKey::query(&shop.admin).filter(|key| key.reset.is(&token)).count().await.unwrap();
        assert_eq!(by_reset, 1);
        let patch = ApiKeyPatch { reset: Set(None), label: Set("used".into()), ..Default::default() };
        let key = ApiKey::update(&shop.admin, &key.id, patch).await.unwrap();
        assert!(key.reset.is_none() && !shop.stored_one("api_keys").await.contains_key("reset"));
        assert!(key.secret.matches(&shop.admin, &token).await.unwrap());
        let entry = shop.audit_log().await.pop().unwrap();
        let reset = crate::harness::change(&entry, "reset").unwrap();
        assert_eq!(reset, &bson::doc! { "path": "reset", "changed": true });
    }

    /// A rotation of the key loses no token: old ones are found until their key is disabled.
    async fn tokens_outlive_a_rotation(stage: Stage) {
        let shop = stage.shop().await;
        let (old, old_token) = handed_out(&shop, "old").await;
        let keys = shop.db.keys(ActorIdentity::system("rotation"));
        let staged = keys.stage(Purpose::BlindIndex, None).await.unwrap();
        shop.clock.advance(chrono::TimeDelta::minutes(15));
        keys.promote(staged).await.unwrap();
        let (new, new_token) = handed_out(&shop, "new").await;
        assert_eq!(found(&shop, &old_token).await.unwrap().id, old.id);
        assert_eq!(found(&shop, &new_token).await.unwrap().id, new.id);
        assert!(old.secret.matches(&shop.admin, &old_token).await.unwrap());
        let status = keys.status(None).await.unwrap();
        let first = status.iter().find(|key| key.state == KeyState::DecryptOnly).unwrap();
        keys.disable(first.id).await.unwrap();
        assert!(found(&shop, &old_token).await.is_none());
        assert_eq!(found(&shop, &new_token).await.unwrap().id, new.id);
    }
}
