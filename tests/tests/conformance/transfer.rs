//! Contract C 10: a document goes to another tenant by an operation of its own, and by nothing else.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use model_core::ModelExt;
use model_core::crypto::{Candidate, Verdict};
use model_core::prelude::*;

use crate::harness::{Shop, change, on_both_stores};
use crate::models::{Account, Ctx, Hooks, NewParcel, Parcel, User};

/// With a secret of every kind.
#[derive(Clone, Model)]
#[model(collection = "dossiers", id_prefix = "dos_", version = 2)]
struct Dossier {
    #[model(id)]
    id: Id<Dossier>,
    #[model(tenant)]
    organization: TenantId,
    #[model(len(1..=9), unique)]
    name: String,
    #[model(since = 2, default)]
    pages: i64,
    token: Option<Encrypted<String>>,
    #[model(blind_index(unique, normalize = "email"))]
    email: Option<Encrypted<String>>,
    #[model(default)]
    accounts: Vec<Account>,
    #[model(default)]
    keys: BTreeMap<String, Encrypted<String>>,
    password: Option<PasswordHash>,
    #[model(unique(global))]
    session: Option<TokenDigest>,
    #[model(on_delete = cascade)]
    parent: Option<Ref<Dossier>>,
    #[model(created_at)]
    created_at: DateTime<Utc>,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
    #[model(revision)]
    revision: Revision,
}

impl BaseModel for Dossier {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().name != "stranger"
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().name != "leaver"
    }

    fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().name != "comer"
    }

    async fn before_delete(ctx: &Ctx, document: &Self) -> Result<()> {
        note(ctx, "before_delete", document)
    }

    async fn after_delete(ctx: &Ctx, document: &Self) -> Result<()> {
        note(ctx, "after_delete", document)
    }

    async fn before_create(ctx: &Ctx, document: &mut Self) -> Result<()> {
        note(ctx, "before_create", document)
    }

    async fn after_create(ctx: &Ctx, document: &Self) -> Result<()> {
        note(ctx, "after_create", document)
    }

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        document.insert("pages", 3_i64);
        Ok(document)
    }
}

fn note(ctx: &Ctx, hook: &'static str, document: &Dossier) -> Result<()> {
    Hooks::call(
        ctx,
        hook,
        &format!("{} in {}", document.organization, ctx.tenant()),
    )
}

/// Marked when deleted; its id stands beside its `_id`.
#[derive(Clone, Model)]
#[model(collection = "binders", soft_delete, audit)]
struct Binder {
    #[model(id, stored_as = "id")]
    id: Id<Binder>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}

impl BaseModel for Binder {
    type Actor = User;
    crate::models::open_policy!(Self, Ctx);
}

async fn office(stage: crate::harness::Stage) -> Shop {
    stage
        .open(|builder| builder.model::<Dossier>().model::<Binder>())
        .await
}

fn dossier(name: &str) -> NewDossier {
    NewDossier {
        name: name.into(),
        optional: NewDossierOptional {
            token: Some(Secret::from("tok_1")),
            email: Some(Secret::from("ada@example.com")),
            accounts: Some(vec![Account::new("bank", "iban")]),
            keys: Some(BTreeMap::from([("door".to_owned(), Secret::from("1234"))])),
            password: Some(NewPassword::new("correct horse".to_owned()).unwrap()),
            ..Default::default()
        },
    }
}

fn globex() -> TenantId {
    TenantId::new("globex").unwrap()
}

/// As `ada`, with a reason.
fn mover(shop: &Shop) -> Ctx {
    shop.admin.clone().with_reason("ticket 9")
}

on_both_stores! {
    /// The same document in another tenant: its id, what it says, when it was made; its secrets under the other's keys.
    async fn the_document_goes_whole(stage: Stage) {
        let shop = office(stage).await;
        let mut new = dossier("one");
        let token = Token::generate().unwrap();
        new.optional.session = Some(token.clone());
        let made = Dossier::create(&shop.admin, new).await.unwrap();
        let before = shop.stored_one("dossiers").await;
        shop.hooks.take();
        shop.tick();
        let moved = Dossier::move_to_tenant(&mover(&shop), &made.id, globex()).await.unwrap();
        assert_eq!((&moved.id, &moved.organization), (&made.id, &globex()));
        assert_eq!((moved.created_at, moved.updated_at), (made.created_at, shop.admin.now()));
        assert_eq!(shop.hooks.take(), [
            "before_delete(acme in acme)", "before_create(globex in globex)",
            "after_delete(acme in acme)", "after_create(globex in globex)",
        ]);
        assert!(Dossier::get(&shop.admin, &made.id).await.unwrap().is_none());
        let read = Dossier::fetch(&shop.rival, &made.id).await.unwrap();
        assert_eq!(read.token.as_ref().unwrap().reveal(&shop.rival).await.unwrap().expose(), "tok_1");
        assert!(read.token.unwrap().reveal(&shop.admin).await.is_err(), "no longer acme's");
        assert_eq!(read.accounts[0].token.reveal(&shop.rival).await.unwrap().expose(), "iban");
        assert_eq!(read.accounts[0].answers["pet"].reveal(&shop.rival).await.unwrap().expose(), "iban's cat");
        assert_eq!(read.keys["door"].reveal(&shop.rival).await.unwrap().expose(), "1234");
        let verdict = shop.rival.verify_password(read.password.as_ref(), &Candidate::new("correct horse".to_owned())).await;
        assert!(matches!(verdict.unwrap(), Verdict::Match { .. }));
        let found = Dossier::query(&shop.rival).filter(|d| d.email.eq("ADA@example.com")).await.unwrap();
        assert_eq!(found.len(), 1, "by its tokens, under the other tenant's key");
        let anywhere = shop.db.global_context(User::admin("door"));
        let by_token = Dossier::find_unique(&anywhere, |d| d.session.lookup_token(&token)).await.unwrap();
        assert_eq!(by_token.unwrap().id, made.id);
        let after = shop.stored_one("dossiers").await;
        for sealed in ["token", "email", "password"] {
            assert_ne!(before.get(sealed), after.get(sealed), "{sealed}");
        }
        assert_ne!(before.get("_bi"), after.get("_bi"));
        Dossier::update_with(&shop.rival, &made.id, |d| d.pages.inc(1)).await.unwrap();
    }

    /// An entry in the log of each tenant, whatever the model says, with the reason and no secret.
    async fn both_tenants_are_told(stage: Stage) {
        let shop = office(stage).await;
        let made = Dossier::create(&shop.admin, dossier("one")).await.unwrap();
        assert!(shop.audit_log().await.is_empty(), "the model is not audited");
        Dossier::move_to_tenant(&mover(&shop), &made.id, globex()).await.unwrap();
        let log = shop.audit_log().await;
        let told: Vec<_> = log.iter().map(|entry| {
            let of = |key| entry.get_str(key).unwrap();
            (of("tenant"), of("event"), of("reason"), of("came_from"))
        }).collect();
        assert_eq!(told, [
            ("acme", "Dossier.delete", "ticket 9", "acme"), ("globex", "Dossier.create", "ticket 9", "acme"),
        ]);
        for entry in &log {
            assert_eq!(entry.get_document("actor").unwrap().get_str("id").unwrap(), "ada");
            assert!(change(entry, "token").unwrap().get_bool("changed").unwrap());
            assert!(!entry.to_string().contains("tok_1"));
        }
    }

    /// Without a reason, a right on either side, or a document that the actor sees, nothing happens.
    async fn it_takes_a_reason_and_both_rights(stage: Stage) {
        let shop = office(stage).await;
        let made = Dossier::create(&shop.admin, dossier("one")).await.unwrap();
        let before = shop.stored("dossiers").await;
        let id = &made.id;
        let reason = Dossier::move_to_tenant(&shop.admin, id, globex()).await.unwrap_err();
        assert!(reason.is_configuration(), "{reason}");
        for name in ["leaver", "comer"] {
            let ctx = shop.acme(User::admin(name)).with_reason("because");
            let denied = Dossier::move_to_tenant(&ctx, id, globex()).await.unwrap_err();
            assert!(denied.is_forbidden(), "{name}: {denied}");
        }
        let stranger = shop.acme(User::admin("stranger")).with_reason("because");
        assert!(Dossier::move_to_tenant(&stranger, id, globex()).await.unwrap_err().is_not_found());
        let rival = shop.rival.clone().with_reason("mine now");
        assert!(Dossier::move_to_tenant(&rival, id, TenantId::new("initech").unwrap()).await.unwrap_err().is_not_found());
        let nowhere = Dossier::move_to_tenant(&mover(&shop), id, shop.admin.tenant().clone()).await.unwrap_err();
        assert!(nowhere.is_invalid(), "{nowhere}");
        assert_eq!(shop.stored("dossiers").await, before);
        assert!(shop.audit_log().await.is_empty());
        let job = shop.acme(User::admin("leaver")).dangerously_bypass_permissions("merged");
        Dossier::move_to_tenant(&job, id, globex()).await.unwrap();
        assert_eq!(shop.audit_log().await.len(), 2);
    }

    /// What the other tenant's documents keep apart, it has to keep apart.
    async fn unique_keys_hold_in_the_other_tenant(stage: Stage) {
        let shop = office(stage).await;
        let made = Dossier::create(&shop.admin, dossier("one")).await.unwrap();
        let mut theirs = dossier("two");
        let other = Dossier::create(&shop.rival, theirs.clone()).await.unwrap();
        let before = shop.stored("dossiers").await;
        let email = Dossier::move_to_tenant(&mover(&shop), &made.id, globex()).await.unwrap_err();
        assert!(email.is_duplicate(), "{email}");
        Dossier::delete(&shop.rival, &other.id).await.unwrap();
        theirs.name = "one".into();
        theirs.optional.email = None;
        Dossier::create(&shop.rival, theirs).await.unwrap();
        let name = Dossier::move_to_tenant(&mover(&shop), &made.id, globex()).await.unwrap_err();
        assert!(name.is_duplicate(), "{name}");
        assert_eq!(shop.stored("dossiers").await[0], before[0]);
        assert_eq!(revealed(&shop.admin, &made.id).await, "tok_1");
    }

    /// Nothing may refer to it from where it was; a family goes together, the children first.
    async fn references_do_not_cross(stage: Stage) {
        let shop = office(stage).await;
        let mut plain = NewDossier { name: "parent".into(), optional: Default::default() };
        let parent = Dossier::create(&shop.admin, plain.clone()).await.unwrap().id;
        plain.name = "child".into();
        plain.optional.parent = Some(Ref::to(&parent));
        let child = Dossier::create(&shop.admin, plain).await.unwrap().id;
        let refused = Dossier::move_to_tenant(&mover(&shop), &parent, globex()).await.unwrap_err();
        assert!(refused.is_refused(), "{refused}");
        assert_eq!(Dossier::query(&shop.admin).count().await.unwrap(), 2, "nothing went along");
        let both = (child.clone(), parent.clone());
        mover(&shop).transaction(|tx| {
            let (child, parent) = both.clone();
            async move {
                Dossier::move_to_tenant(&tx, &child, globex()).await?;
                Dossier::move_to_tenant(&tx, &parent, globex()).await
            }
        }).await.unwrap();
        let found = Dossier::fetch(&shop.rival, &child).await.unwrap();
        let parents = Dossier::populate(&shop.rival, [&found], |one| &one.parent).await.unwrap();
        assert_eq!(parents.get(found.parent.as_ref().unwrap()).unwrap().name, "parent");
        assert_eq!(Dossier::query(&shop.admin).count().await.unwrap(), 0);
    }

    /// What others have put into it stays in it; an older one arrives in the present version, and one that breaks a rule not.
    async fn it_keeps_what_it_has(stage: Stage) {
        let shop = office(stage).await;
        let at = bson::DateTime::from_millis(1_000);
        let old = doc! {
            "_id": "dos_1", "organization": "acme", "name": "old", "extra": { "of": "others" }, "accounts": [], "keys": {}, "created_at": at, "updated_at": at,
        };
        let mut broken = old.clone();
        broken.extend(doc! { "_id": "dos_2", "name": "much too long" });
        shop.store_raw("dossiers", old).await;
        shop.store_raw("dossiers", broken).await;
        let ids = ["dos_1", "dos_2"].map(|id| Id::<Dossier>::parse(id).unwrap());
        let moved = Dossier::move_to_tenant(&mover(&shop), &ids[0], globex()).await.unwrap();
        assert_eq!((moved.pages, moved.created_at.timestamp_millis()), (3, 1_000));
        let error = Dossier::move_to_tenant(&mover(&shop), &ids[1], globex()).await.unwrap_err();
        assert!(error.is_invalid() && error.violations()[0].path == "name", "{error}");
        let stored = shop.stored("dossiers").await;
        let there = stored.iter().find(|one| one.get("organization") == Some(&Bson::from("globex"))).unwrap();
        assert_eq!((there.get_document("extra").unwrap(), there.get_i32("_sv").unwrap()), (&doc! { "of": "others" }, 2));
        assert_eq!(stored.len(), 2);
    }

    /// A soft deletion leaves nothing behind here; what is marked as deleted does not go; an outbox has to be emptied first.
    async fn lives_and_outboxes(stage: Stage) {
        let shop = office(stage).await;
        let new = || NewBinder { name: "b".into() };
        let binder = Binder::create(&shop.admin, new()).await.unwrap();
        let made = shop.stored_one("binders").await;
        let moved = Binder::move_to_tenant(&mover(&shop), &binder.id, globex()).await.unwrap();
        assert_eq!((&moved.id, moved.organization), (&binder.id, globex()));
        let there = shop.stored_one("binders").await;
        assert_eq!((there.get("id"), there.get("_id")), (made.get("id"), made.get("_id")));
        assert!(!there.contains_key("_deleted_at"));
        let gone = Binder::create(&shop.admin, new()).await.unwrap().id;
        Binder::delete(&shop.admin, &gone).await.unwrap();
        assert!(Binder::move_to_tenant(&mover(&shop), &gone, globex()).await.unwrap_err().is_not_found());
        let parcel = Parcel::create(&shop.admin, NewParcel { text: "p".into(), optional: Default::default() }).await.unwrap();
        let error = Parcel::move_to_tenant(&mover(&shop), &parcel.id, globex()).await.unwrap_err();
        assert!(error.is_unsupported(), "{error}");
    }

    /// A secret that nobody can open goes nowhere.
    async fn a_planted_secret_does_not_go(stage: Stage) {
        let shop = office(stage).await;
        Dossier::create(&shop.admin, dossier("one")).await.unwrap();
        let mut planted = shop.stored_one("dossiers").await;
        planted.extend(doc! { "_id": "dos_9", "name": "planted" });
        planted.remove("_bi");
        shop.store_raw("dossiers", planted).await;
        let id = Id::<Dossier>::parse("dos_9").unwrap();
        let error = Dossier::move_to_tenant(&mover(&shop), &id, globex()).await.unwrap_err();
        assert!(error.is_crypto(), "{error}");
        assert_eq!(Dossier::query(&shop.rival).count().await.unwrap(), 0);
    }
}

async fn revealed(ctx: &Ctx, id: &Id<Dossier>) -> String {
    let read = Dossier::fetch(ctx, id).await.unwrap();
    read.token.unwrap().reveal(ctx).await.unwrap().expose().clone()
}
