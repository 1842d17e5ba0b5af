//! Encrypted fields, passwords, hidden fields, views: what never shows.

use bson::{Bson, doc};
use model_core::ModelExt;
use model_core::crypto::{Candidate, Verdict};
use model_core::prelude::*;

use crate::harness::{foreign_widget, on_both_stores};
use crate::models::{Limits, Member, NewMember, User, Widget, WidgetPatch, new_widget};

const CANARY: &str = "canary-tok_live_4242";

on_both_stores! {
    /// The token is sealed in storage, opened by its own tenant only, and its bytes change with every sealing.
    async fn a_token_is_sealed(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_a", "Blue");
        new.optional.token = Some(Secret::from(CANARY));
        let created = Widget::create(&shop.admin, new).await.unwrap();
        let token = created.token.clone().unwrap();
        assert_eq!(token.reveal(&shop.admin).await.unwrap().expose(), CANARY);
        let Some(Bson::Binary(binary)) = shop.stored_one("widgets").await.get("token").cloned() else { panic!("not binary") };
        assert_eq!(u8::from(binary.subtype), 8);
        assert_eq!(binary.bytes[0], 0xE1);
        assert!(!binary.bytes.windows(6).any(|window| window == b"canary"));
        let error = token.reveal(&shop.rival).await.unwrap_err();
        assert!(error.is_crypto(), "{error}");
        let again = WidgetPatch { token: Set(Some(Secret::from(CANARY))), ..Default::default() };
        Widget::update(&shop.admin, &created.id, again).await.unwrap();
        let Some(Bson::Binary(second)) = shop.stored_one("widgets").await.get("token").cloned() else { panic!("not binary") };
        assert_ne!(binary.bytes, second.bytes);
    }

    /// An update of another field leaves the sealed bytes as they are.
    async fn an_unchanged_secret_keeps_its_bytes(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_a", "Blue");
        new.optional.token = Some(Secret::from(CANARY));
        let created = Widget::create(&shop.admin, new).await.unwrap();
        let before = shop.stored_one("widgets").await.get("token").cloned();
        let patch = WidgetPatch { enabled: Set(true), ..Default::default() };
        let updated = Widget::update(&shop.admin, &created.id, patch).await.unwrap();
        assert_eq!(shop.stored_one("widgets").await.get("token").cloned(), before);
        assert_eq!(updated.token.unwrap().reveal(&shop.admin).await.unwrap().expose(), CANARY);
    }

    /// A ciphertext that was moved to another document, or cut, is an error; plaintext does not decode.
    async fn tampering_surfaces(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_a", "Blue");
        new.optional.token = Some(Secret::from(CANARY));
        Widget::create(&shop.admin, new).await.unwrap();
        let token = shop.stored_one("widgets").await.get("token").cloned().unwrap();
        let mut moved = foreign_widget("wgt_moved");
        moved.extend(doc! { "_sv": 2, "token": token.clone() });
        shop.store_raw("widgets", moved).await;
        let widget = Widget::fetch(&shop.admin, &Id::parse("wgt_moved").unwrap()).await.unwrap();
        assert!(widget.token.unwrap().reveal(&shop.admin).await.unwrap_err().is_crypto());
        let Bson::Binary(mut cut) = token else { panic!("not binary") };
        cut.bytes.truncate(40);
        for (id, value) in [("wgt_cut", Bson::Binary(cut)), ("wgt_plain", CANARY.into())] {
            let mut document = foreign_widget(id);
            document.extend(doc! { "_sv": 2, "token": value });
            shop.store_raw("widgets", document).await;
            let error = Widget::get(&shop.admin, &Id::parse(id).unwrap()).await.unwrap_err();
            assert!(error.is_decode(), "{error}");
            assert_eq!(error.path(), Some("token"));
            assert!(!format!("{error:?}").contains("canary"));
        }
    }

    /// Neither view nor debug output shows what is hidden or secret.
    async fn views_have_no_member_for_secrets(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = new_widget("prj_a", "Blue");
        new.optional.token = Some(Secret::from(CANARY));
        new.optional.internal_score = Some(77.25);
        new.limits = Limits { secret_note: Some("canary-note".into()), ..Limits::new(1, 2) };
        let debug = format!("{new:?}");
        assert!(!debug.contains("canary"), "{debug}");
        let created = Widget::create(&shop.admin, new).await.unwrap();
        let debug = format!("{created:?} {created:#?}");
        assert!(!debug.contains("canary") && !debug.contains("77.25"), "{debug}");
        let json = serde_json::to_string(&created.into_view(&shop.admin)).unwrap();
        for absent in ["canary", "77.25", "token", "internal_score", "secret_note", "_rev", "note"] {
            assert!(!json.contains(absent), "{absent} in {json}");
        }
        assert!(json.contains(r#""limits":{"daily":1,"weekly":2}"#), "{json}");
        assert!(json.contains(r#""created_at":"2026-03-01T09:00:00Z""#), "{json}");
    }

    /// A password is hashed by the write, sealed, verified through the context, and has no other use.
    async fn a_password_is_hashed(stage: Stage) {
        let shop = stage.shop().await;
        let new = NewMember {
            email: " Ada@Example.COM ".into(),
            password: NewPassword::new("correct horse canary".to_owned()).unwrap(),
        };
        let member = Member::create(&shop.admin, new).await.unwrap();
        assert_eq!(member.email, "ada@example.com");
        let stored = shop.stored_one("members").await;
        assert!(matches!(stored.get("password"), Some(Bson::Binary(_))), "{stored}");
        let verdict = async |text: &str| {
            let candidate = Candidate::new(text.to_owned());
            shop.admin.verify_password(Some(&member.password), &candidate).await.unwrap()
        };
        assert!(matches!(verdict("correct horse canary").await, Verdict::Match { .. }));
        assert!(matches!(verdict("correct horse").await, Verdict::Mismatch));
        let nobody = shop.admin.verify_password(None, &Candidate::new("correct horse canary".to_owned())).await.unwrap();
        assert!(matches!(nobody, Verdict::Mismatch));
        let json = serde_json::to_string(&member.clone().into_view(&shop.admin)).unwrap();
        assert!(!json.contains("password"), "{json}");
        assert!(!format!("{member:?}").contains("argon"));
        let short = r#"{"email": "x@example.com", "password": "canary"}"#;
        let error = NewMember::from_json(short).unwrap_err();
        assert_eq!(error.violations()[0].path, "password");
        assert!(!error.to_string().contains("canary"));
    }

    /// Another tenant's key does not open, and neither does a context without a tenant.
    async fn keys_are_per_tenant(stage: Stage) {
        let shop = stage.shop().await;
        for ctx in [&shop.admin, &shop.rival] {
            let mut new = new_widget("prj_a", "Blue");
            new.optional.token = Some(Secret::from(CANARY));
            Widget::create(ctx, new).await.unwrap();
        }
        let keys = shop.stored("__model_keys").await;
        assert_eq!(keys.len(), 2);
        let mine = Widget::query(&shop.admin).first().await.unwrap().unwrap();
        let token = mine.token.unwrap();
        assert!(token.reveal(&shop.db.global_context(User::admin("ada"))).await.unwrap_err().is_crypto());
        assert!(token.reveal(&shop.rival).await.unwrap_err().is_crypto());
        assert!(token.reveal(&shop.admin).await.is_ok());
    }
}
