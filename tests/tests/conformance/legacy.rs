//! Encrypted fields that were in the clear once, and those that hide their length.

use bson::{Bson, Document, doc};
use model_core::ModelExt;
use model_core::crypto::Purpose;
use model_core::prelude::*;

use crate::harness::{Shop, change, on_both_stores};
use crate::keys::rotate;
use crate::models::{Letter, LetterPatch, NewLetter, NewLetterOptional, User, open_policy};

fn new(text: &str) -> NewLetter {
    NewLetter {
        text: Secret::from(text),
        optional: NewLetterOptional::default(),
    }
}

fn job(shop: &Shop) -> Context<User> {
    shop.admin
        .dangerously_bypass_permissions("sealing what was in the clear")
}

/// A letter whose sender and stamps are as another writer stored them.
async fn stored(shop: &Shop, sender: Bson, stamps: Bson) -> Letter {
    let created = Letter::create(&shop.admin, new("text")).await.unwrap();
    let all = shop.stored("letters").await;
    let own = |document: &Document| document.get_object_id("_id").unwrap().to_hex() == created.id.to_string();
    let mut document = all.into_iter().find(own).unwrap();
    Letter::delete(&shop.admin, &created.id).await.unwrap();
    document.insert("sender", sender);
    document.insert("stamps", stamps);
    shop.store_raw("letters", document).await;
    created
}

async fn length(shop: &Shop, letter: &Letter, text: &str) -> usize {
    let patch = LetterPatch {
        text: Set(Secret::from(text)),
        ..Default::default()
    };
    let updated = Letter::update(&shop.admin, &letter.id, patch).await.unwrap();
    assert_eq!(updated.text.reveal(&shop.admin).await.unwrap().expose(), text);
    binary(&shop.stored_one("letters").await, "text").unwrap().len()
}

fn binary(document: &Document, field: &str) -> Option<Vec<u8>> {
    match document.get(field) {
        Some(Bson::Binary(binary)) => Some(binary.bytes.clone()),
        _ => None,
    }
}

/// One that hides whether it has a pin.
#[derive(Clone, Model)]
#[model(collection = "doors")]
struct Door {
    #[model(id)]
    id: Id<Door>,
    #[model(tenant)]
    organization: TenantId,
    #[model(pad = 64)]
    pin: Encrypted<Option<String>>,
}

impl BaseModel for Door {
    type Actor = User;

    open_policy!(Self, crate::models::Ctx);
}

on_both_stores! {
    /// What may be absent inside of an encrypted field looks as what is there: nobody counts the doors that have a pin.
    async fn absence_is_sealed_too(stage: Stage) {
        let db = stage.builder().keys(model_core::testing::keyring().unwrap()).model::<Door>().build().await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let new = |pin: Option<&str>| NewDoor { pin: Secret::new(pin.map(str::to_owned)) };
        let told = async |door: &Door| door.pin.reveal(&ctx).await.unwrap().expose().clone();
        let stored = async || {
            let all = model_core::testing::stored(&db, "doors").await.unwrap();
            all.iter().map(|door| binary(door, "pin").unwrap().len()).collect::<Vec<_>>()
        };
        let open = Door::create(&ctx, new(None)).await.unwrap();
        let shut = Door::create(&ctx, new(Some("1234"))).await.unwrap();
        let input = NewDoor::from_json(r#"{ "pin": null }"#).unwrap();
        let spare = Door::create(&ctx, input).await.unwrap();
        let lengths = stored().await;
        assert!(lengths.len() == 3 && lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
        assert_eq!((told(&open).await, told(&shut).await.as_deref(), told(&spare).await), (None, Some("1234"), None));
        let patch = DoorPatch::from_json(r#"{ "pin": "5678" }"#).unwrap();
        let patched = Door::update(&ctx, &open.id, patch).await.unwrap();
        assert_eq!(told(&patched).await.as_deref(), Some("5678"));
        let patch = DoorPatch { pin: Set(Secret::new(None)), ..Default::default() };
        Door::update(&ctx, &shut.id, patch).await.unwrap();
        assert_eq!(told(&Door::fetch(&ctx, &shut.id).await.unwrap()).await, None);
        assert_eq!(stored().await, lengths);
    }

    /// Values of different lengths have ciphertexts of one length, also after a rotation.
    async fn padding_hides_the_length(stage: Stage) {
        let shop = stage.shop().await;
        let letter = Letter::create(&shop.admin, new("")).await.unwrap();
        let short = length(&shop, &letter, "a").await;
        assert_eq!(length(&shop, &letter, &"a".repeat(30)).await, short);
        assert!(length(&shop, &letter, &"a".repeat(90)).await > short);
        assert_eq!(length(&shop, &letter, "a").await, short);
        rotate(&shop, Purpose::Enc).await;
        assert_eq!(Letter::reencrypt(&job(&shop)).await.unwrap().rewritten, 1);
        assert_eq!(length(&shop, &letter, "b").await, short);
    }

    /// What was stored in the clear is read by its type, stays while nothing is written, is sealed and found with the next
    /// write; a batch does the same.
    async fn legacy_plaintext_is_read_and_sealed(stage: Stage) {
        let shop = stage.shop().await;
        let letter = stored(&shop, "canary".into(), 3_i64.into()).await;
        let found = Letter::fetch(&shop.admin, &letter.id).await.unwrap();
        assert_eq!(found.sender.as_ref().unwrap().reveal(&shop.admin).await.unwrap().expose(), "canary");
        assert_eq!(*found.stamps.as_ref().unwrap().reveal(&shop.admin).await.unwrap().expose(), 3);
        assert!(!format!("{found:?}").contains("canary"));
        let same = LetterPatch { note: Set(None), ..Default::default() };
        Letter::update(&shop.admin, &letter.id, same).await.unwrap();
        assert_eq!(shop.stored_one("letters").await.get_str("sender").unwrap(), "canary");
        let patch = LetterPatch { note: Set(Some("x".into())), ..Default::default() };
        Letter::update(&shop.admin, &letter.id, patch).await.unwrap();
        let document = shop.stored_one("letters").await;
        assert!(binary(&document, "sender").is_some() && binary(&document, "stamps").is_some(), "{document}");
        let log = shop.audit_log().await;
        assert_eq!(change(log.last().unwrap(), "sender"), Some(&doc! { "path": "sender", "changed": true }));
        assert!(!format!("{log:?}").contains("canary"));
        let by_sender = Letter::query(&shop.admin).filter(|l| l.sender.eq("canary")).count().await.unwrap();
        assert_eq!(by_sender, 1);
        Letter::delete(&shop.admin, &letter.id).await.unwrap();
        stored(&shop, "canary".into(), 3_i64.into()).await;
        assert_eq!(Letter::reencrypt(&job(&shop)).inspect().await.unwrap().plaintext, 2);
        let done = Letter::reencrypt(&job(&shop)).await.unwrap();
        assert_eq!((done.rewritten, done.failed.len()), (2, 0), "{:?}", done.failed);
        let after = Letter::reencrypt(&job(&shop)).inspect().await.unwrap();
        assert_eq!((after.plaintext, after.current), (0, 3));
        let by_sender = Letter::query(&shop.admin).filter(|l| l.sender.eq("canary")).count().await.unwrap();
        assert_eq!(by_sender, 1);
    }

    /// A binary that does not open is never taken for plaintext, and neither is plaintext of another type.
    async fn a_binary_is_never_plaintext(stage: Stage) {
        let shop = stage.shop().await;
        let created = Letter::create(&shop.admin, new("text")).await.unwrap();
        let Some(Bson::Binary(mut binary)) = shop.stored_one("letters").await.get("text").cloned() else { panic!("no binary") };
        Letter::delete(&shop.admin, &created.id).await.unwrap();
        let last = binary.bytes.len() - 1;
        binary.bytes[last] ^= 1;
        let letter = stored(&shop, Bson::Binary(binary.clone()), Bson::Null).await;
        let found = Letter::fetch(&shop.admin, &letter.id).await.unwrap();
        let error = found.sender.unwrap().reveal(&shop.admin).await.unwrap_err();
        assert!(error.is_crypto(), "{error}");
        Letter::delete(&shop.admin, &letter.id).await.unwrap();
        binary.bytes[0] = b'x';
        for (sender, stamps) in [(Bson::Binary(binary), Bson::Null), (Bson::Null, "canary".into())] {
            let letter = stored(&shop, sender, stamps).await;
            let error = Letter::fetch(&shop.admin, &letter.id).await.unwrap_err();
            assert!(error.is_decode() && !format!("{error:?} {error}").contains("canary"), "{error}");
        }
    }
}
