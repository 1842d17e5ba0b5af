//! The database handle.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures_util::future::FutureExt;
use tokio::sync::OnceCell;

use crate::audit::{ActorIdentity, AuditSink};
use crate::crypto::{HashPolicy, Keyring, Limits, PasswordHasher, Peppers};
use crate::engine::{self, AuditTarget, Clock, Graph, Ports, Registered, Settled, State, SystemClock};
use crate::error::{Error, ErrorKind, Result};
use crate::keys::Keys;
use crate::lifecycle::{self, CollectionPlan, IndexPlan, Manifest, SyncIndexes, SyncOptions, ValidatorPlan};
use crate::model::registered;
use crate::policy::{Actor, BaseModel, Context, GlobalContext, Registry};
use crate::schema::ModelSchema;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::value::TenantId;

/// A handle of one database: the store, the models, the keys. It is cheap to clone.
///
/// ```
/// # async fn example() -> model_core::Result<()> {
/// use model_core::Db;
/// let db = Db::memory().build().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Db(Arc<Ports>);

impl Db {
    /// A database in the process's own memory: for examples, for the tests of a service.
    pub fn memory() -> DbBuilder {
        DbBuilder::new(Arc::new(MemoryStore::new()))
    }

    /// A MongoDB database. Nothing connects before `build()`.
    #[cfg(feature = "mongo")]
    pub fn mongo(database: mongodb::Database) -> DbBuilder {
        DbBuilder::new(Arc::new(crate::store::mongo::MongoStore::new(database)))
    }

    /// The context of a tenant and an actor.
    pub fn context<A: Actor>(&self, tenant: impl Into<TenantId>, actor: A) -> Context<A> {
        Context::new(self.global_context(actor), tenant.into())
    }

    /// The context of an actor before the tenant is known: it reaches global models only.
    pub fn global_context<A: Actor>(&self, actor: A) -> GlobalContext<A> {
        GlobalContext::new(Arc::clone(&self.0), actor)
    }

    /// The data keys, for those who administer them; `actor` stands in the audit log.
    pub fn keys(&self, actor: ActorIdentity) -> Keys {
        Keys::new(Arc::clone(&self.0), actor)
    }

    /// The registered models.
    ///
    /// ```
    /// # async fn example() -> model_core::Result<()> {
    /// let db = model_core::Db::memory().build().await?;
    /// assert!(db.models().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn models(&self) -> &[&'static ModelSchema] {
        &self.0.models
    }

    /// What [`sync_indexes`](Self::sync_indexes) would do.
    ///
    /// # Errors
    /// `Unavailable` and `Store`.
    pub async fn plan_indexes(&self) -> Result<IndexPlan> {
        lifecycle::plan(&self.0.collections(), &*self.0.store).await
    }

    /// Creates the declared indexes that are missing, changes in place what can be (times to live, hidden or not), and
    /// then drops those that a declared one `replaces`. It drops nothing else unless told.
    ///
    /// ```
    /// # async fn example(db: model_core::Db) -> model_core::Result<()> {
    /// use model_core::{SyncEvent, SyncOptions};
    /// println!("{}", db.plan_indexes().await?);
    /// let report = db
    ///     .sync_indexes(SyncOptions::new().drop_extra(true))
    ///     .on_progress(|event| {
    ///         if let SyncEvent::Begun { step, number, of } = event {
    ///             println!("{number}/{of} {step}");
    ///         }
    ///     })
    ///     .await?;
    /// # let _ = report;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Duplicate` if documents stand in the way of a unique index: the message names some of them by their ids. The
    /// other indexes are built all the same.
    pub fn sync_indexes(&self, options: SyncOptions) -> SyncIndexes<'_> {
        SyncIndexes::new(&self.0, options)
    }

    /// Refuses indexes that are not exactly as declared, and changes nothing: for a job in CI, or before a release.
    ///
    /// # Errors
    /// `Configuration` with the plan in the message; `Unavailable` and `Store`.
    pub async fn check_indexes(&self) -> Result<()> {
        lifecycle::refuse_drift(&self.plan_indexes().await?)
    }

    /// All registered models as a text for version control: see [`Manifest`].
    ///
    /// ```
    /// # async fn example(db: model_core::Db) {
    /// println!("{}", db.manifest());
    /// # }
    /// ```
    pub fn manifest(&self) -> Manifest {
        Manifest::of(&self.0.models)
    }

    /// What [`sync_validators`](Self::sync_validators) would do.
    ///
    /// # Errors
    /// `Unsupported` on the embedded store, if a model declares a validator; `Unavailable` and `Store`.
    pub async fn plan_validators(&self) -> Result<ValidatorPlan> {
        lifecycle::plan_validators(&self.0.models, &*self.0.store).await
    }

    /// Sets the validators of the models that declare one, made of the same metadata as everything else: the server
    /// then refuses what another client writes wrongly. Those that others have set on other collections stay.
    ///
    /// ```
    /// # async fn example(db: model_core::Db) -> model_core::Result<()> {
    /// println!("{}", db.plan_validators().await?);
    /// db.sync_validators().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`plan_validators`](Self::plan_validators).
    pub async fn sync_validators(&self) -> Result<ValidatorPlan> {
        let plan = self.plan_validators().await?;
        lifecycle::sync_validators(&plan, &*self.0.store).await?;
        Ok(plan)
    }

    /// Refuses validators that are not exactly as declared, and changes nothing.
    ///
    /// # Errors
    /// `Configuration` with the plan in the message; and as [`plan_validators`](Self::plan_validators).
    pub async fn check_validators(&self) -> Result<()> {
        lifecycle::refuse_validator_drift(&self.plan_validators().await?)
    }

    /// What [`sync_collections`](Self::sync_collections) would do.
    ///
    /// # Errors
    /// `Unavailable` and `Store`.
    pub async fn plan_collections(&self) -> Result<CollectionPlan> {
        lifecycle::plan_collections(&self.0.models, &*self.0.store).await
    }

    /// Makes the collections as their models need them, apart from indexes and validators: those of models that say `watch` keep
    /// what was before each change, which costs the server a second write for each. Time series and capped collections are made,
    /// and options of theirs changed where the server can change them; what it cannot is left, and
    /// [`check_collections`](Self::check_collections) tells. What others have set stays.
    ///
    /// ```
    /// # async fn example(db: model_core::Db) -> model_core::Result<()> {
    /// println!("{}", db.plan_collections().await?);
    /// db.sync_collections().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Unavailable` and `Store`; what was done before stays.
    pub async fn sync_collections(&self) -> Result<CollectionPlan> {
        let plan = self.plan_collections().await?;
        lifecycle::sync_collections(&plan, &*self.0.store).await?;
        Ok(plan)
    }

    /// Refuses collections that are not as their models need them, and changes nothing.
    ///
    /// # Errors
    /// `Configuration` with the plan in the message; `Unavailable` and `Store`.
    pub async fn check_collections(&self) -> Result<()> {
        lifecycle::refuse_collection_drift(&self.plan_collections().await?)
    }

    /// Moves the audit entries that wait inside of documents (models with `audit(outbox)`, of every tenant) into the audit log,
    /// or to the application's own sink, and removes documents whose deletion waited for that; how many entries it moved.
    /// Call it regularly, from one place or several: an entry reaches the audit collection once, a sink at least once.
    ///
    /// # Errors
    /// Those of the store and of the sink; what was not moved waits for the next call.
    pub async fn relay_outbox(&self) -> Result<u64> {
        self.0.abilities().await?;
        let mut moved = 0;
        for schema in self.0.models.iter().filter(|schema| schema.has_outbox()) {
            moved += engine::relay(&self.0, schema).await?;
        }
        Ok(moved)
    }

    /// The builder of another handle over the same store, as another process has one.
    #[cfg(feature = "testing")]
    pub(crate) fn sibling(&self) -> DbBuilder {
        DbBuilder::new(Arc::clone(&self.0.store))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn ports(&self) -> &Ports {
        &self.0
    }
}

/// Collects what a database handle works with.
#[must_use = "a database handle is made by `build()`"]
pub struct DbBuilder {
    store: Arc<dyn Store>,
    keyring: Option<Keyring>,
    passwords: (HashPolicy, Limits),
    peppers: Peppers,
    clock: Arc<dyn Clock>,
    audit: AuditTarget,
    chained: bool,
    state: State,
    models: Vec<&'static ModelSchema>,
    registered: Vec<Registered>,
}

impl fmt::Debug for DbBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbBuilder")
            .field("store", &self.store.name())
            .finish_non_exhaustive()
    }
}

impl DbBuilder {
    fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            keyring: None,
            passwords: (HashPolicy::default(), Limits::default()),
            peppers: Peppers::none(),
            clock: Arc::new(SystemClock),
            audit: AuditTarget::Collection,
            chained: false,
            state: State::default(),
            models: Vec::new(),
            registered: Vec::new(),
        }
    }

    /// Registers a model: only registered models are reached, since `build()` checks them.
    pub fn model<M: BaseModel>(mut self) -> Self {
        if !self.models.iter().any(|known| std::ptr::eq(*known, M::schema())) {
            self.models.push(M::schema());
            self.registered.push(registered::<M>());
        }
        self
    }

    /// The keys of encrypted fields.
    pub fn keys(mut self, keyring: Keyring) -> Self {
        self.keyring = Some(keyring);
        self
    }

    /// How passwords are hashed, and how many at once.
    pub fn passwords(mut self, policy: HashPolicy, limits: Limits) -> Self {
        self.passwords = (policy, limits);
        self
    }

    /// Secrets that are mixed into every password.
    pub fn peppers(mut self, peppers: Peppers) -> Self {
        self.peppers = peppers;
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sends audit entries to a sink of the application's own, after the write, instead of writing them in the same
    /// transaction into the collection `audit_log`.
    pub fn audit_to(mut self, sink: impl AuditSink + 'static) -> Self {
        self.audit = AuditTarget::Sink(Arc::new(sink));
        self
    }

    /// Links the entries of the audit collection by hashes, a chain for each tenant, so that none can be changed or taken
    /// out unseen: see [`AuditLog::verify_chain`](crate::AuditLog::verify_chain). Audited writes of one tenant then wait for each
    /// other. It needs transactions.
    pub fn audit_chain(mut self) -> Self {
        self.chained = true;
        self
    }

    /// A piece of the application's own state, found by its type with `ctx.state::<T>()`.
    pub fn state<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.state.insert(value);
        self
    }

    /// Makes the handle without asking the server: the checks run with the first operation.
    ///
    /// # Errors
    /// `Configuration`: a declaration is wrong, or an encrypted model has no keyring.
    pub fn build_lazy(self) -> Result<Db> {
        lifecycle::check_schemas(&self.models, self.keyring.as_ref())?;
        self.check_keys()?;
        let (policy, limits) = self.passwords;
        let hasher = PasswordHasher::with_peppers(policy, limits, self.peppers)?;
        Ok(Db(Arc::new(Ports {
            store: self.store,
            keyring: self.keyring,
            hasher,
            clock: self.clock,
            audit: self.audit,
            chained: self.chained,
            state: self.state,
            models: self.models,
            graph: Graph::new(self.registered),
            settled: Settled::default(),
            check: |ports| lifecycle::check(ports).boxed(),
            checked: OnceCell::new(),
        })))
    }

    /// Makes the handle and checks it against the server: its abilities, and that every declared unique index is there. It
    /// changes nothing there (the embedded store, which nobody else can prepare, gets its indexes).
    ///
    /// On an empty database, make the indexes first: `build_lazy()`, then [`Db::sync_indexes`].
    ///
    /// # Errors
    /// `Configuration` with what to do; `Unsupported` if the server lacks what a model needs; `Unavailable` if it
    /// does not answer.
    pub async fn build(self) -> Result<Db> {
        let db = self.build_lazy()?;
        db.0.checked.get_or_try_init(|| lifecycle::check(&db.0)).await?;
        Ok(db)
    }

    fn check_keys(&self) -> Result<()> {
        let needs = self.models.iter().find(|schema| schema.needs_keyring());
        match (needs, &self.keyring) {
            (Some(schema), None) => Err(Error::new(
                ErrorKind::Configuration,
                "the model has encrypted fields, but there is no keyring: give the handle one with `.keys(...)`",
            )
            .at_model(schema.name, "build")),
            _ => Ok(()),
        }
    }
}

impl<A: Actor> Registry<A> for DbBuilder {
    fn model<M: BaseModel<Actor = A>>(self) -> Self {
        Self::model::<M>(self)
    }
}
