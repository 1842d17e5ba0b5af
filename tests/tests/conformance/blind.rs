//! Encrypted fields that are found by their value.

use bson::{Bson, Document};
use model_core::crypto::{KeyState, Purpose};
use model_core::prelude::*;
use model_core::{Confirm, ModelExt};

use crate::harness::{Shop, on_both_stores};
use crate::keys::rotate;
use crate::models::{NewPatient, NewPatientOptional, Patient, PatientPatch, User};

const CANARY: &str = "canary@example.com";

fn new(email: Option<&str>, phone: &str) -> NewPatient {
    NewPatient {
        phone: Secret::from(phone),
        optional: NewPatientOptional {
            email: email.map(Secret::from),
            ..Default::default()
        },
    }
}

async fn by_email(shop: &Shop, email: &str) -> Vec<Id<Patient>> {
    let found = Patient::query(&shop.admin)
        .filter(|p| p.email.eq(email))
        .await
        .unwrap();
    found.into_iter().map(|patient| patient.id).collect()
}

/// The versions of the keys that the tokens of a field were made with.
fn versions(document: &Document, field: &str) -> Vec<u8> {
    let tokens = document.get_document("_bi").unwrap().get_array(field).unwrap();
    let version = |token: &Bson| match token {
        Bson::Binary(binary) => {
            assert_eq!((u8::from(binary.subtype), binary.bytes.len()), (8, 17));
            binary.bytes[0]
        }
        other => panic!("no token: {other}"),
    };
    tokens.iter().map(version).collect()
}

on_both_stores! {
    /// Equality finds what the normalizer makes equal, in the tenant alone; storage and messages have no value.
    async fn a_value_is_found_by_its_token(stage: Stage) {
        let shop = stage.shop().await;
        let mut input = new(Some(" Canary@Example.com "), "+49 (30) 1234");
        input.optional.insured = Some(Secret::new(true));
        let ada = Patient::create(&shop.admin, input).await.unwrap();
        let bob = Patient::create(&shop.admin, new(Some("bob@example.com"), "555")).await.unwrap();
        Patient::create(&shop.rival, new(Some(CANARY), "555")).await.unwrap();
        assert_eq!(by_email(&shop, "CANARY@example.COM ").await, std::slice::from_ref(&ada.id));
        assert!(by_email(&shop, "nobody@example.com").await.is_empty());
        let both = Patient::query(&shop.admin).filter(|p| p.email.in_([CANARY, "bob@example.com"])).count().await.unwrap();
        assert_eq!(both, 2);
        let none = Patient::query(&shop.admin).filter(|p| p.email.in_(Vec::<Secret<String>>::new())).count().await.unwrap();
        assert_eq!(none, 0);
        let by_phone = Patient::query(&shop.admin).filter(|p| p.phone.eq("4930-1234") & p.insured.eq(true)).await.unwrap();
        assert_eq!(by_phone[0].id, ada.id);
        let others = Patient::query(&shop.admin).filter(|p| !p.email.eq(CANARY)).await.unwrap();
        assert_eq!(others[0].id, bob.id);
        let filter = Patient::filter(|p| p.email.eq(CANARY));
        assert!(!format!("{filter:?}").contains("canary"));
        let everything = format!("{:?} {:?}", shop.stored("patients").await, shop.audit_log().await);
        assert!(!everything.to_lowercase().contains("canary"));
        assert!(!serde_json::to_string(&ada.into_view(&shop.admin)).unwrap().contains("_bi"));
    }

    /// Equal values have other tokens in another tenant, field and document kind, and the same in one.
    async fn tokens_differ_by_tenant_and_field(stage: Stage) {
        let shop = stage.shop().await;
        for ctx in [&shop.admin, &shop.rival] {
            let mut input = new(Some("same"), "1");
            input.optional.login = Some(Secret::from(format!("login of {}", ctx.tenant())));
            Patient::create(ctx, input).await.unwrap();
        }
        Patient::create(&shop.admin, new(None, "1")).await.unwrap();
        let stored = shop.stored("patients").await;
        let token = |index: usize, field: &str| stored[index].get_document("_bi").unwrap().get(field).cloned();
        assert_ne!(token(0, "email"), token(1, "email"));
        assert_ne!(token(0, "email"), token(0, "tel"));
        assert_eq!(token(0, "tel"), token(2, "tel"));
        assert_ne!(token(0, "tel"), token(1, "tel"));
        assert_eq!(token(2, "email"), None);
    }

    /// Unique within the tenant, or over all of them; absence is no value; the error names the index and no value.
    async fn a_blind_index_can_be_unique(stage: Stage) {
        let shop = stage.shop().await;
        Patient::create(&shop.admin, new(Some(CANARY), "1")).await.unwrap();
        let error = Patient::create(&shop.admin, new(Some("Canary@EXAMPLE.com"), "2")).await.unwrap_err();
        assert!(error.is_duplicate() && error.index().unwrap().contains("_bi.email"), "{error}");
        assert!(!format!("{error:?} {error}").to_lowercase().contains("canary"));
        Patient::create(&shop.rival, new(Some(CANARY), "1")).await.unwrap();
        Patient::create(&shop.admin, new(None, "1")).await.unwrap();
        let bob = Patient::create(&shop.admin, new(None, "1")).await.unwrap();
        let patch = PatientPatch { email: Set(Some(Secret::from(CANARY))), ..Default::default() };
        assert!(Patient::update(&shop.admin, &bob.id, patch).await.unwrap_err().is_duplicate());
        let login = |phone: &str| NewPatient {
            phone: Secret::from(phone),
            optional: NewPatientOptional { login: Some(Secret::from("ada")), ..Default::default() },
        };
        let ada = Patient::create(&shop.admin, login("3")).await.unwrap();
        assert!(Patient::create(&shop.rival, login("3")).await.unwrap_err().is_duplicate());
        let door = shop.db.global_context(User::admin("door"));
        let found = Patient::find_unique(&door, |p| p.login.lookup("ada")).await.unwrap().unwrap();
        assert_eq!(found.id, ada.id);
        assert!(Patient::find_unique(&door, |p| p.login.lookup("eve")).await.unwrap().is_none());
    }

    /// A change moves the token with the value, another field's change leaves both, and removal removes both.
    async fn tokens_follow_their_value(stage: Stage) {
        let shop = stage.shop().await;
        let ada = Patient::create(&shop.admin, new(Some(CANARY), "1")).await.unwrap();
        let before = shop.stored_one("patients").await;
        let patch = PatientPatch { note: Set(Some("x".into())), ..Default::default() };
        Patient::update(&shop.admin, &ada.id, patch).await.unwrap();
        let after = shop.stored_one("patients").await;
        assert_eq!((before.get("_bi"), before.get("email")), (after.get("_bi"), after.get("email")));
        let patch = PatientPatch { email: Set(Some(Secret::from("new@example.com"))), ..Default::default() };
        Patient::update(&shop.admin, &ada.id, patch).await.unwrap();
        assert!(by_email(&shop, CANARY).await.is_empty());
        assert_eq!(by_email(&shop, "new@example.com").await, std::slice::from_ref(&ada.id));
        let patch = PatientPatch { email: Set(None), ..Default::default() };
        Patient::update(&shop.admin, &ada.id, patch).await.unwrap();
        let stored = shop.stored_one("patients").await;
        assert!(!stored.contains_key("email") && !stored.get_document("_bi").unwrap().contains_key("email"), "{stored}");
        assert!(stored.get_document("_bi").unwrap().contains_key("tel"));
        assert!(by_email(&shop, "new@example.com").await.is_empty());
        Patient::create(&shop.admin, new(Some("new@example.com"), "2")).await.unwrap();
    }

    /// Through a rotation of the index key, values are found and unique at every step: written before, between, after;
    /// with the tokens of the old key alone, of both, of the new one alone.
    async fn a_rotation_leaves_no_gap(stage: Stage) {
        let shop = stage.shop().await;
        let duplicate = async |email: &str| {
            let result = Patient::create(&shop.admin, new(Some(email), "9")).await;
            assert!(result.unwrap_err().is_duplicate(), "{email}");
        };
        let keys = shop.db.keys(ActorIdentity::system("rotation"));
        let one = Patient::create(&shop.admin, new(Some("one@x.com"), "1")).await.unwrap();
        rotate(&shop, Purpose::BlindIndex).await;
        let two = Patient::create(&shop.admin, new(Some("two@x.com"), "2")).await.unwrap();
        let mut stored: Vec<_> = shop.stored("patients").await.iter().map(|stored| versions(stored, "email")).collect();
        assert_eq!(stored, [vec![1], vec![2, 1]]);
        assert_eq!(by_email(&shop, "one@x.com").await, std::slice::from_ref(&one.id));
        assert_eq!(by_email(&shop, "two@x.com").await, std::slice::from_ref(&two.id));
        duplicate("one@x.com").await;
        duplicate("two@x.com").await;
        let job = shop.admin.dangerously_bypass_permissions("key rotation");
        let done = Patient::reencrypt(&job).await.unwrap();
        assert_eq!((done.rewritten, done.failed.len()), (0, 0));
        assert_eq!(done.reindexed, 2, "email and phone of the first");
        let acme = TenantId::new("acme").unwrap();
        let status = keys.status(Some(&acme)).await.unwrap();
        let old = status.iter().find(|key| key.purpose == Purpose::BlindIndex && key.state == KeyState::DecryptOnly).unwrap();
        keys.destroy(old.id, Confirm::CryptoShred).await.unwrap();
        let three = Patient::create(&shop.admin, new(Some("three@x.com"), "3")).await.unwrap();
        stored = shop.stored("patients").await.iter().map(|stored| versions(stored, "email")).collect();
        assert_eq!(stored, [vec![2, 1], vec![2, 1], vec![2]]);
        for (patient, email) in [(&one, "one@x.com"), (&two, "two@x.com"), (&three, "three@x.com")] {
            assert_eq!(by_email(&shop, email).await, std::slice::from_ref(&patient.id));
            duplicate(email).await;
        }
        assert_eq!(Patient::reencrypt(&job).await.unwrap().reindexed, 4, "the tokens of the old key go");
        assert_eq!(versions(&shop.stored("patients").await[0], "email"), [2]);
    }

    /// A unique blind index names one document for an upsert, before and after a rotation; one that is not unique does not.
    async fn a_secret_names_the_document_of_an_upsert(stage: Stage) {
        let shop = stage.shop().await;
        let upsert = async |email: &str, phone: &str| {
            let patch = PatientPatch { phone: Set(Secret::from(phone)), ..Default::default() };
            Patient::upsert(&shop.admin, |p| p.email.eq(email), new(Some(CANARY), "1"), patch).await
        };
        let first = upsert(CANARY, "2").await.unwrap();
        assert!(first.is_created());
        let first = first.into_document();
        let second = upsert(" CANARY@example.com", "2").await.unwrap();
        assert!(!second.is_created());
        let second = second.into_document();
        assert_eq!(second.id, first.id);
        assert_eq!(second.phone.reveal(&shop.admin).await.unwrap().expose(), "2");
        rotate(&shop, Purpose::BlindIndex).await;
        assert!(!upsert(CANARY, "3").await.unwrap().is_created());
        assert_eq!(shop.stored("patients").await.len(), 1);
        // What is created has to be what was asked for.
        assert!(upsert("other@example.com", "2").await.unwrap_err().is_invalid());
        let patch = PatientPatch::default();
        let by_phone = Patient::upsert(&shop.admin, |p| p.phone.eq("2"), new(Some(CANARY), "1"), patch).await;
        let error = by_phone.unwrap_err();
        assert!(error.is_configuration() && !error.to_string().contains("canary"), "{error}");
        assert_eq!(shop.stored("patients").await.len(), 1);
    }

    /// Once a tenant is shredded, nothing is found; another tenant is not touched.
    async fn a_shredded_tenant_is_not_found(stage: Stage) {
        let shop = stage.shop().await;
        Patient::create(&shop.admin, new(Some(CANARY), "1")).await.unwrap();
        let rival = Patient::create(&shop.rival, new(Some(CANARY), "1")).await.unwrap();
        let keys = shop.db.keys(ActorIdentity::system("shred"));
        assert_eq!(keys.shred(&TenantId::new("acme").unwrap(), Confirm::CryptoShred).await.unwrap(), 2);
        assert!(by_email(&shop, CANARY).await.is_empty());
        let found = Patient::query(&shop.rival).filter(|p| p.email.eq(CANARY)).await.unwrap();
        assert_eq!(found[0].id, rival.id);
    }

    /// Tokens that a client plants in an input are refused with the reserved name.
    async fn inputs_have_no_tokens(stage: Stage) {
        let shop = stage.shop().await;
        let error = NewPatient::from_json(r#"{"tel": "1", "_bi": {"email": []}}"#).unwrap_err();
        assert_eq!(error.violations()[0].path, "_bi");
        let ada = Patient::create(&shop.admin, new(Some(CANARY), "1")).await.unwrap();
        let found = Patient::query(&shop.admin).filter(|p| p.email.is_some() & p.login.is_none()).await.unwrap();
        assert_eq!(found[0].id, ada.id);
    }
}
