//! Attack 37: no plaintext of a secret is left in memory that was freed, whatever is done with it.
//!
//! What cannot hold: a `String` that the application copies out of a [`Secret`], and the text of a request that a secret
//! came in, are the application's to wipe; what a request says under a key that there is not, or of a type that does not
//! fit, is freed as it came. The stores and the driver get nothing but ciphertext and tokens (`canary/` in `model-tests`).

use std::sync::Mutex;

use model_allocator::{NEEDLE, Watched, take_found, watch};
use model_core::crypto::{Candidate, Purpose, Verdict};
use model_core::prelude::*;
use model_core::{ModelExt, testing};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

#[derive(Clone)]
struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

#[derive(Clone, Embedded)]
struct Account {
    id: String,
    token: Encrypted<String>,
}

/// Secrets of every kind.
#[derive(Clone, Model)]
#[model(collection = "holders", audit)]
struct Holder {
    #[model(id)]
    id: Id<Holder>,
    #[model(tenant)]
    organization: TenantId,
    token: Encrypted<String>,
    #[model(pad = 64)]
    padded: Option<Encrypted<String>>,
    #[model(trim, lowercase, blind_index(unique, normalize = "email"))]
    email: Option<Encrypted<String>>,
    #[model(blind_index(bits = 8, normalize = "digits"))]
    phone: Option<Encrypted<String>>,
    list: Option<Encrypted<Vec<String>>>,
    #[model(default)]
    accounts: Vec<Account>,
    password: Option<PasswordHash>,
    #[model(unique(global))]
    key: Option<TokenDigest>,
    note: Option<String>,
}

impl BaseModel for Holder {
    type Actor = User;

    fn can_read(&self, _: &Context<User>) -> bool {
        true
    }

    fn can_create(&self, _: &Context<User>) -> bool {
        true
    }

    fn can_update(&self, _: &Context<User>, _: &Self) -> bool {
        true
    }

    fn can_delete(&self, _: &Context<User>) -> bool {
        true
    }

    fn read_scope(_: &Context<User>) -> Filter<Self> {
        Filter::all()
    }
}

/// The needle, in a block that nobody else has.
fn needle() -> String {
    NEEDLE.to_owned()
}

fn secret() -> Secret<String> {
    Secret::new(needle())
}

/// What was found, step by step.
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn clean(step: &str) {
    let (found, places) = take_found();
    if found > 0 {
        let leak = format!("{step}, {found} times:\n{}", places.join("\n"));
        LEAKS.lock().unwrap().push(leak);
    }
}

async fn database() -> Db {
    let (policy, limits) = testing::fast_passwords();
    Db::memory()
        .keys(testing::keyring().unwrap())
        .passwords(policy, limits)
        .model::<Holder>()
        .build()
        .await
        .unwrap()
}

async fn create(ctx: &Context<User>) -> Holder {
    let optional = NewHolderOptional {
        padded: Some(secret()),
        email: Some(secret()),
        phone: Some(secret()),
        list: Some(Secret::new(vec![needle(), needle()])),
        accounts: Some(vec![Account {
            id: "a".into(),
            token: Encrypted::new(needle()),
        }]),
        password: Some(NewPassword::new(needle()).unwrap()),
        key: Some(Token::presented(needle())),
        note: None,
    };
    let token = secret();
    Holder::create(ctx, NewHolder { token, optional }).await.unwrap()
}

async fn reads(ctx: &Context<User>, id: &Id<Holder>) {
    let holder = Holder::fetch(ctx, id).await.unwrap();
    clean("fetch");
    let token = holder.token.reveal(ctx).await.unwrap();
    assert_eq!(token.expose(), NEEDLE);
    drop(token);
    clean("reveal");
    drop(holder.padded.as_ref().unwrap().reveal(ctx).await.unwrap());
    clean("reveal what is padded");
    drop(holder.list.as_ref().unwrap().reveal(ctx).await.unwrap());
    clean("reveal a list");
    drop(holder.accounts[0].token.reveal(ctx).await.unwrap());
    clean("reveal an element");
    let mut shown = format!("{holder:?}");
    shown.push_str(&serde_json::to_string(&holder.clone().into_view(ctx)).unwrap());
    assert!(!shown.contains(NEEDLE));
    drop((holder, shown));
    clean("drop");
    let found = Holder::query(ctx).filter(|h| h.email.eq(secret())).await.unwrap();
    assert_eq!(found.len(), 1);
    clean("query by a blind index");
    Holder::query(ctx).filter(|h| h.phone.eq(secret())).await.unwrap();
    clean("query by a truncated one");
    let found = Holder::query(ctx)
        .filter(|h| h.key.is(&Token::presented(needle())))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    clean("query by a token");
    Holder::query(ctx)
        .filter(|h| h.email.in_([secret(), secret()]))
        .count()
        .await
        .unwrap();
    clean("count");
}

#[tokio::test]
async fn no_plaintext_in_what_is_freed() {
    watch();
    let db = database().await;
    let acme = TenantId::new("acme").unwrap();
    let ctx = db.context(acme.clone(), User);
    let holder = create(&ctx).await;
    clean("create");
    reads(&ctx, &holder.id).await;

    let patch = HolderPatch {
        token: Set(secret()),
        padded: Set(Some(secret())),
        email: Set(Some(secret())),
        ..Default::default()
    };
    Holder::update(&ctx, &holder.id, patch).await.unwrap();
    clean("update");
    let patch = HolderPatch {
        note: Set(Some("note".into())),
        ..Default::default()
    };
    Holder::update(&ctx, &holder.id, patch).await.unwrap();
    clean("update of something else");
    let patch = |_: &Holder| {
        Ok(Some(HolderPatch {
            token: Set(secret()),
            ..Default::default()
        }))
    };
    Holder::modify(&ctx, &holder.id, patch).await.unwrap();
    clean("modify");
    // More than there is room for at first.
    let mut long = String::with_capacity(8_192);
    long.push_str(NEEDLE);
    long.push_str(&"a".repeat(6_000));
    let patch = HolderPatch {
        token: Set(Secret::new(long)),
        list: Set(Some(Secret::new(vec![needle(); 100]))),
        ..Default::default()
    };
    let long = Holder::update(&ctx, &holder.id, patch).await.unwrap();
    drop(long.token.reveal(&ctx).await.unwrap());
    drop(long);
    clean("long secrets");

    let verdict = ctx
        .verify_password(holder.password.as_ref(), &Candidate::new(needle()))
        .await;
    assert_eq!(verdict.unwrap(), Verdict::Match { needs_rehash: false });
    clean("verify a password");
    ctx.verify_password(None, &Candidate::new(needle()))
        .await
        .unwrap();
    clean("verify without a hash");
    drop(NewPassword::new(needle()).unwrap());
    clean("a password that is not used");
    let mut long = String::with_capacity(4_096);
    long.push_str(NEEDLE);
    long.push_str(&"a".repeat(2_000));
    assert!(NewPassword::new(long).is_err());
    clean("a password that is refused");

    let json = |key: &str| {
        let mut json = String::with_capacity(256);
        json.push_str("{\"");
        json.push_str(key);
        json.push_str("\":\"");
        json.push_str(NEEDLE);
        json.push_str("\"}");
        json
    };
    for key in ["token", "password"] {
        let json = json(key);
        let patch = Holder::patch_from_json(&json);
        // The request itself is the application's.
        json.into_bytes().fill(0);
        drop(patch.unwrap());
        clean(key);
    }

    let keys = db.keys(ActorIdentity::system("test"));
    for purpose in [Purpose::Enc, Purpose::BlindIndex] {
        keys.stage(purpose, Some(&acme)).await.unwrap();
    }
    let job = ctx.dangerously_bypass_permissions("test");
    Holder::reencrypt(&job).await.unwrap();
    clean("reencrypt");
    Holder::create_many(&ctx, Vec::new()).await.unwrap();
    drop(holder);
    assert!(
        Holder::delete(&ctx, &Holder::query(&ctx).first().await.unwrap().unwrap().id)
            .await
            .unwrap()
    );
    clean("delete");
    let leaks = std::mem::take(&mut *LEAKS.lock().unwrap());
    assert!(leaks.is_empty(), "{}", leaks.join("\n\n"));

    // What this test would see: a copy that nobody wiped.
    drop(std::hint::black_box(needle()));
    let (found, places) = take_found();
    assert_eq!(found, 1);
    assert!(places[0].contains("a block of"), "{places:?}");
}
