//! What a writer of the database without keys may try, and what a client may send. The numbers are those of the project's
//! list of attacks; where each of them is made, says the list in `../attacks/main.rs`.

use bson::oid::ObjectId;
use bson::{Bson, Document};
use model_core::ModelExt;
use model_core::crypto::Candidate;
use model_core::prelude::*;

use crate::harness::{Shop, on_both_stores};
use crate::models::{
    Account, Letter, LetterPatch, Member, NewLetter, NewLetterOptional, NewMember, NewPatient,
    NewPatientOptional, NewVault, NewVaultOptional, NewWidget, Patient, User, Vault, Widget, WidgetPatch,
    new_widget,
};

const CANARY: &str = "canary-hunter2-secret";

async fn letter(ctx: &Context<User>, text: &str) -> Letter {
    let optional = NewLetterOptional {
        sender: Some(Secret::from(CANARY)),
        ..Default::default()
    };
    Letter::create(
        ctx,
        NewLetter {
            text: Secret::from(text),
            optional,
        },
    )
    .await
    .unwrap()
}

fn id_of(letter: &Letter) -> ObjectId {
    letter.id.to_string().parse().unwrap()
}

async fn raw(shop: &Shop, letter: &Letter) -> Document {
    let all = shop.stored("letters").await;
    all.into_iter()
        .find(|found| found.get_object_id("_id").unwrap() == id_of(letter))
        .unwrap()
}

/// Puts a document in the place of a stored one, as a writer without keys can.
async fn put(shop: &Shop, letter: &Letter, document: Document) {
    assert!(Letter::delete(&shop.admin, &letter.id).await.unwrap());
    shop.store_raw("letters", document).await;
}

fn envelope(document: &Document, field: &str) -> Vec<u8> {
    let Some(Bson::Binary(binary)) = document.get(field) else {
        panic!("not sealed: {document}")
    };
    binary.bytes.clone()
}

fn sealed(bytes: Vec<u8>) -> Bson {
    Bson::Binary(bson::Binary {
        subtype: 8.into(),
        bytes,
    })
}

/// What opening the text of a letter says; it never tells of the value.
async fn text_error(shop: &Shop, letter: &Letter) -> String {
    let error = match Letter::fetch(&shop.admin, &letter.id).await {
        Ok(found) => found.text.reveal(&shop.admin).await.unwrap_err(),
        Err(error) => error,
    };
    let mut said = format!("{error:?} {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        said.push_str(&format!("{cause:?} {cause}"));
        source = cause.source();
    }
    assert!(
        !said.contains("canary") && !said.contains("secret text"),
        "{said}"
    );
    error.to_string()
}

on_both_stores! {
    /// 1, 2, 3, 31: a ciphertext that is moved to another document, field, collection or name does not open.
    async fn moved_ciphertexts(stage: Stage) {
        let shop = stage.shop().await;
        let (one, two) = (letter(&shop.admin, "secret text one").await, letter(&shop.admin, "secret text two").await);
        let mut to_document = raw(&shop, &two).await;
        to_document.insert("text", sealed(envelope(&raw(&shop, &one).await, "text")));
        put(&shop, &two, to_document).await;
        assert!(text_error(&shop, &two).await.contains("authenticate"));
        let mut to_field = raw(&shop, &one).await;
        to_field.insert("text", sealed(envelope(&to_field, "sender")));
        put(&shop, &one, to_field).await;
        assert!(text_error(&shop, &one).await.contains("authenticate"));
        let mut new = new_widget("prj_a", "Blue");
        new.optional.token = Some(Secret::from(CANARY));
        let widget = Widget::create(&shop.admin, new).await.unwrap();
        let token = envelope(&shop.stored_one("widgets").await, "token");
        let mut from_elsewhere = raw(&shop, &one).await;
        from_elsewhere.insert("text", sealed(token));
        put(&shop, &one, from_elsewhere).await;
        assert!(text_error(&shop, &one).await.contains("authenticate"));
        assert_eq!(widget.token.unwrap().reveal(&shop.admin).await.unwrap().expose(), CANARY);
    }

    /// 6, 7, 8: another tenant's context, a context without one, and the id of another tenant's key open nothing.
    async fn other_tenants(stage: Stage) {
        let shop = stage.shop().await;
        let (mine, theirs) = (letter(&shop.admin, "secret text").await, letter(&shop.rival, "secret text").await);
        for error in [
            mine.text.reveal(&shop.rival).await.unwrap_err(),
            mine.text.reveal(&shop.db.global_context(User::admin("door"))).await.unwrap_err(),
        ] {
            assert!(error.is_crypto() && error.to_string().contains("another tenant"), "{error}");
        }
        let foreign_key = envelope(&raw(&shop, &theirs).await, "text")[2..18].to_vec();
        let mut document = raw(&shop, &mine).await;
        let mut bytes = envelope(&document, "text");
        bytes[2..18].copy_from_slice(&foreign_key);
        document.insert("text", sealed(bytes));
        put(&shop, &mine, document).await;
        assert!(text_error(&shop, &mine).await.contains("another tenant"));
        let mut stolen = raw(&shop, &theirs).await;
        stolen.insert("_id", id_of(&mine));
        stolen.insert("organization", "acme");
        put(&shop, &mine, stolen).await;
        assert!(text_error(&shop, &mine).await.contains("another tenant"));
    }

    /// 9, 10, 11, 12, 14: cut, longer, flipped, under an unknown key, of an unknown suite: an error for each, and no value.
    async fn altered_bytes(stage: Stage) {
        let shop = stage.shop().await;
        type Change = fn(&mut Vec<u8>);
        let cases: [(Change, &str); 8] = [
            (|bytes| bytes.truncate(40), "truncated"),
            (|bytes| bytes.truncate(bytes.len() - 1), "authenticate"),
            (|bytes| bytes.push(0), "authenticate"),
            (|bytes| bytes[60] ^= 1, "authenticate"),
            (|bytes| bytes[5] ^= 1, "unknown key"),
            (|bytes| bytes[1] = 0, "unknown cipher suite"),
            (|bytes| bytes[1] = 0xFF, "unknown cipher suite"),
            (|bytes| bytes[0] = b'x', "not a ciphertext"),
        ];
        for (change, expected) in cases {
            let letter = letter(&shop.admin, "secret text").await;
            let mut document = raw(&shop, &letter).await;
            let mut bytes = envelope(&document, "text");
            change(&mut bytes);
            document.insert("text", sealed(bytes));
            put(&shop, &letter, document).await;
            let said = text_error(&shop, &letter).await;
            assert!(said.contains(expected), "{expected}: {said}");
        }
        // An envelope is binary of subtype 8: neither the general one, nor that of the driver's own encryption, nor another.
        for subtype in [0, 6, 128] {
            let letter = letter(&shop.admin, "secret text").await;
            let mut document = raw(&shop, &letter).await;
            let bytes = envelope(&document, "text");
            document.insert("text", Bson::Binary(bson::Binary { subtype: subtype.into(), bytes }));
            put(&shop, &letter, document).await;
            let said = text_error(&shop, &letter).await;
            assert!(said.contains("subtype"), "{subtype}: {said}");
        }
        let letter = letter(&shop.admin, "secret text").await;
        let mut document = raw(&shop, &letter).await;
        document.insert("text", CANARY);
        put(&shop, &letter, document).await;
        assert!(text_error(&shop, &letter).await.contains("not plaintext"));
    }

    /// 20, 22: an older ciphertext of the same field, or a whole older document, is accepted: that is no promise of ours.
    async fn replay_is_not_claimed(stage: Stage) {
        let shop = stage.shop().await;
        let letter = letter(&shop.admin, "old").await;
        let old = raw(&shop, &letter).await;
        let patch = LetterPatch { text: Set(Secret::from("new")), ..Default::default() };
        Letter::update(&shop.admin, &letter.id, patch).await.unwrap();
        put(&shop, &letter, old).await;
        let found = Letter::fetch(&shop.admin, &letter.id).await.unwrap();
        assert_eq!(found.text.reveal(&shop.admin).await.unwrap().expose(), "old");
    }

    /// 29: a body that names what is not its to set is refused, each name.
    async fn planted_names(stage: Stage) {
        let shop = stage.shop().await;
        let widget = Widget::create(&shop.admin, new_widget("prj_a", "Blue")).await.unwrap();
        for name in ["_bi", "_seal", "_rev", "_sv", "_id", "organization", "created_at", "updated_at", "__enc_token"] {
            let body = format!(r#"{{"project": "prj_a", "name": "Blue", "limits": {{"daily": 1}}, "{name}": "{CANARY}"}}"#);
            let error = NewWidget::from_json(&body).unwrap_err();
            assert_eq!(error.violations().len(), 1, "{name}: {error}");
            assert_eq!(error.violations()[0].path, name);
            assert!(!format!("{error:?} {error}").contains(CANARY));
            // What a view shows may be sent back as it is, and is not changed by it.
            if let Ok(patch) = WidgetPatch::from_json(&format!(r#"{{"{name}": "{CANARY}"}}"#)) {
                assert!(Widget::update(&shop.admin, &widget.id, patch).await.unwrap_err().is_invalid(), "{name}");
            }
        }
    }

    /// 30, 33, 35: after every kind of write, of every kind of secret, the canary is in no collection, error, debug output
    /// or view.
    async fn canary(stage: Stage) {
        let shop = stage.shop().await;
        let mut said = String::new();
        let written = letter(&shop.admin, CANARY).await;
        let patch = LetterPatch { text: Set(Secret::from(CANARY)), note: Set(Some("x".into())), ..Default::default() };
        let written = Letter::update(&shop.admin, &written.id, patch).await.unwrap();
        said.push_str(&format!("{written:?} {written:#?}"));
        let patient = |email: &str| NewPatient {
            phone: Secret::from(CANARY),
            optional: NewPatientOptional { email: Some(Secret::from(email)), login: Some(Secret::from(email)), ..Default::default() },
        };
        let found = Patient::create(&shop.admin, patient(CANARY)).await.unwrap();
        let duplicate = Patient::create(&shop.admin, patient(CANARY)).await.unwrap_err();
        assert!(duplicate.is_duplicate());
        said.push_str(&format!("{duplicate:?} {duplicate} {found:?}"));
        said.push_str(&serde_json::to_string(&found.into_view(&shop.admin)).unwrap());
        let filter = Patient::filter(|p| p.email.eq(CANARY) | !p.phone.in_([CANARY]));
        said.push_str(&format!("{filter:?}"));
        assert_eq!(Patient::query(&shop.admin).matching(filter).count().await.unwrap(), 1);
        let keys = [("k".to_owned(), Secret::from(CANARY))];
        let optional = NewVaultOptional {
            accounts: Some(vec![Account::new("one", CANARY)]),
            keys: Some(keys.into_iter().collect()),
            ..Default::default()
        };
        let new = NewVault { optional };
        said.push_str(&format!("{new:?}"));
        let vault = Vault::create(&shop.admin, new).await.unwrap();
        said.push_str(&format!("{vault:?}"));
        assert!(Vault::delete(&shop.admin, &vault.id).await.unwrap());
        let job = shop.admin.dangerously_bypass_permissions("test");
        crate::keys::rotate(&shop, model_core::crypto::Purpose::Enc).await;
        said.push_str(&format!("{:?}", Letter::reencrypt(&job).await.unwrap()));
        said.push_str(&format!("{:?}", shop.db));
        for collection in ["letters", "patients", "vaults", "audit_log", "__model_keys"] {
            said.push_str(&format!("{:?}", shop.stored(collection).await));
        }
        let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bytes = format!("{:?}", CANARY.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        for form in [CANARY, "canary", "hunter2", &hex, bytes] {
            assert!(!said.contains(form), "{form}");
        }
    }

    /// 34: a value that authenticates and is of another type tells of its type only.
    async fn another_type(stage: Stage) {
        let shop = stage.shop().await;
        let letter = letter(&shop.admin, "text").await;
        let mut document = raw(&shop, &letter).await;
        document.insert("stamps", CANARY);
        put(&shop, &letter, document).await;
        let error = Letter::fetch(&shop.admin, &letter.id).await.unwrap_err();
        assert!(error.is_decode() && error.path() == Some("stamps"), "{error}");
        assert!(!format!("{error:?} {error}").contains("canary"));
    }

    /// 56: the hash of a user whose password is known, put in another user's place, lets nobody in.
    async fn swapped_hashes(stage: Stage) {
        let shop = stage.shop().await;
        let new = |email: &str, password: &str| NewMember {
            email: email.into(),
            password: NewPassword::new(password.to_owned()).unwrap(),
        };
        let thief = Member::create(&shop.admin, new("thief@example.com", "known to the thief")).await.unwrap();
        let victim = Member::create(&shop.admin, new("victim@example.com", "not known at all")).await.unwrap();
        let all = shop.stored("members").await;
        let by_email = |email: &str| all.iter().find(|found| found.get_str("email").unwrap() == email).unwrap();
        let mut swapped = by_email("victim@example.com").clone();
        swapped.insert("password", by_email("thief@example.com").get("password").cloned());
        assert!(Member::delete(&shop.admin, &victim.id).await.unwrap());
        shop.store_raw("members", swapped).await;
        let victim = Member::fetch(&shop.admin, &victim.id).await.unwrap();
        let candidate = Candidate::new("known to the thief".to_owned());
        assert!(shop.admin.verify_password(Some(&thief.password), &candidate).await.is_ok());
        let error = shop.admin.verify_password(Some(&victim.password), &candidate).await.unwrap_err();
        assert!(error.is_crypto() && error.to_string().contains("authenticate"), "{error}");
    }
}
