//! Encrypted values in the elements of arrays and maps.

use std::collections::BTreeMap;

use bson::{Bson, Document};
use model_core::ModelExt;
use model_core::crypto::Purpose;
use model_core::prelude::*;

use crate::harness::{Shop, on_both_stores};
use crate::keys::rotate;
use crate::models::{Account, NewVault, NewVaultOptional, Vault, VaultPatch};

/// A vault of two accounts and two keys.
async fn vault(shop: &Shop) -> Vault {
    let keys = [
        ("alpha", Secret::from("key of alpha")),
        ("beta", Secret::from("key of beta")),
    ];
    let optional = NewVaultOptional {
        accounts: Some(vec![
            Account::new("one", "token of one"),
            Account::new("two", "token of two"),
        ]),
        keys: Some(
            keys.into_iter()
                .map(|(name, key)| (name.to_owned(), key))
                .collect(),
        ),
        ..Default::default()
    };
    Vault::create(&shop.admin, NewVault { optional }).await.unwrap()
}

/// Every secret of a vault, by where it stands.
async fn secrets(shop: &Shop, vault: &Vault) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for account in &vault.accounts {
        all.insert(
            account.id.clone(),
            account.token.reveal(&shop.admin).await?.expose().clone(),
        );
        for (name, answer) in &account.answers {
            all.insert(
                format!("{}/{name}", account.id),
                answer.reveal(&shop.admin).await?.expose().clone(),
            );
        }
    }
    for (name, key) in &vault.keys {
        all.insert(
            format!("keys/{name}"),
            key.reveal(&shop.admin).await?.expose().clone(),
        );
    }
    Ok(all)
}

fn account(document: &mut Document, index: usize) -> &mut Document {
    document.get_array_mut("accounts").unwrap()[index]
        .as_document_mut()
        .unwrap()
}

/// What another writer makes of the stored vault, under another id where secrets are, as they are bound to it: so the
/// document is put in place of the stored one.
async fn tampered(
    shop: &Shop,
    vault: &Vault,
    tamper: impl FnOnce(&mut Document),
) -> Result<BTreeMap<String, String>> {
    let mut document = shop.stored_one("vaults").await;
    assert!(Vault::delete(&shop.admin, &vault.id).await.unwrap());
    tamper(&mut document);
    shop.store_raw("vaults", document).await;
    let found = Vault::fetch(&shop.admin, &vault.id).await?;
    secrets(shop, &found).await
}

on_both_stores! {
    /// They are sealed, read back, kept when another element or field changes, and follow their element when it moves.
    async fn elements_keep_their_secrets(stage: Stage) {
        let shop = stage.shop().await;
        let created = vault(&shop).await;
        let expected = secrets(&shop, &created).await.unwrap();
        assert_eq!(expected.len(), 6);
        assert_eq!(expected["two/pet"], "token of two's cat");
        assert!(!format!("{:?}", shop.stored_one("vaults").await).contains("token of"));
        let found = Vault::fetch(&shop.admin, &created.id).await.unwrap();
        assert_eq!(secrets(&shop, &found).await.unwrap(), expected);
        let mut accounts = found.accounts.clone();
        accounts.reverse();
        accounts.insert(1, Account::new("three", "token of three"));
        let patch = VaultPatch { accounts: Set(accounts), note: Set(Some("x".into())), ..Default::default() };
        let updated = Vault::update(&shop.admin, &created.id, patch).await.unwrap();
        let found = Vault::fetch(&shop.admin, &updated.id).await.unwrap();
        assert_eq!(found.accounts.iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["two", "three", "one"]);
        let now = secrets(&shop, &found).await.unwrap();
        assert!(expected.iter().all(|(place, secret)| now.get(place) == Some(secret)), "{now:?}");
        assert_eq!(now["three"], "token of three");
        let view = serde_json::to_string(&found.into_view(&shop.admin)).unwrap();
        assert!(!view.contains("token") && view.contains("THREE"), "{view}");
    }

    /// Swapped between elements of one document, between a map's keys, or under another element's id, nothing opens.
    async fn a_swap_between_elements_is_tampered(stage: Stage) {
        let shop = stage.shop().await;
        let refused = |result: Result<BTreeMap<String, String>>| {
            let error = result.unwrap_err();
            assert!(error.is_crypto() && error.to_string().contains("authenticate"), "{error}");
        };
        let one = vault(&shop).await;
        refused(tampered(&shop, &one, |document| {
            let token = account(document, 0).get("token").cloned();
            account(document, 1).insert("token", token);
        }).await);
        Vault::delete(&shop.admin, &one.id).await.unwrap();
        let two = vault(&shop).await;
        refused(tampered(&shop, &two, |document| {
            let keys = document.get_document_mut("keys").unwrap();
            let key = keys.get("alpha").cloned();
            keys.insert("beta", key);
        }).await);
        Vault::delete(&shop.admin, &two.id).await.unwrap();
        let three = vault(&shop).await;
        refused(tampered(&shop, &three, |document| {
            account(document, 1).insert("id", "renamed");
        }).await);
        Vault::delete(&shop.admin, &three.id).await.unwrap();
        let four = vault(&shop).await;
        let fine = tampered(&shop, &four, |document| document.get_array_mut("accounts").unwrap().reverse()).await;
        assert_eq!(fine.unwrap().len(), 6, "elements may move");
        Vault::delete(&shop.admin, &four.id).await.unwrap();
        let five = vault(&shop).await;
        let error = tampered(&shop, &five, |document| { account(document, 1).remove("id"); }).await.unwrap_err();
        assert!(error.is_decode(), "{error}");
    }

    /// A secret cannot be put under another element by the program either, without being revealed.
    async fn a_sealed_value_is_not_carried_over(stage: Stage) {
        let shop = stage.shop().await;
        let created = vault(&shop).await;
        let mut accounts = created.accounts.clone();
        accounts[1].token = accounts[0].token.clone();
        let patch = VaultPatch { accounts: Set(accounts), ..Default::default() };
        let error = Vault::update(&shop.admin, &created.id, patch).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
    }

    /// Two elements with one id would share a place, and could be swapped: they are refused.
    async fn element_ids_are_unique(stage: Stage) {
        let shop = stage.shop().await;
        let created = vault(&shop).await;
        let mut accounts = created.accounts.clone();
        accounts.push(Account::new("one", "another"));
        let patch = VaultPatch { accounts: Set(accounts), ..Default::default() };
        let error = Vault::update(&shop.admin, &created.id, patch).await.unwrap_err();
        assert!(error.is_invalid() && error.violations()[0].path.contains("accounts.2"), "{error}");
        assert!(error.violations().iter().all(|violation| violation.rule == "element"), "{error}");
    }

    /// Lazy re-sealing and the batch reach into elements.
    async fn elements_are_re_encrypted(stage: Stage) {
        let shop = stage.shop().await;
        let created = vault(&shop).await;
        let expected = secrets(&shop, &created).await.unwrap();
        rotate(&shop, Purpose::Enc).await;
        let job = shop.admin.dangerously_bypass_permissions("key rotation");
        let before = Vault::reencrypt(&job).inspect().await.unwrap();
        assert_eq!((before.current, before.outdated), (0, 6));
        let mut accounts = created.accounts.clone();
        accounts[0].label = "changed".into();
        let patch = VaultPatch { accounts: Set(accounts), ..Default::default() };
        Vault::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!(Vault::reencrypt(&job).inspect().await.unwrap().current, 6);
        rotate(&shop, Purpose::Enc).await;
        let done = Vault::reencrypt(&job).await.unwrap();
        assert_eq!((done.rewritten, done.raced, done.failed.len()), (6, 0, 0), "{:?}", done.failed);
        let found = Vault::fetch(&shop.admin, &created.id).await.unwrap();
        assert_eq!(secrets(&shop, &found).await.unwrap(), expected);
        let Bson::Document(keys) = shop.stored_one("vaults").await.get("keys").cloned().unwrap() else { panic!("no map") };
        assert_eq!(keys.len(), 2);
    }
}
