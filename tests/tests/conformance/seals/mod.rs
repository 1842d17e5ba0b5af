//! Seals of documents: what a writer of the database without keys may try on fields that are stored in the clear.

mod altered;
mod keys;
mod written;

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

/// A part of somebody.
#[derive(Projection)]
#[projection(of = Staff)]
struct NameOnly {
    name: Option<String>,
}
