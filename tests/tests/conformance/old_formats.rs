//! Encrypted fields that another system encrypted before, and the end of what is read of the time before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};

use bson::{Bson, Document, doc};
use model_core::ModelExt;
use model_core::crypto::{AesCbc, CryptoJs, Keyring, LibreChat, LocalKek};
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};

use crate::harness::{START, Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

const KEK: &str = "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89";
const KEY: &str = "8f1d3b5a7c9e0f2143658709badcfe1032547698badcfe0123456789abcdef01";
const IV: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const PLAIN: &str = "sk-live-canary 🔑";
/// From openssl and from Node, as in the vectors of `crypto`.
const V1: &str = "f57e3434e823130801db6b4fecf07ec254de24e58175904c7efd71815d443518";
const V2: &str =
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0:f57e3434e823130801db6b4fecf07ec254de24e58175904c7efd71815d443518";
const V3: &str = "v3:0f1e2d3c4b5a69788796a5b4c3d2e1f0:ddba237edc4c02cca659ef42b87976098b3ae4";
const PARAMS: &str = "U2FsdGVkX18BAgMEBQYHCEAFR15LJ6p0zQaan8nQ/0g/9bPy//Slbk7ldFqylVIBY9STB1mz46bNxif6d9p7ekb2MCbe50XvqkDJiVB73UQ=";

/// What a data source is reached by.
#[derive(Clone, PartialEq, Embedded)]
pub(crate) struct Params {
    pub(crate) user: String,
    pub(crate) port: i64,
    pub(crate) ssl: bool,
    pub(crate) hosts: Vec<String>,
}

/// A connection whose secrets come from two other systems.
#[derive(Clone, Model)]
#[model(collection = "connections", audit)]
pub(crate) struct Connection {
    #[model(id)]
    pub(crate) id: Id<Connection>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(
        old_format("librechat", until = "2026-12-31"),
        legacy_plaintext(until = "2026-06-30"),
        blind_index
    )]
    pub(crate) key: Option<Encrypted<String>>,
    #[model(old_format("growthbook"))]
    pub(crate) params: Option<Encrypted<Params>>,
    #[model(legacy_plaintext(until = "2026-06-30"))]
    pub(crate) stamps: Option<Encrypted<i64>>,
    pub(crate) extra: Option<Inner>,
    pub(crate) note: Option<String>,
}

/// A secret inside of another value.
#[derive(Clone, Embedded)]
pub(crate) struct Inner {
    #[model(old_format("librechat"))]
    pub(crate) keys: BTreeMap<String, Encrypted<String>>,
}

impl BaseModel for Connection {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// The bytes of the next id that another system gives.
static NEXT: AtomicU8 = AtomicU8::new(0);

struct Desk {
    db: Db,
    ctx: Ctx,
    clock: FixedClock,
}

impl Desk {
    async fn open(stage: Stage) -> Self {
        let clock = stage.clock.clone();
        let keyring = Keyring::builder()
            .realm("test")
            .wrapper(LocalKek::parse(KEK).unwrap())
            .old_format("librechat", LibreChat::new(KEY).unwrap().with_iv(IV).unwrap())
            .old_format("growthbook", CryptoJs::new("dev-encryption-key"))
            .build()
            .unwrap();
        let builder = stage.builder().keys(keyring).clock(clock.clone());
        let db = builder.model::<Connection>().build_lazy().unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        Self { db, ctx, clock }
    }

    /// A connection as another system stored it.
    async fn store(&self, fields: Document) -> Id<Connection> {
        let id = bson::oid::ObjectId::from_bytes([NEXT.fetch_add(1, Ordering::Relaxed); 12]);
        let mut document = doc! { "_id": id, "organization": "acme" };
        document.extend(fields);
        testing::store_raw(&self.db, "connections", &document)
            .await
            .unwrap();
        Id::parse(&id.to_hex()).unwrap()
    }

    async fn stored(&self, id: &Id<Connection>) -> Document {
        let all = testing::stored(&self.db, "connections").await.unwrap();
        let own = |found: &Document| found.get_object_id("_id").unwrap().to_hex() == id.to_string();
        all.into_iter().find(own).unwrap()
    }

    async fn key(&self, id: &Id<Connection>) -> Result<String> {
        let found = Connection::fetch(&self.ctx, id).await?;
        Ok(found.key.unwrap().reveal(&self.ctx).await?.expose().clone())
    }

    async fn touch(&self, id: &Id<Connection>) {
        let patch = ConnectionPatch {
            note: Set(Some("x".into())),
            ..Default::default()
        };
        Connection::update(&self.ctx, id, patch).await.unwrap();
    }

    fn job(&self) -> Ctx {
        self.ctx
            .dangerously_bypass_permissions("the move from another system")
    }
}

fn is_sealed(value: Option<&Bson>) -> bool {
    matches!(value, Some(Bson::Binary(binary)) if binary.bytes[0] == 0xE1 && u8::from(binary.subtype) == 8)
}

on_both_stores! {
    /// Each generation and plaintext is read as it is; the next write seals it, with its token; nothing of it is audited.
    async fn the_next_write_seals(stage: Stage) {
        let desk = Desk::open(stage).await;
        for (stored, plain) in [(V1, PLAIN), (V2, PLAIN), (V3, PLAIN), ("in the clear", "in the clear")] {
            let id = desk.store(doc! { "key": stored, "extra": { "keys": { "a": V3 } } }).await;
            assert_eq!(desk.key(&id).await.unwrap(), plain);
            let same = ConnectionPatch { note: Set(None), ..Default::default() };
            let updated = Connection::update(&desk.ctx, &id, same).await.unwrap();
            assert!(!format!("{updated:?}").contains(plain));
            assert_eq!(desk.stored(&id).await.get_str("key").unwrap(), stored, "nothing was written");
            desk.touch(&id).await;
            let document = desk.stored(&id).await;
            assert!(is_sealed(document.get("key")), "{document}");
            assert!(is_sealed(document.get_document("extra").unwrap().get_document("keys").unwrap().get("a")));
            assert_eq!(desk.key(&id).await.unwrap(), plain);
            let found = Connection::fetch(&desk.ctx, &id).await.unwrap();
            let inner = &found.extra.unwrap().keys["a"];
            assert_eq!(inner.reveal(&desk.ctx).await.unwrap().expose(), PLAIN);
            let count = Connection::query(&desk.ctx).filter(|c| c.key.eq(plain)).count().await.unwrap();
            assert_eq!(count, 1, "{stored}");
            let log = format!("{:?}", testing::stored(&desk.db, "audit_log").await.unwrap());
            assert!(!log.contains("canary") && !log.contains(V1) && !log.contains("in the clear"));
            assert!(Connection::delete(&desk.ctx, &id).await.unwrap());
        }
    }

    /// JSON of another system is a derived struct.
    async fn json_is_a_struct(stage: Stage) {
        let desk = Desk::open(stage).await;
        let id = desk.store(doc! { "params": PARAMS }).await;
        let expected = Params { user: "ada".into(), port: 5432, ssl: true, hosts: vec!["a".into(), "b".into()] };
        for touched in [false, true] {
            if touched {
                desk.touch(&id).await;
            }
            let found = Connection::fetch(&desk.ctx, &id).await.unwrap();
            assert_eq!(*found.params.unwrap().reveal(&desk.ctx).await.unwrap().expose(), expected);
            assert_eq!(is_sealed(desk.stored(&id).await.get("params")), touched);
        }
    }

    /// A verification run counts them, a batch seals them and makes their tokens, and lists what does not open.
    async fn a_batch_seals(stage: Stage) {
        let desk = Desk::open(stage).await;
        for key in [V1, V2, V3, "in the clear"] {
            desk.store(doc! { "key": key, "params": PARAMS }).await;
        }
        let broken = desk.store(doc! { "key": format!("{}00", &V2[..V2.len() - 2]) }).await;
        let job = desk.job();
        let before = Connection::reencrypt(&job).inspect().await.unwrap();
        assert_eq!((before.old_format, before.plaintext, before.current), (8, 1, 0));
        let done = Connection::reencrypt(&job).batch(2).await.unwrap();
        assert_eq!((done.rewritten, done.reindexed, done.failed.len()), (8, 4, 1), "{:?}", done.failed);
        let failed = &done.failed[0];
        assert_eq!((failed.path(), failed.is_crypto()), (Some("key"), true), "{failed}");
        assert!(failed.to_string().contains(&broken.to_string()) && failed.to_string().contains("old format"));
        let after = Connection::reencrypt(&job).inspect().await.unwrap();
        assert_eq!((after.old_format, after.plaintext, after.current), (1, 0, 8));
        let count = Connection::query(&desk.ctx).filter(|c| c.key.eq(PLAIN)).count().await.unwrap();
        assert_eq!(count, 3);
        let all = Connection::query(&desk.ctx).filter(|c| c.params.is_some()).await.unwrap();
        for found in all {
            assert_eq!(found.params.unwrap().reveal(&desk.ctx).await.unwrap().expose().port, 5432);
        }
    }

    /// What does not open is an error when it is asked for, stays as it is by a write of something else, and is replaced
    /// by a new value.
    async fn what_does_not_open_stays(stage: Stage) {
        let desk = Desk::open(stage).await;
        let broken = format!("{}00", &V2[..V2.len() - 2]);
        let id = desk.store(doc! { "key": &broken, "params": "no ciphertext" }).await;
        let error = desk.key(&id).await.unwrap_err();
        assert!(error.is_crypto() && error.path() == Some("key") && !error.to_string().contains(&broken), "{error}");
        let found = Connection::fetch(&desk.ctx, &id).await.unwrap();
        let error = found.params.unwrap().reveal(&desk.ctx).await.unwrap_err();
        assert!(error.is_crypto() && error.to_string().contains("neither sealed nor in the old format `growthbook`"), "{error}");
        desk.touch(&id).await;
        let document = desk.stored(&id).await;
        assert_eq!((document.get_str("key").unwrap(), document.get_str("params").unwrap()), (broken.as_str(), "no ciphertext"));
        let patch = ConnectionPatch { key: Set(Some(Secret::from("new"))), ..Default::default() };
        Connection::update(&desk.ctx, &id, patch).await.unwrap();
        assert_eq!(desk.key(&id).await.unwrap(), "new");
    }

    /// To the end of its last day something old is read; from the next instant on it is an error that says so, for reads and
    /// for batches, and it is never sealed.
    async fn the_end_of_a_term(stage: Stage) {
        let desk = Desk::open(stage).await;
        let plain = desk.store(doc! { "key": "in the clear" }).await;
        let number = desk.store(doc! { "stamps": 3_i64 }).await;
        let old = desk.store(doc! { "key": V2 }).await;
        let at = |instant: &str| {
            let goal = DateTime::parse_from_rfc3339(instant).unwrap();
            desk.clock.advance(goal.to_utc() - model_core::Clock::now(&desk.clock));
        };
        assert!(START < "2026-06-30");
        at("2026-06-30T23:59:59.999Z");
        assert_eq!(desk.key(&plain).await.unwrap(), "in the clear");
        assert!(Connection::get(&desk.ctx, &number).await.unwrap().is_some());
        at("2026-07-01T00:00:00Z");
        let error = Connection::fetch(&desk.ctx, &number).await.unwrap_err();
        assert!(error.is_decode() && error.path() == Some("stamps") && error.to_string().contains("until 2026-06-30"), "{error}");
        let error = desk.key(&plain).await.unwrap_err();
        assert!(error.is_crypto() && !error.to_string().contains("in the clear"), "{error}");
        assert_eq!(desk.key(&old).await.unwrap(), PLAIN);
        let patch = ConnectionPatch { note: Set(Some("x".into())), ..Default::default() };
        assert!(Connection::update(&desk.ctx, &number, patch.clone()).await.unwrap_err().is_decode());
        at("2027-01-01T00:00:00Z");
        for id in [&plain, &old] {
            let error = Connection::fetch(&desk.ctx, id).await.unwrap_err();
            assert!(error.is_decode() && error.to_string().contains("until 2026-12-31"), "{error}");
            assert!(Connection::update(&desk.ctx, id, patch.clone()).await.unwrap_err().is_decode());
        }
        let job = desk.job();
        let done = Connection::reencrypt(&job).await.unwrap();
        assert_eq!((done.rewritten, done.failed.len()), (0, 3), "{:?}", done.failed);
        let left = Connection::reencrypt(&job).inspect().await.unwrap();
        assert_eq!((left.old_format, left.plaintext), (1, 2));
    }
}

/// A field whose format the keyring does not have is refused at start-up.
#[tokio::test]
async fn a_missing_decoder_shows_at_start_up() {
    let builder = Db::memory().keys(testing::keyring().unwrap());
    let error = builder.model::<Connection>().build().await.unwrap_err();
    assert!(
        error.to_string().contains("`key`") && error.to_string().contains("old_format(\"librechat\""),
        "{error}"
    );
    let keyring = Keyring::builder()
        .realm("test")
        .wrapper(LocalKek::parse(KEK).unwrap())
        .old_format("librechat", AesCbc::new(&[7; 32]))
        .build();
    let builder = Db::memory().keys(keyring.unwrap());
    let error = builder.model::<Connection>().build().await.unwrap_err();
    assert!(
        !error.to_string().contains("librechat") && error.to_string().contains("growthbook"),
        "{error}"
    );
}
