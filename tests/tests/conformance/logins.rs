//! Hashes of another system and of an older policy, replaced by the logins of their owners.

use bson::{Bson, Document, doc};
use model_core::crypto::{Candidate, HashPolicy, Limits, PasswordHasher, Pepper, Peppers, Verdict};
use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions, testing};

use crate::harness::{Shop, on_both_stores};
use crate::models::{Member, MemberPatch, NewMember, User};

const TYPED: &str = "correct horse";
/// By `crypt(3)` and by Python's `hashlib`, as in the tests of `crypto`.
const BCRYPT: &str = "$2b$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC";
const SCRYPT: &str =
    "$scrypt$ln=12,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$/jx4uMnBLEcnyBJyK5rKAfmnFbwMBoBPE5YY+OEpHOo";
const PBKDF2: &str =
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M";

/// A member whose hash is as another system stored it.
async fn member(shop: &Shop, hash: &str) -> Member {
    let id = bson::Uuid::new();
    let document = doc! {
        "_id": id, "organization": "acme", "email": format!("{id}@example.com"),
        "password": hash,
    };
    shop.store_raw("members", document).await;
    Member::fetch(&shop.admin, &Id::parse(&id.to_string()).unwrap())
        .await
        .unwrap()
}

async fn stored(shop: &Shop, member: &Member) -> Document {
    let all = shop.stored("members").await;
    let own = |found: &Document| match found.get("_id") {
        Some(Bson::Binary(id)) => id.to_uuid().unwrap().to_string() == member.id.to_string(),
        _ => false,
    };
    all.into_iter().find(own).unwrap()
}

async fn log_in(shop: &Shop, member: &Member, typed: &str) -> Result<Verdict> {
    // Before the tenant is known.
    let door = shop.db.global_context(User::admin("door"));
    door.verify_and_upgrade(Some(&member.password), &Candidate::new(typed.to_owned()))
        .await
}

async fn again(shop: &Shop, member: &Member) -> Member {
    Member::fetch(&shop.admin, &member.id).await.unwrap()
}

on_both_stores! {
    /// A right password replaces the hash of whatever scheme, sealed; a wrong one, and the mere comparison, do not.
    async fn a_login_replaces_an_older_hash(stage: Stage) {
        let shop = stage.shop().await;
        let weak = HashPolicy { memory_kib: 32, passes: 1, ..HashPolicy::default() };
        let weak = PasswordHasher::new(weak, Limits::default()).unwrap();
        let weak = weak.hash(&NewPassword::new(TYPED.to_owned()).unwrap()).await.unwrap();
        for hash in [BCRYPT, SCRYPT, PBKDF2, &weak] {
            let member = member(&shop, hash).await;
            let before = stored(&shop, &member).await;
            assert_eq!(log_in(&shop, &member, "incorrect horse").await.unwrap(), Verdict::Mismatch);
            let compared = shop.admin.verify_password(Some(&member.password), &Candidate::new(TYPED.to_owned())).await;
            assert_eq!(compared.unwrap(), Verdict::Match { needs_rehash: true });
            assert_eq!(stored(&shop, &member).await, before, "nothing was written");
            assert_eq!(log_in(&shop, &member, TYPED).await.unwrap(), Verdict::Match { needs_rehash: false });
            let mut after = stored(&shop, &member).await;
            let Some(Bson::Binary(sealed)) = after.get("password") else { panic!("not sealed: {after}") };
            assert_eq!((sealed.bytes[0], u8::from(sealed.subtype)), (0xE1, 8));
            after.insert("password", hash);
            assert_eq!(after, before, "nothing else changed");
            let found = again(&shop, &member).await;
            assert_eq!(log_in(&shop, &found, TYPED).await.unwrap(), Verdict::Match { needs_rehash: false });
            assert_eq!(log_in(&shop, &found, "incorrect horse").await.unwrap(), Verdict::Mismatch);
            assert!(!format!("{found:?}").contains(hash));
        }
    }

    /// 59: a login whose comparison began before the password was changed does not bring the old one back.
    async fn a_changed_password_stays(stage: Stage) {
        let shop = stage.shop().await;
        let member = member(&shop, BCRYPT).await;
        let new = NewPassword::new("another password".to_owned()).unwrap();
        let patch = MemberPatch { password: Set(new), ..Default::default() };
        Member::update(&shop.admin, &member.id, patch).await.unwrap();
        let changed = stored(&shop, &member).await;
        assert_eq!(log_in(&shop, &member, TYPED).await.unwrap(), Verdict::Match { needs_rehash: true });
        assert_eq!(stored(&shop, &member).await, changed);
        let found = again(&shop, &member).await;
        assert_eq!(log_in(&shop, &found, TYPED).await.unwrap(), Verdict::Mismatch);
        assert_eq!(log_in(&shop, &found, "another password").await.unwrap(), Verdict::Match { needs_rehash: false });
        assert!(Member::delete(&shop.admin, &member.id).await.unwrap());
        assert_eq!(log_in(&shop, &member, TYPED).await.unwrap(), Verdict::Match { needs_rehash: true });
        assert!(shop.stored("members").await.is_empty());
    }

    /// Logins at once end with one of their hashes, and an update of something else keeps it.
    async fn logins_at_once(stage: Stage) {
        let shop = stage.shop().await;
        let member = member(&shop, PBKDF2).await;
        let logins = (0..6).map(|_| log_in(&shop, &member, TYPED));
        for verdict in futures_util::future::join_all(logins).await {
            assert!(matches!(verdict.unwrap(), Verdict::Match { .. }));
        }
        let patch = MemberPatch { email: Set("new@example.com".into()), ..Default::default() };
        Member::update(&shop.admin, &member.id, patch).await.unwrap();
        let found = again(&shop, &member).await;
        assert_eq!(log_in(&shop, &found, TYPED).await.unwrap(), Verdict::Match { needs_rehash: false });
    }

    /// 54: a stored hash that asks for more than the bounds is refused for what it is, and a hash that nobody knows too.
    async fn what_asks_for_too_much(stage: Stage) {
        let shop = stage.shop().await;
        for (hash, expected) in [
            (BCRYPT.replace("$06$", "$31$"), "exceeds the policy's bounds"),
            (SCRYPT.replace("ln=12", "ln=30"), "exceeds the policy's bounds"),
            (PBKDF2.replace("i=1000", "i=4294967295"), "exceeds the policy's bounds"),
            ("$1$abcdefgh$ijklmnop".to_owned(), "unsupported"),
        ] {
            let member = member(&shop, &hash).await;
            let error = log_in(&shop, &member, TYPED).await.unwrap_err();
            let said = error.to_string();
            assert!(error.is_crypto() && !said.contains(&hash), "{said}");
            assert!(said.contains(expected), "{said}");
        }
    }

    /// Hashes with an older pepper, or with none, get the new one with the login of their owner.
    async fn a_login_replaces_an_older_pepper(stage: Stage) {
        let pepper = |first: u8| {
            let key: [u8; 32] = std::array::from_fn(|i| first + u8::try_from(i).unwrap());
            Pepper::new(&key).unwrap()
        };
        let (policy, limits) = testing::fast_passwords();
        // Without a keyring, so that what is stored can be seen.
        let none = stage.builder().passwords(policy.clone(), limits).model::<Member>().build_lazy().unwrap();
        none.sync_indexes(SyncOptions::default()).await.unwrap();
        let handle = |peppers: Peppers| {
            let builder = testing::another_process(&none).passwords(policy.clone(), limits);
            builder.peppers(peppers).model::<Member>().build_lazy().unwrap()
        };
        let first = handle(Peppers::current(pepper(1)));
        let second = handle(Peppers::current(pepper(2)).with_known(pepper(1)));
        let ctx = |db: &Db| db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let hash = async || {
            let member = Member::query(&ctx(&none)).first().await.unwrap().unwrap();
            let stored = testing::stored(&none, "members").await.unwrap();
            (member, stored[0].get_str("password").unwrap().to_owned())
        };
        let login = async |db: &Db, member: &Member, typed: &str| {
            let door = db.global_context(User::admin("door"));
            door.verify_and_upgrade(Some(&member.password), &Candidate::new(typed.to_owned())).await
        };

        let password = NewPassword::new(TYPED.to_owned()).unwrap();
        Member::create(&ctx(&none), NewMember { email: "a@example.com".into(), password }).await.unwrap();
        let (mut member, mut before) = hash().await;
        assert!(!before.contains("keyid="));
        for db in [&first, &second] {
            assert_eq!(login(db, &member, "incorrect horse").await.unwrap(), Verdict::Mismatch);
            assert_eq!(hash().await.1, before, "nothing was written");
            assert!(matches!(login(db, &member, TYPED).await.unwrap(), Verdict::Match { .. }));
            let (changed, after) = hash().await;
            let id = |hash: &str| hash.split("keyid=").nth(1).map(|rest| rest[..11].to_owned());
            assert!(id(&after).is_some() && id(&after) != id(&before), "{before} {after}");
            (member, before) = (changed, after);
            assert_eq!(login(db, &member, TYPED).await.unwrap(), Verdict::Match { needs_rehash: false });
        }
        // A handle that does not know the pepper cannot say that the password is wrong.
        let error = login(&first, &member, TYPED).await.unwrap_err();
        assert!(error.is_crypto() && error.to_string().contains("`Peppers`"), "{error}");
    }
}
