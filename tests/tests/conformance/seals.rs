//! Seals of documents: what a writer of the database without keys may try on fields that are stored in the clear.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bson::{Bson, Document, doc};
use chrono::TimeDelta;
use model_core::crypto::{Candidate, KeyState, Purpose, Verdict};
use model_core::prelude::*;
use model_core::testing;
use model_core::{Confirm, ModelExt, SyncOptions};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// What somebody may do, part by part.
#[derive(Clone, Embedded)]
struct Grants {
    level: i64,
    #[model(default)]
    areas: Vec<String>,
}

/// How often a policy was asked.
#[derive(Clone, Default)]
struct Asked(Arc<AtomicUsize>);

/// Somebody, whose role is in the clear and nobody's to change but the application's.
#[derive(Clone, Model)]
#[model(collection = "staff", audit, soft_delete, seal(role, grants))]
struct Staff {
    #[model(id)]
    id: Id<Staff>,
    #[model(tenant)]
    organization: TenantId,
    #[model(rename = "r")]
    role: String,
    grants: Grants,
    name: Option<String>,
    #[model(blind_index(unique, normalize = "email"))]
    email: Option<Encrypted<String>>,
    #[model(default)]
    tokens: Vec<Token>,
    password: Option<PasswordHash>,
    visits: Option<i64>,
    #[model(revision)]
    revision: Revision,
}

#[derive(Clone, Embedded)]
struct Token {
    id: String,
    secret: Encrypted<String>,
}

impl BaseModel for Staff {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        if let Some(asked) = ctx.state::<Asked>() {
            asked.0.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Filter::all()
    }
}

/// Before anybody thought of a seal.
#[derive(Clone, Model)]
#[model(collection = "guests")]
struct OldGuest {
    #[model(id)]
    id: Id<OldGuest>,
    #[model(tenant)]
    organization: TenantId,
    role: String,
    note: Option<String>,
}

impl BaseModel for OldGuest {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// The same documents later.
#[derive(Clone, Model)]
#[model(collection = "guests", version = 2, seal(role, unsealed_until = "2026-03-31"))]
struct Guest {
    #[model(id)]
    id: Id<Guest>,
    #[model(tenant)]
    organization: TenantId,
    role: String,
    note: Option<String>,
}

impl BaseModel for Guest {
    type Actor = User;

    open_policy!(Self, Ctx);

    fn migrate(document: Document, _info: &MigrateInfo) -> Result<Document> {
        Ok(document)
    }
}

/// And with one field more under the seal.
#[derive(Clone, Model)]
#[model(
    collection = "guests",
    version = 2,
    seal(role, note, unsealed_until = "2026-03-31")
)]
struct WiderGuest {
    #[model(id)]
    id: Id<WiderGuest>,
    #[model(tenant)]
    organization: TenantId,
    role: String,
    note: Option<String>,
}

impl BaseModel for WiderGuest {
    type Actor = User;

    open_policy!(Self, Ctx);

    fn migrate(document: Document, _info: &MigrateInfo) -> Result<Document> {
        Ok(document)
    }
}

/// Its entries wait inside the document, its seal is over nothing but what every seal is over.
#[derive(Clone, Model)]
#[model(collection = "badges", global, audit(outbox), seal)]
struct Badge {
    #[model(id)]
    id: Id<Badge>,
    owner: String,
    code: Encrypted<String>,
}

impl BaseModel for Badge {
    type Actor = User;

    fn can_read(&self, _ctx: &GlobalContext<User>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &GlobalContext<User>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &GlobalContext<User>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &GlobalContext<User>) -> bool {
        true
    }
}

struct Office {
    db: Db,
    clock: testing::FixedClock,
    asked: Asked,
    admin: Context<User>,
    rival: Context<User>,
}

async fn office(stage: Stage) -> Office {
    let (clock, asked) = (stage.clock.clone(), Asked::default());
    let (policy, limits) = testing::fast_passwords();
    let db = stage
        .builder()
        .keys(testing::keyring().unwrap())
        .clock(clock.clone())
        .passwords(policy, limits)
        .state(asked.clone())
        .model::<Staff>()
        .model::<Badge>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    Office::over(db, clock, asked)
}

impl Office {
    fn over(db: Db, clock: testing::FixedClock, asked: Asked) -> Self {
        Self {
            admin: db.context(TenantId::new("acme").unwrap(), User::admin("ada")),
            rival: db.context(TenantId::new("globex").unwrap(), User::admin("rita")),
            db,
            clock,
            asked,
        }
    }

    /// Another release of the application over the same database.
    async fn release(&self, more: impl FnOnce(model_core::DbBuilder) -> model_core::DbBuilder) -> Self {
        let builder = testing::another_process(&self.db).keys(testing::keyring().unwrap());
        let db = more(builder.clock(self.clock.clone())).build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        Self::over(db, self.clock.clone(), self.asked.clone())
    }

    fn job(&self) -> Context<User> {
        self.admin.dangerously_bypass_permissions("seals")
    }

    async fn hire(&self, name: &str) -> Staff {
        let optional = NewStaffOptional {
            name: Some(name.into()),
            email: Some(Secret::from(format!("{name}@example.com"))),
            tokens: Some(vec![Token {
                id: "a".into(),
                secret: Encrypted::new("token"),
            }]),
            password: Some(NewPassword::new("correct horse".to_owned()).unwrap()),
            ..Default::default()
        };
        let grants = Grants {
            level: 1,
            areas: vec!["desk".into()],
        };
        let new = NewStaff {
            role: "clerk".into(),
            grants,
            optional,
        };
        Staff::create(&self.admin, new).await.unwrap()
    }

    async fn stored(&self, collection: &'static str) -> Vec<Document> {
        testing::stored(&self.db, collection).await.unwrap()
    }

    async fn one(&self, staff: &Staff) -> Document {
        let id = staff.id.to_string();
        let all = self.stored("staff").await;
        all.into_iter()
            .find(|found| found.get_object_id("_id").unwrap().to_hex() == id)
            .unwrap()
    }

    /// Puts a document in the place of a stored one, as a writer without keys can.
    async fn put(&self, staff: &Staff, document: Document) {
        assert!(Staff::purge(&self.job(), &staff.id).await.unwrap());
        testing::store_raw(&self.db, "staff", &document).await.unwrap();
    }

    async fn raise(&self, staff: &Staff, level: i64) -> Result<Staff> {
        let patch = StaffPatch {
            grants: Merge(GrantsPatch {
                level: Set(level),
                ..Default::default()
            }),
            ..Default::default()
        };
        Staff::update(&self.admin, &staff.id, patch).await
    }

    /// That every document of the tenant has a seal that holds.
    async fn all_hold(&self, expected: u64) {
        let found = Staff::reencrypt(&self.job()).inspect().await.unwrap();
        let seals = (
            found.scanned,
            found.broken_seals,
            found.unsealed,
            found.outdated_seals,
        );
        assert_eq!(seals, (expected, 0, 0, 0));
        let read = Staff::check_stored(&self.job()).await.unwrap();
        assert_eq!(
            (read.scanned, read.unreadable),
            (expected, 0),
            "{:?}",
            read.errors
        );
    }
}

/// What somebody does to a stored document, by its name.
type Edit = (&'static str, Box<dyn Fn(&mut Document)>);

fn is_broken(error: &model_core::Error) -> bool {
    let said = error.to_string();
    error.is_crypto() && error.path() == Some("_seal") && said.contains("seal")
}

fn secret(bytes: Vec<u8>) -> Bson {
    Bson::Binary(bson::Binary {
        subtype: bson::spec::BinarySubtype::Sensitive,
        bytes,
    })
}

fn binary(document: &Document, field: &str) -> Vec<u8> {
    match document.get(field) {
        Some(Bson::Binary(binary)) => binary.bytes.clone(),
        other => panic!("{field}: {other:?}"),
    }
}

on_both_stores! {
    /// 21: whatever a writer of the database changes below the seal, no read gives it out and no policy is asked about it.
    async fn what_was_altered_is_not_read(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let other = office.hire("bob").await;
        let good = office.one(&staff).await;
        let strange = office.one(&other).await;
        assert_eq!(binary(&good, "_seal").len(), 58);
        let edits: Vec<Edit> = vec![
            ("role", Box::new(|stored| { stored.insert("r", "owner"); })),
            ("part of a listed field", Box::new(|stored| {
                stored.get_document_mut("grants").unwrap().insert("level", 9_i64);
            })),
            ("number's type", Box::new(|stored| {
                stored.get_document_mut("grants").unwrap().insert("level", 1_i32);
            })),
            ("element of a listed field", Box::new(|stored| {
                let grants = stored.get_document_mut("grants").unwrap();
                grants.get_array_mut("areas").unwrap().push("vault".into());
            })),
            ("unknown part of a listed field", Box::new(|stored| {
                stored.get_document_mut("grants").unwrap().insert("root", true);
            })),
            ("tenant", Box::new(|stored| { stored.insert("organization", "globex"); })),
            ("revision", Box::new(|stored| {
                let revision = stored.get_i64("_rev").unwrap();
                stored.insert("_rev", revision + 1);
            })),
            ("version", Box::new(|stored| { stored.insert("_sv", 1_i32); })),
            ("a secret taken away", Box::new(|stored| { stored.remove("email"); })),
            ("a token taken away", Box::new(|stored| { stored.remove("_bi"); })),
            ("an element taken away", Box::new(|stored| { stored.insert("tokens", Vec::<Bson>::new()); })),
            ("other tokens", Box::new(|stored| {
                stored.insert("_bi", doc! { "email": [secret(vec![1; 17])] });
            })),
            ("no seal", Box::new(|stored| { stored.remove("_seal"); })),
            ("another's seal", { let theirs = strange.get("_seal").cloned().unwrap();
                Box::new(move |stored| { stored.insert("_seal", theirs.clone()); }) }),
            ("a seal of nothing", Box::new(|stored| { stored.insert("_seal", secret(Vec::new())); })),
            ("a seal that is none", Box::new(|stored| { stored.insert("_seal", "seal"); })),
            ("a seal over other fields", Box::new(|stored| {
                let mut seal = binary(stored, "_seal");
                seal[20] ^= 1;
                stored.insert("_seal", secret(seal));
            })),
        ];
        let seen: BTreeSet<_> = edits.iter().map(|(name, _)| *name).collect();
        assert_eq!(seen.len(), edits.len());
        for (name, edit) in edits {
            let mut altered = good.clone();
            edit(&mut altered);
            office.put(&staff, altered).await;
            let ctx = if name == "tenant" { &office.rival } else { &office.admin };
            office.asked.0.store(0, Ordering::Relaxed);
            let error = Staff::get(ctx, &staff.id).await.map(drop).unwrap_err();
            assert!(is_broken(&error), "{name}: {error}");
            assert_eq!((error.model(), error.id()), (Some("Staff"), Some(staff.id.to_string().as_str())), "{name}");
            assert!(!error.to_string().contains("owner"), "{name}: {error}");
            let listed = Staff::query(ctx).filter(|s| s.id.eq(&staff.id)).await.map(drop);
            assert!(is_broken(&listed.unwrap_err()), "{name}");
            let patch = StaffPatch { visits: Set(Some(1)), ..Default::default() };
            assert!(is_broken(&Staff::update(ctx, &staff.id, patch).await.map(drop).unwrap_err()), "{name}");
            assert!(is_broken(&Staff::delete(ctx, &staff.id).await.unwrap_err()), "{name}");
            assert_eq!(office.asked.0.load(Ordering::Relaxed), 0, "{name}");
            let job = ctx.dangerously_bypass_permissions("look");
            let found = Staff::reencrypt(&job).inspect().await.unwrap();
            let unsealed = u64::from(["no seal", "a seal over other fields"].contains(&name));
            assert_eq!((found.broken_seals, found.unsealed), (1 - unsealed, unsealed), "{name}");
            assert_eq!(Staff::check_stored(&job).await.unwrap().unreadable, 1, "{name}");
            let run = Staff::reencrypt(&job).await.unwrap();
            assert_eq!((run.failed.len(), run.resealed), (1, 0), "{name}");
            assert!(is_broken(&run.failed[0]), "{name}");
            // Who removes it has to be able to.
            assert!(Staff::purge(&job, &staff.id).await.unwrap());
            testing::store_raw(&office.db, "staff", &good).await.unwrap();
        }
        assert_eq!(Staff::fetch(&office.admin, &staff.id).await.unwrap().role, "clerk");
        office.all_hold(2).await;
    }

    /// Its soft deletion, which takes a bypass, gives a broken document no new seal, and nothing brings it back.
    async fn a_deletion_vouches_for_nothing(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let mut altered = office.one(&staff).await;
        altered.insert("r", "owner");
        office.put(&staff, altered).await;
        assert!(Staff::delete(&office.job(), &staff.id).await.unwrap());
        assert!(office.one(&staff).await.contains_key("_deleted_at"));
        assert!(is_broken(&Staff::restore(&office.job(), &staff.id).await.unwrap_err()));
        assert_eq!(Staff::reencrypt(&office.job()).inspect().await.unwrap().broken_seals, 1);
        assert!(Staff::purge(&office.job(), &staff.id).await.unwrap());
        assert!(office.stored("staff").await.is_empty());
    }

    /// What is not under the seal is another client's to change, and so is the order of keys.
    async fn what_is_not_sealed_is_free(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let good = office.one(&staff).await;
        let mut other = doc! { "_id": good.get_object_id("_id").unwrap() };
        let mut rest: Vec<_> = good.clone().into_iter().filter(|(key, _)| key != "_id").collect();
        rest.reverse();
        other.extend(rest);
        let grants = other.get_document_mut("grants").unwrap();
        *grants = doc! { "areas": grants.get_array("areas").unwrap().clone(), "level": 1_i64 };
        other.insert("name", "Ada of another client");
        other.insert("stray", doc! { "anything": 1 });
        office.put(&staff, other).await;
        let found = Staff::fetch(&office.admin, &staff.id).await.unwrap();
        assert_eq!(found.name.as_deref(), Some("Ada of another client"));
        // What another client left as it was, an update leaves too, and seals as it stands.
        let raised = office.raise(&staff, 2).await.unwrap();
        assert_eq!((raised.grants.level, raised.grants.areas.as_slice()), (2, &["desk".to_owned()][..]));
        assert_eq!(office.one(&staff).await.get_document("grants").unwrap().keys().next().unwrap(), "areas");
        office.all_hold(1).await;
    }

    /// 20: a ciphertext of the same document and field, put back, opens by itself; under a seal the document is not read.
    /// 22: the whole document as it was is read: there is nothing to tell it by.
    async fn an_older_value_is_not_put_back(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let before = office.one(&staff).await;
        let patch = StaffPatch { email: Set(Some(Secret::from("new@example.com"))), ..Default::default() };
        Staff::update(&office.admin, &staff.id, patch).await.unwrap();
        let after = office.one(&staff).await;
        let mut replayed = after.clone();
        replayed.insert("email", before.get("email").cloned().unwrap());
        office.put(&staff, replayed.clone()).await;
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
        replayed.insert("_seal", before.get("_seal").cloned().unwrap());
        office.put(&staff, replayed).await;
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
        let mut password = after.clone();
        password.insert("password", before.get("email").cloned().unwrap());
        office.put(&staff, password).await;
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
        office.put(&staff, before).await;
        let found = Staff::fetch(&office.admin, &staff.id).await.unwrap();
        assert_eq!(found.email.unwrap().reveal(&office.admin).await.unwrap().expose(), "ada@example.com");
    }

    /// Every way of writing leaves a seal that holds.
    async fn every_write_seals(stage: Stage) {
        let office = office(stage).await;
        let ctx = &office.admin;
        let staff = office.hire("ada").await;
        let grants = || Grants { level: 1, areas: Vec::new() };
        let new = |role: &str| NewStaff { role: role.into(), grants: grants(), optional: Default::default() };
        let many = Staff::create_many(ctx, vec![new("a"), new("b"), new("c")]).await.unwrap();
        office.all_hold(4).await;
        office.raise(&staff, 3).await.unwrap();
        office.all_hold(4).await;
        let one = Staff::update_with(ctx, &staff.id, |s| s.visits.inc(1).and(s.grants.areas.push("hall")));
        one.await.unwrap();
        office.all_hold(4).await;
        let shout = |s: &Staff| Ok(Some(StaffPatch { role: Set(format!("{}!", s.role)), ..Default::default() }));
        Staff::modify(ctx, &staff.id, shout).await.unwrap();
        office.all_hold(4).await;
        let patch = StaffPatch { name: Set(Some("everyone".into())), ..Default::default() };
        Staff::update_many(ctx, |s| s.grants.level.gte(1), patch).await.unwrap();
        office.all_hold(4).await;
        let patch = StaffPatch { name: Set(None), email: Set(None), ..Default::default() };
        Staff::update(ctx, &staff.id, patch).await.unwrap();
        office.all_hold(4).await;
        Staff::bulk(ctx)
            .create(new("d"))
            .update(many[0].id.clone(), StaffPatch { role: Set("bulk".into()), ..Default::default() })
            .delete(many[1].id.clone())
            .await
            .unwrap();
        office.all_hold(5).await;
        assert!(Staff::restore(ctx, &many[1].id).await.unwrap());
        office.all_hold(5).await;
        ctx.transaction(|tx| {
            let id = many[2].id.clone();
            async move {
                let patch = StaffPatch { role: Set("tx".into()), ..Default::default() };
                Staff::update(&tx, &id, patch).await?;
                let patch = StaffPatch { visits: Set(Some(4)), ..Default::default() };
                Staff::update(&tx, &id, patch).await
            }
        })
        .await
        .unwrap();
        office.all_hold(5).await;
        assert!(Staff::delete(ctx, &many[2].id).await.unwrap());
        office.all_hold(5).await;
        let mut revived = office.one(&many[2]).await;
        revived.remove("_deleted_at");
        office.put(&many[2], revived).await;
        assert!(is_broken(&Staff::get(ctx, &many[2].id).await.map(drop).unwrap_err()), "a mark taken away");
    }

    /// A login that replaces a hash seals the document anew, from a context without a tenant, and moves no revision.
    async fn a_login_keeps_the_seal(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let stronger = model_core::crypto::HashPolicy { memory_kib: 128, passes: 1, ..Default::default() };
        let limits = model_core::crypto::Limits::for_policy(&stronger);
        let later = office.release(|builder| builder.passwords(stronger, limits).model::<Staff>().model::<Badge>()).await;
        let door = later.db.global_context(User::admin("door"));
        let hash = staff.password.as_ref();
        let verdict = door.verify_and_upgrade(hash, &Candidate::new("correct horse".to_owned())).await.unwrap();
        assert_eq!(verdict, Verdict::Match { needs_rehash: false });
        office.all_hold(1).await;
        assert_eq!(Staff::fetch(&office.admin, &staff.id).await.unwrap().revision, staff.revision);
        // A document whose seal is broken gets no new one that way.
        let mut altered = office.one(&staff).await;
        let found = Staff::fetch(&office.admin, &staff.id).await.unwrap();
        altered.insert("r", "owner");
        office.put(&staff, altered).await;
        let stronger = model_core::crypto::HashPolicy { memory_kib: 256, passes: 1, ..Default::default() };
        let limits = model_core::crypto::Limits::for_policy(&stronger);
        let later = office.release(|builder| builder.passwords(stronger, limits).model::<Staff>().model::<Badge>()).await;
        let door = later.db.global_context(User::admin("door"));
        let typed = Candidate::new("correct horse".to_owned());
        let verdict = door.verify_and_upgrade(found.password.as_ref(), &typed).await;
        assert_eq!(verdict.unwrap(), Verdict::Match { needs_rehash: true });
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
    }

    /// Under a new key, a write and a batch seal anew; without the old one nothing under it is read, and it can be removed.
    async fn keys_of_seals_rotate(stage: Stage) {
        let office = office(stage).await;
        let (ada, bob) = (office.hire("ada").await, office.hire("bob").await);
        let revision = Staff::fetch(&office.admin, &bob.id).await.unwrap().revision;
        let acme = TenantId::new("acme").unwrap();
        let keys = office.db.keys(ActorIdentity::system("rotation"));
        let new = keys.stage(Purpose::Seal, Some(&acme)).await.unwrap();
        office.clock.advance(TimeDelta::minutes(15));
        keys.promote(new).await.unwrap();
        let found = Staff::reencrypt(&office.job()).inspect().await.unwrap();
        assert_eq!((found.outdated_seals, found.broken_seals), (2, 0));
        office.raise(&ada, 2).await.unwrap();
        let found = Staff::reencrypt(&office.job()).inspect().await.unwrap();
        assert_eq!(found.outdated_seals, 1);
        let run = Staff::reencrypt(&office.job()).await.unwrap();
        assert_eq!((run.scanned, run.resealed, run.rewritten, run.raced, run.failed.len()), (2, 1, 0, 0, 0));
        office.all_hold(2).await;
        assert_eq!(Staff::fetch(&office.admin, &bob.id).await.unwrap().revision, revision);
        assert_eq!(&binary(&office.one(&bob).await, "_seal")[2..18], new.as_bytes());
        // All kinds of keys at once.
        for purpose in [Purpose::Enc, Purpose::BlindIndex, Purpose::Seal] {
            let key = keys.stage(purpose, Some(&acme)).await.unwrap();
            office.clock.advance(TimeDelta::minutes(15));
            keys.promote(key).await.unwrap();
        }
        let run = Staff::reencrypt(&office.job()).await.unwrap();
        assert_eq!((run.resealed, run.rewritten, run.reindexed, run.failed.len()), (2, 6, 2, 0));
        office.all_hold(2).await;
        let found = Staff::query(&office.admin).filter(|s| s.email.eq("BOB@example.com")).await.unwrap();
        assert_eq!(found.len(), 1);
        let old = keys.status(Some(&acme)).await.unwrap();
        for old in old.iter().filter(|key| key.purpose == Purpose::Seal && key.state == KeyState::DecryptOnly) {
            keys.disable(old.id).await.unwrap();
        }
        office.all_hold(2).await;
        keys.shred(&acme, Confirm::CryptoShred).await.unwrap();
        let error = Staff::get(&office.admin, &ada.id).await.map(drop).unwrap_err();
        assert!(error.is_crypto() && error.to_string().contains("destroyed"), "{error}");
        assert!(Staff::purge(&office.job(), &ada.id).await.unwrap());
    }

    /// Writers, readers, logins and re-encryptions at once: no error, and every seal holds in the end.
    async fn seals_under_load(stage: Stage) {
        let office = office(stage).await;
        let mut all = Vec::new();
        for number in 0..4 {
            all.push(office.hire(&format!("staff{number}")).await);
        }
        let acme = TenantId::new("acme").unwrap();
        let keys = office.db.keys(ActorIdentity::system("rotation"));
        let (office, all) = (&office, &all);
        let writers = all.iter().map(|staff| async move {
            for round in 0..12 {
                let next = |_: &Staff| Ok(Some(StaffPatch {
                    role: Set(format!("role {round}")),
                    email: Set(Some(Secret::from(format!("{}-{round}@example.com", staff.id)))),
                    ..Default::default()
                }));
                Staff::modify(&office.admin, &staff.id, next).await.unwrap();
                assert_eq!(Staff::fetch(&office.admin, &staff.id).await.unwrap().role, format!("role {round}"));
            }
        });
        let rotations = async {
            for purpose in [Purpose::Seal, Purpose::Enc, Purpose::Seal, Purpose::BlindIndex] {
                let key = keys.stage(purpose, Some(&acme)).await.unwrap();
                office.clock.advance(TimeDelta::minutes(15));
                keys.promote(key).await.unwrap();
                let done = Staff::reencrypt(&office.job()).batch(3).await.unwrap();
                assert!(done.failed.is_empty(), "{:?}", done.failed);
            }
        };
        futures_util::future::join(futures_util::future::join_all(writers), rotations).await;
        let done = Staff::reencrypt(&office.job()).await.unwrap();
        assert_eq!((done.raced, done.failed.len()), (0, 0));
        office.all_hold(4).await;
        for staff in Staff::query(&office.admin).await.unwrap() {
            assert_eq!(staff.role, "role 11");
        }
    }

    /// A document from before the seal is read until that day; a write, a migration and a batch seal it.
    async fn older_documents_are_sealed(stage: Stage) {
        let office = office(stage).await;
        let before = office.release(|builder| builder.model::<OldGuest>()).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            let new = NewOldGuest { role: "guest".into(), optional: Default::default() };
            ids.push(OldGuest::create(&before.admin, new).await.unwrap().id.to_string());
        }
        let guest = |at: usize| Id::<Guest>::parse(&ids[at]).unwrap();
        let after = office.release(|builder| builder.model::<Guest>()).await;
        assert_eq!(Guest::query(&after.admin).await.unwrap().len(), 4);
        let sealed = || async {
            let all = office.stored("guests").await;
            all.iter().filter(|found| found.contains_key("_seal")).count()
        };
        let patch = GuestPatch { note: Set(Some("written".into())), ..Default::default() };
        Guest::update(&after.admin, &guest(0), patch).await.unwrap();
        assert_eq!(sealed().await, 1);
        let migrated = Guest::migrate_all(&after.job()).batch(2).await.unwrap();
        assert!(migrated.complete, "{migrated}");
        assert_eq!(sealed().await, 4);
        // One that an older program writes still.
        let new = NewOldGuest { role: "late".into(), optional: Default::default() };
        OldGuest::create(&before.admin, new).await.unwrap();
        let found = Guest::reencrypt(&after.job()).inspect().await.unwrap();
        assert_eq!((found.unsealed, found.broken_seals), (1, 0));
        let run = Guest::reencrypt(&after.job()).await.unwrap();
        assert_eq!((run.resealed, run.failed.len()), (1, 0));
        assert_eq!(sealed().await, 5);
        // A longer list of fields makes every seal one over other fields.
        let wider = office.release(|builder| builder.model::<WiderGuest>()).await;
        assert_eq!(WiderGuest::query(&wider.admin).await.unwrap().len(), 5);
        let found = WiderGuest::reencrypt(&wider.job()).inspect().await.unwrap();
        assert_eq!((found.unsealed, found.broken_seals), (5, 0));
        assert_eq!(WiderGuest::reencrypt(&wider.job()).batch(2).await.unwrap().resealed, 5);
        // After that day a document has a seal, or is not read.
        let new = NewOldGuest { role: "late".into(), optional: Default::default() };
        let late = OldGuest::create(&before.admin, new).await.unwrap();
        let late = Id::<WiderGuest>::parse(&late.id.to_string()).unwrap();
        assert!(WiderGuest::get(&wider.admin, &late).await.unwrap().is_some());
        office.clock.advance(TimeDelta::days(31));
        assert!(is_broken(&WiderGuest::get(&wider.admin, &late).await.map(drop).unwrap_err()));
        let run = WiderGuest::reencrypt(&wider.job()).await.unwrap();
        assert_eq!((run.resealed, run.failed.len()), (0, 1));
        assert_eq!(WiderGuest::query(&wider.admin).filter(|g| g.role.eq("guest")).await.unwrap().len(), 4);
    }

    /// A projection comes whole and is checked; what the server alone computes is as it is stored.
    async fn reads_of_parts(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let mut altered = office.one(&staff).await;
        altered.insert("r", "owner");
        office.put(&staff, altered).await;
        let ctx = &office.admin;
        assert!(is_broken(&Staff::query(ctx).select::<NameOnly>().await.map(drop).unwrap_err()));
        assert!(is_broken(&Staff::query(ctx).page(5, None).await.map(drop).unwrap_err()));
        assert!(is_broken(&Staff::get_many(ctx, std::slice::from_ref(&staff.id)).await.map(drop).unwrap_err()));
        assert!(is_broken(&Staff::query(ctx).count().await.unwrap_err()), "counted by reading");
        let job = office.job();
        assert_eq!(Staff::query(&job).count().await.unwrap(), 1, "the server's count");
        assert!(is_broken(&Staff::query(&job).await.map(drop).unwrap_err()), "a bypass trusts no more");
    }

    /// The relay takes entries out of a sealed document, whose seal still holds.
    async fn an_outbox_is_beside_the_seal(stage: Stage) {
        let office = office(stage).await;
        let ctx = office.db.global_context(User::admin("ada"));
        let new = NewBadge { owner: "ada".into(), code: Secret::from("code") };
        let badge = Badge::create(&ctx, new).await.unwrap();
        let patch = BadgePatch { owner: Set("bob".into()), ..Default::default() };
        Badge::update(&ctx, &badge.id, patch).await.unwrap();
        assert_eq!(office.db.relay_outbox().await.unwrap(), 2);
        assert_eq!(Badge::fetch(&ctx, &badge.id).await.unwrap().owner, "bob");
        let mut stored = office.stored("badges").await.remove(0);
        stored.insert("owner", "eve");
        assert!(Badge::delete(&ctx, &badge.id).await.unwrap());
        assert_eq!(office.db.relay_outbox().await.unwrap(), 1);
        testing::store_raw(&office.db, "badges", &stored).await.unwrap();
        assert_eq!(Badge::fetch(&ctx, &badge.id).await.unwrap().owner, "eve", "not listed");
        let job = ctx.dangerously_bypass_permissions("look");
        assert_eq!(Badge::reencrypt(&job).inspect().await.unwrap().broken_seals, 0);
    }
}

/// A part of somebody.
#[derive(Projection)]
#[projection(of = Staff)]
struct NameOnly {
    name: Option<String>,
}
