//! The models of the suite.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use model_core::DbBuilder;
use model_core::prelude::*;
use tokio::sync::Barrier;

/// The actor of the suite.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) admin: bool,
    pub(crate) reads: Vec<Id<Project>>,
    pub(crate) edits: Vec<Id<Project>>,
}

impl User {
    pub(crate) fn admin(name: &str) -> Self {
        Self {
            name: name.into(),
            admin: true,
            reads: vec![],
            edits: vec![],
        }
    }

    /// May read and edit these projects.
    pub(crate) fn editor(name: &str, projects: &[&str]) -> Self {
        let projects: Vec<_> = projects.iter().map(|id| Id::parse(id).unwrap()).collect();
        Self {
            name: name.into(),
            admin: false,
            reads: projects.clone(),
            edits: projects,
        }
    }

    /// May read these projects.
    pub(crate) fn viewer(name: &str, projects: &[&str]) -> Self {
        Self {
            edits: vec![],
            ..Self::editor(name, projects)
        }
    }

    fn sees(&self, project: &Id<Project>) -> bool {
        self.admin || self.reads.contains(project)
    }

    fn can_edit(&self, project: &Id<Project>) -> bool {
        self.admin || self.edits.contains(project)
    }
}

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(&self.name)
    }

    fn can_read_audit_log(&self) -> bool {
        self.admin
    }
}

pub(crate) type Ctx = Context<User>;

/// All models of the suite.
pub(crate) fn register(builder: DbBuilder) -> DbBuilder {
    builder
        .model::<Project>()
        .model::<Widget>()
        .model::<Hooked>()
        .model::<Member>()
        .model::<Plan>()
        .model::<Note>()
        .model::<Task>()
        .model::<Settings>()
        .model::<Event>()
        .model::<ApiKey>()
        .model::<Patient>()
        .model::<Vault>()
        .model::<Letter>()
        .model::<Parcel>()
        .model::<crate::fields::Employee>()
        .model::<crate::hooks::Motion>()
        .model::<crate::composite::Metric>()
        .model::<crate::operators::Basket>()
        .model::<crate::outside::Ticket>()
}

/// A policy that lets admins do everything and everybody read.
macro_rules! open_policy {
    ($model:ty, $ctx:ty) => {
        fn can_read(&self, _ctx: &$ctx) -> bool {
            true
        }

        fn can_create(&self, ctx: &$ctx) -> bool {
            ctx.actor().admin
        }

        fn can_update(&self, ctx: &$ctx, _after: &Self) -> bool {
            ctx.actor().admin
        }

        fn can_delete(&self, ctx: &$ctx) -> bool {
            ctx.actor().admin
        }
    };
}

pub(crate) use open_policy;

/// A project of one tenant: exact read scope, unique name.
#[derive(Clone, Model)]
#[model(collection = "projects", id_prefix = "prj_")]
pub(crate) struct Project {
    #[model(id)]
    pub(crate) id: Id<Project>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(trim, unique)]
    pub(crate) name: String,
}

impl BaseModel for Project {
    type Actor = User;

    const READ_SCOPE: ReadScope = ReadScope::Exact;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().sees(&self.id)
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().can_edit(&self.id)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        if ctx.actor().admin {
            Filter::all()
        } else {
            Self::filter(|p| p.id.in_(&ctx.actor().reads))
        }
    }
}

/// An embedded struct with rules, a default and a hidden part.
#[derive(Clone, PartialEq, Embedded)]
pub(crate) struct Limits {
    #[model(range(0..=1000))]
    pub(crate) daily: u32,
    #[model(default = 7)]
    pub(crate) weekly: u32,
    #[model(hidden)]
    pub(crate) secret_note: Option<String>,
}

impl Limits {
    pub(crate) fn new(daily: u32, weekly: u32) -> Self {
        Self {
            daily,
            weekly,
            secret_note: None,
        }
    }
}

/// The widget of the design: audited, encrypted, migrated from version 1.
#[derive(Clone, Model)]
#[model(collection = "widgets", id_prefix = "wgt_", version = 2, audit(entity = "widget", name = name))]
#[model(index(project, enabled), index(created_at = desc))]
pub(crate) struct Widget {
    #[model(id)]
    pub(crate) id: Id<Widget>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(readonly)]
    pub(crate) project: Id<Project>,
    #[model(trim, len(3..=80))]
    pub(crate) name: String,
    pub(crate) note: Option<String>,
    #[model(default = false)]
    pub(crate) enabled: bool,
    #[model(hidden, default = 0.0)]
    pub(crate) internal_score: f64,
    pub(crate) limits: Limits,
    pub(crate) token: Option<Encrypted<String>>,
    #[model(created_at)]
    pub(crate) created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub(crate) updated_at: DateTime<Utc>,
    #[model(revision)]
    pub(crate) revision: Revision,
}

impl BaseModel for Widget {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().sees(&self.project)
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().can_edit(&self.project)
    }

    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        ctx.actor().can_edit(&self.project) && ctx.actor().can_edit(&after.project)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    async fn before_create(ctx: &Ctx, _document: &mut Self) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }

    async fn before_update(ctx: &Ctx, _change: &mut Change<Self>) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }

    async fn before_delete(ctx: &Ctx, _document: &Self) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }

    /// Version 1 called the name `title` and had no limits.
    fn migrate(mut document: Document, info: &MigrateInfo) -> Result<Document> {
        assert_eq!((info.stored_version, info.current_version), (1, 2));
        if let Some(title) = document.remove("title") {
            document.insert("name", title);
        }
        if !document.contains_key("limits") {
            document.insert("limits", bson::doc! { "daily": 10, "weekly": 20 });
        }
        Ok(document)
    }
}

/// A create input for a widget.
pub(crate) fn new_widget(project: &str, name: &str) -> NewWidget {
    NewWidget {
        project: Id::parse(project).unwrap(),
        name: name.into(),
        limits: Limits::new(5, 50),
        optional: NewWidgetOptional::default(),
    }
}

/// What the hooks of [`Hooked`] did and are to do, in the application's state.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Arc<Mutex<HookState>>);

#[derive(Default)]
struct HookState {
    calls: Vec<String>,
    fail: Option<&'static str>,
    meeting: Option<(Arc<Barrier>, usize)>,
    rival: Option<Rival>,
}

/// What another writer does.
type Rival = Box<dyn FnOnce(Ctx) -> BoxFuture<'static, ()> + Send>;

impl Hooks {
    /// Takes the calls since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// Lets the named hook fail, until told otherwise.
    pub(crate) fn fail(&self, hook: Option<&'static str>) {
        self.0.lock().unwrap().fail = hook;
    }

    /// Lets the next `racers` writes wait for each other between what they have read and what they write.
    pub(crate) fn meet(&self, racers: usize) {
        self.0.lock().unwrap().meeting = Some((Arc::new(Barrier::new(racers)), racers));
    }

    /// Lets another writer be first at the next write, once that has read.
    pub(crate) fn let_first<F: Future<Output = ()> + Send + 'static>(
        &self,
        rival: impl FnOnce(Ctx) -> F + Send + 'static,
    ) {
        self.0.lock().unwrap().rival = Some(Box::new(|ctx| Box::pin(rival(ctx))));
    }

    /// A before-hook's part in a race, if there is one.
    pub(crate) async fn race(ctx: &Ctx) {
        let Some(hooks) = ctx.state::<Self>() else { return };
        let (barrier, rival) = {
            let mut state = hooks.0.lock().unwrap();
            let barrier = match &mut state.meeting {
                Some((barrier, to_come)) if *to_come > 0 => {
                    *to_come -= 1;
                    Some(barrier.clone())
                }
                _ => None,
            };
            (barrier, state.rival.take())
        };
        if let Some(barrier) = barrier {
            let met = tokio::time::timeout(Duration::from_secs(60), barrier.wait());
            met.await.expect("every racer has read before one writes");
        }
        if let Some(rival) = rival {
            rival(ctx.clone()).await;
        }
    }

    pub(crate) fn call(ctx: &Ctx, hook: &'static str, what: &str) -> Result<()> {
        let hooks = ctx.state::<Self>().unwrap();
        let mut state = hooks.0.lock().unwrap();
        state.calls.push(format!("{hook}({what})"));
        if state.fail == Some(hook) {
            Err(Error::refused(format!("{hook} refuses")))
        } else {
            Ok(())
        }
    }
}

/// A model whose hooks tell what they see, and change what they may.
#[derive(Clone, Model)]
#[model(collection = "hooked", audit)]
pub(crate) struct Hooked {
    #[model(id)]
    pub(crate) id: Id<Hooked>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(trim, len(..=20))]
    pub(crate) name: String,
    #[model(default)]
    pub(crate) slug: String,
    #[model(created_at)]
    pub(crate) created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub(crate) updated_at: DateTime<Utc>,
}

impl BaseModel for Hooked {
    type Actor = User;

    open_policy!(Self, Ctx);

    async fn validate(&self, _ctx: &Ctx) -> Result<()> {
        if self.slug == self.name && self.name != "same" {
            return Err(Error::violation("slug", "differs", "must differ from the name"));
        }
        Ok(())
    }

    async fn before_create(ctx: &Ctx, document: &mut Self) -> Result<()> {
        Hooks::call(ctx, "before_create", &document.name)?;
        document.slug = format!("  {}-slug", document.name);
        document.organization = TenantId::new("globex")?;
        document.created_at = DateTime::UNIX_EPOCH;
        if document.name == "twist" {
            document.name = "a name that is much too long for it".into();
        }
        Ok(())
    }

    async fn after_create(ctx: &Ctx, document: &Self) -> Result<()> {
        Hooks::call(
            ctx,
            "after_create",
            &format!("{} {}", document.name, document.slug),
        )
    }

    async fn before_update(ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        Hooks::call(
            ctx,
            "before_update",
            &format!("{} -> {}", change.before().name, change.after().name),
        )?;
        Hooks::race(ctx).await;
        let slug = format!("{}-slug", change.after().name);
        change.after_mut().slug = slug;
        change.after_mut().organization = TenantId::new("globex")?;
        Ok(())
    }

    async fn after_update(ctx: &Ctx, change: &Change<Self>) -> Result<()> {
        Hooks::call(
            ctx,
            "after_update",
            &format!("{} -> {}", change.before().slug, change.after().slug),
        )
    }

    async fn before_delete(ctx: &Ctx, document: &Self) -> Result<()> {
        Hooks::call(ctx, "before_delete", &document.name)?;
        Hooks::race(ctx).await;
        Ok(())
    }

    async fn after_delete(ctx: &Ctx, document: &Self) -> Result<()> {
        Hooks::call(ctx, "after_delete", &document.name)
    }
}

/// A user of one tenant who signs in before the tenant is known.
#[derive(Clone, Model)]
#[model(collection = "members", id = uuid)]
pub(crate) struct Member {
    #[model(id)]
    pub(crate) id: Id<Member>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(trim, lowercase, email, unique(global))]
    pub(crate) email: String,
    pub(crate) password: PasswordHash,
}

impl BaseModel for Member {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// A global model.
#[derive(Clone, Model)]
#[model(collection = "plans", id = string, global, audit)]
pub(crate) struct Plan {
    #[model(id)]
    pub(crate) id: Id<Plan>,
    #[model(unique)]
    pub(crate) code: String,
    #[model(default = 1)]
    pub(crate) seats: i64,
}

impl BaseModel for Plan {
    type Actor = User;

    open_policy!(Self, GlobalContext<User>);
}

/// Where a note came from: set once; what nobody sees.
#[derive(Clone, PartialEq, Embedded)]
pub(crate) struct Source {
    pub(crate) label: String,
    #[model(readonly)]
    pub(crate) external: Option<String>,
    #[model(hidden, default = 1)]
    pub(crate) weight: i32,
}

/// Not audited, with fields that do not count.
#[derive(Clone, Model)]
#[model(collection = "notes", rename_all = "camelCase")]
pub(crate) struct Note {
    #[model(id)]
    pub(crate) id: Id<Note>,
    #[model(tenant)]
    pub(crate) org_id: TenantId,
    pub(crate) text: String,
    #[model(skip_updated_at, default = 0)]
    pub(crate) view_count: i64,
    #[model(default)]
    pub(crate) tags: Vec<String>,
    #[model(default)]
    pub(crate) labels: BTreeMap<String, i32>,
    pub(crate) source: Option<Source>,
    #[model(default)]
    pub(crate) sources: Vec<Source>,
    #[model(updated_at)]
    pub(crate) changed_at: Option<DateTime<Utc>>,
}

impl BaseModel for Note {
    type Actor = User;

    open_policy!(Self, Ctx);

    async fn before_update(ctx: &Ctx, _change: &mut Change<Self>) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }
}

/// A queue entry in a collection that other kinds share: softly deleted, with a base filter and a write scope.
#[derive(Clone, Model)]
#[model(collection = "tasks", id_prefix = "tsk_", soft_delete, audit(entity = "task"))]
#[model(index(project, number, unique))]
pub(crate) struct Task {
    #[model(id)]
    pub(crate) id: Id<Task>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) project: Id<Project>,
    pub(crate) number: i32,
    #[model(default = "task")]
    pub(crate) kind: String,
    pub(crate) worker: Option<String>,
    #[model(default = 0)]
    pub(crate) runs: i32,
    #[model(created_at)]
    pub(crate) created_at: DateTime<Utc>,
}

impl BaseModel for Task {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().sees(&self.project)
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

    fn base_filter() -> Filter<Self> {
        Self::filter(|t| t.kind.eq("task"))
    }

    async fn before_create(ctx: &Ctx, _document: &mut Self) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }

    async fn before_update(ctx: &Ctx, _change: &mut Change<Self>) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }

    fn write_scope(ctx: &Ctx) -> Filter<Self> {
        if ctx.actor().admin {
            Filter::all()
        } else {
            Self::filter(|t| t.project.in_(&ctx.actor().edits))
        }
    }
}

/// A create input for a task.
pub(crate) fn new_task(project: &str, number: i32) -> NewTask {
    NewTask {
        project: Id::parse(project).unwrap(),
        number,
        optional: NewTaskOptional::default(),
    }
}

/// One for each tenant.
#[derive(Clone, Model)]
#[model(collection = "settings", singleton)]
pub(crate) struct Settings {
    #[model(id)]
    pub(crate) id: Id<Settings>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(default = 20)]
    pub(crate) page_size: i32,
}

impl BaseModel for Settings {
    type Actor = User;

    open_policy!(Self, Ctx);

    async fn before_create(ctx: &Ctx, _document: &mut Self) -> Result<()> {
        Hooks::race(ctx).await;
        Ok(())
    }
}

/// What happened: never changed.
#[derive(Clone, Model)]
#[model(collection = "events", append_only)]
pub(crate) struct Event {
    #[model(id)]
    pub(crate) id: Id<Event>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) what: String,
}

impl BaseModel for Event {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// Its audit entries wait inside the document.
#[derive(Clone, Model)]
#[model(collection = "parcels", audit(outbox))]
pub(crate) struct Parcel {
    #[model(id)]
    pub(crate) id: Id<Parcel>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) text: String,
    pub(crate) secret: Option<Encrypted<String>>,
}

impl BaseModel for Parcel {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// What is kept of the tokens that a service hands out.
#[derive(Clone, Model)]
#[model(collection = "api_keys", audit)]
pub(crate) struct ApiKey {
    #[model(id)]
    pub(crate) id: Id<ApiKey>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) label: String,
    #[model(unique(global))]
    pub(crate) secret: TokenDigest,
    #[model(unique(global))]
    pub(crate) reset: Option<TokenDigest>,
}

impl BaseModel for ApiKey {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// Found by what nobody can read.
#[derive(Clone, Model)]
#[model(collection = "patients", audit)]
pub(crate) struct Patient {
    #[model(id)]
    pub(crate) id: Id<Patient>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(trim, blind_index(unique, normalize = "email"))]
    pub(crate) email: Option<Encrypted<String>>,
    #[model(blind_index(unique, scope = "global"))]
    pub(crate) login: Option<Encrypted<String>>,
    #[model(rename = "tel", blind_index(normalize = "digits"))]
    pub(crate) phone: Encrypted<String>,
    #[model(blind_index(allow_low_entropy))]
    pub(crate) insured: Option<Encrypted<bool>>,
    pub(crate) note: Option<String>,
}

impl BaseModel for Patient {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// An account elsewhere: an element with secrets begins with its id.
#[derive(Clone, Embedded)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) token: Encrypted<String>,
    #[model(default)]
    pub(crate) answers: BTreeMap<String, Encrypted<String>>,
}

impl Account {
    pub(crate) fn new(id: &str, token: &str) -> Self {
        Self {
            id: id.into(),
            label: id.to_uppercase(),
            token: Encrypted::new(token),
            answers: BTreeMap::from([(
                "pet".to_owned(),
                Encrypted::new(format!("{token}'s cat").as_str()),
            )]),
        }
    }
}

/// Secrets in arrays and maps.
#[derive(Clone, Model)]
#[model(collection = "vaults", audit)]
pub(crate) struct Vault {
    #[model(id)]
    pub(crate) id: Id<Vault>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(default)]
    pub(crate) accounts: Vec<Account>,
    #[model(default)]
    pub(crate) keys: BTreeMap<String, Encrypted<String>>,
    pub(crate) note: Option<String>,
}

impl BaseModel for Vault {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// Fields that were in the clear once, or hide their length.
#[derive(Clone, Model)]
#[model(collection = "letters", audit)]
pub(crate) struct Letter {
    #[model(id)]
    pub(crate) id: Id<Letter>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(pad = 64)]
    pub(crate) text: Encrypted<String>,
    #[model(legacy_plaintext, blind_index)]
    pub(crate) sender: Option<Encrypted<String>>,
    #[model(legacy_plaintext)]
    pub(crate) stamps: Option<Encrypted<i64>>,
    pub(crate) note: Option<String>,
}

impl BaseModel for Letter {
    type Actor = User;

    open_policy!(Self, Ctx);
}
