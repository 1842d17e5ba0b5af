//! One model with everything that can be forgotten, and the two stores.

use std::sync::{Arc, Mutex};

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, SyncOptions};

use super::ID;
use super::singleton::Only;

/// What must be found nowhere but in the hands of who put it there.
pub(crate) const CANARY: &str = "canary-7f3a";
/// When the clock begins.
pub(crate) const START: &str = "2026-03-01T09:00:00Z";

/// The actor: what it may do.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

pub(crate) type Ctx = Context<User>;

/// A hook, and what it was shown.
pub(crate) type Call = (&'static str, Vec<Document>);

/// Hooks as they were called, each with what it was shown: the document, and for an update the one before.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub(crate) fn take(&self) -> Vec<&'static str> {
        self.take_shown().into_iter().map(|(hook, _)| hook).collect()
    }

    pub(crate) fn take_shown(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    pub(crate) fn call(ctx: &Ctx, hook: &'static str, shown: Vec<Document>) -> Result<()> {
        ctx.state::<Self>().unwrap().0.lock().unwrap().push((hook, shown));
        Ok(())
    }
}

/// What a hook sees of a document, as it is stored.
fn face(document: &Full) -> Document {
    doc! {
        ID: document.id.to_bson(),
        "name": &document.name,
        "tags": &document.tags,
        "updated_at": bson::DateTime::from_chrono(document.updated_at),
        "_rev": document.revision.to_string(),
    }
}

/// The same of what is stored.
pub(crate) fn stored_face(stored: &Document) -> Document {
    let mut face: Document = [ID, "name", "tags", "updated_at"]
        .into_iter()
        .map(|key| (key.to_owned(), stored.get(key).unwrap().clone()))
        .collect();
    face.insert("_rev", stored.get_i64("_rev").unwrap().to_string());
    face
}

with_its_id! {
/// Everything that can be forgotten.
#[derive(Clone, Model)]
#[model(
    collection = "full",
    version = 2,
    audit,
    soft_delete,
    index(key = text, language = "none"),
    seal(name, key, unsealed_until = "2026-12-31")
)]
pub(crate) struct Full {
    #[model(id)]
    pub(crate) id: Id<Full>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(trim, lowercase, len(1..=12))]
    pub(crate) name: String,
    #[model(unique, readonly)]
    pub(crate) key: String,
    #[model(default)]
    pub(crate) tags: Vec<String>,
    #[model(default = false)]
    pub(crate) closed: bool,
    #[model(hidden, default = 1)]
    pub(crate) score: i64,
    pub(crate) token: Option<Encrypted<String>>,
    pub(crate) password: Option<PasswordHash>,
    pub(crate) parent: Option<Ref<Full>>,
    pub(crate) embedding: Option<Vector<2>>,
    #[model(created_at)]
    pub(crate) created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub(crate) updated_at: DateTime<Utc>,
    #[model(revision)]
    pub(crate) revision: Revision,
}
}

impl BaseModel for Full {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().reads && self.name != "unreadable"
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().writes
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().writes
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().writes
    }

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Self::filter(|f| f.name.ne("out of scope"))
    }

    async fn before_create(ctx: &Ctx, document: &mut Self) -> Result<()> {
        document.tags = vec!["created".to_owned()];
        Calls::call(ctx, "before_create", vec![face(document)])
    }

    async fn after_create(ctx: &Ctx, document: &Self) -> Result<()> {
        Calls::call(ctx, "after_create", vec![face(document)])
    }

    async fn before_update(ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        change.after_mut().tags = vec!["updated".to_owned()];
        Calls::call(
            ctx,
            "before_update",
            vec![face(change.after()), face(change.before())],
        )
    }

    async fn after_update(ctx: &Ctx, change: &Change<Self>) -> Result<()> {
        Calls::call(
            ctx,
            "after_update",
            vec![face(change.after()), face(change.before())],
        )
    }

    async fn before_delete(ctx: &Ctx, document: &Self) -> Result<()> {
        Calls::call(ctx, "before_delete", vec![face(document)])
    }

    async fn after_delete(ctx: &Ctx, document: &Self) -> Result<()> {
        Calls::call(ctx, "after_delete", vec![face(document)])
    }

    /// Version 1 called the name `title`.
    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        if let Some(title) = document.remove("title") {
            document.insert("name", title);
        }
        Ok(document)
    }
}

/// A create input.
pub(crate) fn new_full(key: &str, name: &str) -> NewFull {
    NewFull {
        name: name.into(),
        key: key.into(),
        optional: NewFullOptional {
            token: Some(Secret::new(CANARY.to_owned())),
            password: Some(NewPassword::new(CANARY.to_owned()).unwrap()),
            ..Default::default()
        },
    }
}

/// A patch that names the document, and gives it new secrets.
pub(crate) fn rename(name: &str) -> FullPatch {
    FullPatch {
        name: Set(name.into()),
        token: Set(Some(Secret::new(CANARY.to_owned()))),
        password: Set(Some(NewPassword::new(CANARY.to_owned()).unwrap())),
        ..Default::default()
    }
}

/// A handle, and who uses it.
pub(crate) struct Stage {
    pub(crate) db: Db,
    pub(crate) clock: FixedClock,
    pub(crate) calls: Calls,
    pub(crate) admin: Ctx,
}

impl Stage {
    /// One on each store.
    pub(crate) async fn both() -> [Self; 2] {
        let mongo = Db::mongo(model_tests::server::fresh_database().await);
        [Self::over(Db::memory()).await, Self::over(mongo).await]
    }

    async fn over(builder: DbBuilder) -> Self {
        let (clock, calls) = (FixedClock::at(START), Calls::default());
        let (policy, limits) = testing::fast_passwords();
        let db = builder
            .keys(testing::keyring().unwrap())
            .clock(clock.clone())
            .passwords(policy, limits)
            .state(calls.clone())
            .model::<Full>()
            .model::<Only>()
            .build_lazy()
            .unwrap();
        // The embedded store searches without an index, and holds none of words.
        let synced = db.sync_indexes(SyncOptions::default()).await;
        assert!(synced.as_ref().is_ok() || synced.is_err_and(|error| error.is_unsupported()));
        let admin = db.context(
            TenantId::new("acme").unwrap(),
            User {
                reads: true,
                writes: true,
            },
        );
        Self {
            db,
            clock,
            calls,
            admin,
        }
    }

    pub(crate) fn acme(&self, reads: bool, writes: bool) -> Ctx {
        self.db
            .context(TenantId::new("acme").unwrap(), User { reads, writes })
    }

    pub(crate) fn rival(&self) -> Ctx {
        self.db.context(
            TenantId::new("globex").unwrap(),
            User {
                reads: true,
                writes: true,
            },
        )
    }

    pub(crate) async fn stored(&self) -> Vec<Document> {
        testing::stored(&self.db, "full").await.unwrap()
    }

    pub(crate) async fn stored_key(&self, key: &str) -> Option<Document> {
        let all = self.stored().await;
        all.into_iter()
            .find(|one| one.get_str("key").is_ok_and(|found| found == key))
    }

    pub(crate) async fn log(&self) -> Vec<Document> {
        testing::stored(&self.db, "audit_log").await.unwrap()
    }

    /// A document that another client wrote.
    pub(crate) async fn store_raw(&self, document: &Document) {
        testing::store_raw(&self.db, "full", document).await.unwrap();
    }
}

/// Whether a secret lies open in it, in whatever form.
pub(crate) fn leaks(document: &Document) -> bool {
    let bytes = document.to_vec().unwrap();
    bytes
        .windows(CANARY.len())
        .any(|window| window == CANARY.as_bytes())
}

/// Whether the encrypted field is an envelope.
pub(crate) fn is_sealed(document: &Document, field: &str) -> bool {
    matches!(document.get(field), Some(Bson::Binary(binary)) if u8::from(binary.subtype) == 8)
}
