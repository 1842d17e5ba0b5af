//! The migration of the old documents, and what holds of the new ones, on both stores.

use ai_platform::legacy::{self, sample};
use ai_platform::*;
use bson::oid::ObjectId;
use bson::{Document, doc};
use example_support::on_both_stores;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, Scored, Steps, SyncOptions};

struct App {
    db: Db,
    service: Door,
    tenant: Tenant,
}

/// The old database, stepped aside and not migrated yet.
async fn old(builder: DbBuilder) -> App {
    let (policy, limits) = testing::fast_passwords();
    let db = register(builder)
        .keys(testing::keyring().unwrap())
        .clock(FixedClock::at("2026-03-01T09:00:00Z"))
        .passwords(policy, limits)
        .build_lazy()
        .unwrap();
    for (collection, document) in sample::documents() {
        testing::store_raw(&db, collection, &document).await.unwrap();
    }
    let service = db.global_context(Person::Service);
    let job = service.dangerously_bypass_permissions("migration");
    legacy::step_aside().run(&job).await.unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.check_indexes().await.unwrap();
    let tenant = tenant(&service, "first").await;
    App { db, service, tenant }
}

/// The new system, with all that was in the old one.
async fn open(builder: DbBuilder) -> App {
    let app = old(builder).await;
    app.migrate().await;
    app
}

async fn tenant(service: &Door, subdomain: &str) -> Tenant {
    let new = NewTenant {
        name: subdomain.into(),
        subdomain: subdomain.into(),
        optional: Default::default(),
    };
    Tenant::create(service, new).await.unwrap()
}

impl App {
    fn job(&self) -> Door {
        self.service.dangerously_bypass_permissions("migration")
    }

    async fn migrate(&self) -> Vec<model_core::StepReport> {
        let steps = legacy::into_tenant(&self.tenant.id);
        steps.run(&self.job()).await.unwrap()
    }

    async fn stored(&self, collection: &'static str) -> Vec<Document> {
        testing::stored(&self.db, collection).await.unwrap()
    }

    async fn ada(&self) -> Ctx {
        let ada = User::find_unique(&self.service, |u| u.email.lookup("ada@example.com"))
            .await
            .unwrap()
            .unwrap();
        self.db.context(&self.tenant.id, Person::of(&ada))
    }

    async fn user(&self, tenant: &Tenant, email: &str, role: Role) -> Ctx {
        let new = NewUser {
            email: email.into(),
            optional: NewUserOptional {
                role: Some(role),
                ..Default::default()
            },
        };
        let user = User::create(&self.service.enter(&tenant.id), new).await.unwrap();
        self.db.context(&tenant.id, Person::of(&user))
    }
}

/// A text's place among all texts: towards one side, and a little towards the next.
fn embedding(side: usize, aside: f32) -> Embedding {
    let mut numbers = vec![0.0; 1536];
    (numbers[side], numbers[side + 1]) = (1.0, aside);
    numbers.try_into().unwrap()
}

/// A piece of a file that the actor owns.
async fn chunk(ctx: &Ctx, content: &str, embedding: Option<Embedding>) -> Id<DocumentChunk> {
    let own = ctx.actor().id().unwrap();
    let file = NewFile {
        user_id: own.into(),
        filename: "notes.txt".into(),
        original_name: "notes.txt".into(),
        mime_type: "text/plain".into(),
        size: 1,
        storage_provider: "local".into(),
        storage_key: "notes.txt".into(),
        url: "/files/notes.txt".into(),
        optional: Default::default(),
    };
    let new = NewDocumentChunk {
        file_id: File::create(ctx, file).await.unwrap().id.into(),
        user_id: own.into(),
        content: content.into(),
        optional: NewDocumentChunkOptional {
            embedding,
            ..Default::default()
        },
    };
    DocumentChunk::create(ctx, new).await.unwrap().id
}

/// Says it in a conversation of one's own, and remembers it.
async fn say(ctx: &Ctx, content: &str) -> Message {
    let own = ctx.actor().id().unwrap();
    let new = NewConversation {
        user_id: own.into(),
        provider: "anthropic".into(),
        model: "claude".into(),
        optional: Default::default(),
    };
    let talk = Conversation::create(ctx, new).await.unwrap();
    Memory::remember(ctx, own, "said", content).await.unwrap();
    Conversation::say(ctx, &talk.id, None, MessageRole::User, content)
        .await
        .unwrap()
}

fn conversation() -> Id<Conversation> {
    Id::parse(sample::CONVERSATION).unwrap()
}

on_both_stores! {
    open with open;

    /// Every document of the old system reads as one of the new one, and no reference leads nowhere.
    async fn everything_is_readable(app: App) {
        let job = app.job().enter(&app.tenant.id);
        macro_rules! check {
            ($($model:ident: $count:literal),*) => {$(
                let report = $model::check_stored(&job).await.unwrap();
                assert_eq!((report.scanned, report.unreadable, report.dangling), ($count, 0, 0), "{:?}", report.errors);
            )*};
        }
        check!(User: 2, Conversation: 1, Message: 3, Agent: 1, File: 1, Course: 1, Module: 1, Transaction: 2);
        for collection in ["legacy_users", "legacy_messages", "legacy_files", "legacy_modules"] {
            assert!(app.stored(collection).await.is_empty(), "{collection}");
        }
    }

    /// Ids are UUIDs, references follow, names and numbers have their new form.
    async fn shapes(app: App) {
        let ada = app.ada().await;
        let user = User::query(&ada).first().await.unwrap().unwrap();
        assert!(user.id.as_uuid().is_some() && user.tenant_id == TenantId::from(&app.tenant.id));
        assert_eq!((user.role, user.tier, user.preferences.theme.as_str()), (Role::User, Tier::Pro, "dark"));
        let talk = Conversation::fetch(&ada, &conversation()).await.unwrap();
        assert_eq!((talk.user_id.id(), talk.provider.as_str()), (&user.id, "openai"));
        assert_eq!((talk.parameters.top_p, talk.parameters.prompt_prefix.as_deref()), (Some(0.5), Some("Be brief.")));
        let question = Message::fetch(&ada, &Id::parse(sample::QUESTION).unwrap()).await.unwrap();
        assert!(question.parent_id.is_none() && question.role == MessageRole::User);
        assert_eq!(question.files, [Ref::to(&Id::<File>::parse(sample::FILE).unwrap())]);
        let file = File::fetch(&ada, question.files[0].id()).await.unwrap();
        assert_eq!((file.size, file.storage_key.as_str(), file.url.as_str()), (52_428, "s3://bucket/market.pdf", "/files/market.pdf"));
        let view = serde_json::to_value(file.into_view(&ada)).unwrap();
        assert!(view.get("storageKey").is_none(), "{view}");
        let paid = Transaction::query(&ada).sort(|t| t.amount.asc()).await.unwrap();
        let amounts: Vec<_> = paid.iter().map(|t| (t.amount, t.currency.as_str(), t.status)).collect();
        assert_eq!(amounts, [(1_500, "jpy", TransactionStatus::Failed), (1_999, "usd", TransactionStatus::Completed)]);
        // What was not there gets the beginning of a new one.
        let grace = app.service.enter(&app.tenant.id);
        let grace = User::query(&grace).filter(|u| u.role.eq(Role::Admin)).first().await.unwrap().unwrap();
        assert_eq!((grace.tier, grace.preferences.language.as_str(), grace.password.is_none()), (Tier::Free, "en-US", true));
    }

    /// The old password lets in once more, and is stored as the new system does.
    async fn sign_in(app: App) {
        let right = User::sign_in(&app.service, " Ada@example.COM", "correct horse battery").await.unwrap();
        assert_eq!(right.unwrap().last_login_at, Some(app.service.now()));
        let is_bcrypt = |user: &Document| user.get_str("password").is_ok_and(|hash| hash.starts_with("$2b$"));
        assert!(!app.stored("users").await.iter().any(is_bcrypt));
        for (email, password) in [("ada@example.com", "wrong"), ("grace@example.com", ""), ("nobody@example.com", "x")] {
            assert!(User::sign_in(&app.service, email, password).await.unwrap().is_none());
        }
        assert!(User::sign_in(&app.service, "ada@example.com", "correct horse battery").await.unwrap().is_some());
    }

    /// A tree of messages inside of one conversation, which the last of them moves up.
    async fn messages_branch(app: App) {
        let ada = app.ada().await;
        let branch = Id::parse(sample::BRANCH).unwrap();
        let more = Conversation::say(&ada, &conversation(), Some(&branch), MessageRole::Assistant, "The bank.").await.unwrap();
        assert_eq!(more.model.as_deref(), Some("gpt-4o"));
        let thread: Vec<_> = Message::thread(&ada, &more.id).await.unwrap().into_iter().map(|m| m.id.to_string()).collect();
        assert_eq!(thread, [sample::QUESTION.to_owned(), sample::BRANCH.to_owned(), more.id.to_string()]);
        let moved = Conversation::fetch(&ada, &conversation()).await.unwrap();
        assert_eq!(moved.last_message_at, Some(ada.now()));
        assert!(Message::delete(&ada, &branch).await.unwrap_err().is_refused());
        // A parent of another conversation, and a conversation of somebody else.
        let new = NewConversation {
            user_id: moved.user_id.clone(),
            provider: "anthropic".into(),
            model: "claude".into(),
            optional: Default::default(),
        };
        let other = Conversation::create(&ada, new).await.unwrap();
        let astray = Conversation::say(&ada, &other.id, Some(&branch), MessageRole::User, "?").await.unwrap_err();
        assert_eq!(astray.violations()[0].path, "parentId");
        let bob = app.user(&app.tenant, "bob@example.com", Role::User).await;
        assert!(Conversation::say(&bob, &other.id, None, MessageRole::User, "?").await.unwrap_err().is_not_found());
        let admin = app.user(&app.tenant, "eve@example.com", Role::Admin).await;
        assert_eq!(Conversation::query(&admin).count().await.unwrap(), 2);
        assert_eq!(Conversation::query(&bob).count().await.unwrap(), 0);
    }

    /// An agent is its maker's until an administrator publishes it; each release counts.
    async fn agents(app: App) {
        let (ada, id) = (app.ada().await, Id::parse("agent_abc123").unwrap());
        let admin = app.user(&app.tenant, "eve@example.com", Role::Admin).await;
        assert!(Agent::get(&ada, &id).await.unwrap().is_none());
        let publish = AgentPatch { published: Set(true), ..Default::default() };
        Agent::update(&admin, &id, publish.clone()).await.unwrap();
        let seen = Agent::fetch(&ada, &id).await.unwrap();
        let search = seen.tool_resources.file_search.unwrap();
        assert_eq!((seen.version, search.vector_store_ids, search.file_ids.len()), (3, vec!["vs_1".to_owned()], 0));
        assert_eq!(Agent::release(&admin, &id, "Plan better.").await.unwrap().version, 4);
        let new = NewAgent {
            created_by: ada.actor().confined_to().unwrap().into(),
            name: "Mine".into(),
            instructions: "Help.".into(),
            provider: "openai".into(),
            model: "gpt-4o".into(),
            optional: Default::default(),
        };
        let mine = Agent::create(&ada, new).await.unwrap();
        assert!(mine.id.to_string().starts_with("agent_") && mine.version == 1);
        assert!(Agent::update(&ada, &mine.id, publish).await.unwrap_err().is_forbidden());
    }

    /// One memory for each key.
    async fn memories(app: App) {
        let ada = app.ada().await;
        let own = ada.actor().confined_to().unwrap().clone();
        Memory::remember(&ada, &own, "city", "Paris").await.unwrap();
        Memory::remember(&ada, &own, "city", "London").await.unwrap();
        let all = Memory::query(&ada).await.unwrap();
        assert_eq!((all.len(), all[0].value.as_str(), all[0].source), (1, "London", Some(MemorySource::Manual)));
    }

    /// Words are found where they were said to this user, or to anybody for an administrator: inside of the tenant.
    async fn searches(app: App) {
        let (ada, bob) = (app.ada().await, app.user(&app.tenant, "bob@example.com", Role::User).await);
        let admin = app.user(&app.tenant, "eve@example.com", Role::Admin).await;
        let second = tenant(&app.service, "second").await;
        let elsewhere = app.user(&second, "rita@example.com", Role::Admin).await;
        let said = say(&ada, "Penguins, and penguins in winter.").await;
        for ctx in [&bob, &elsewhere] {
            say(ctx, "Of penguins I know nothing.").await;
        }
        say(&ada, "Of bears, too.").await;
        for (ctx, count) in [(&ada, 1), (&bob, 1), (&admin, 2), (&elsewhere, 1)] {
            let found = Message::said(ctx, "penguins").await.unwrap();
            assert_eq!(found.len(), count);
            assert!(found.iter().all(|found| found.item.tenant_id == *ctx.tenant() && found.score > 0.0));
        }
        // Ada's memory is of the last that she said.
        for (ctx, count) in [(&ada, 0), (&bob, 1), (&admin, 1), (&elsewhere, 1)] {
            assert_eq!(Memory::of(ctx, "penguins").await.unwrap().len(), count);
        }
        assert_eq!(Message::said(&admin, "penguins").await.unwrap()[0].item.id, said.id, "the best comes first");
        assert!(Message::said(&ada, "penguins -winter").await.unwrap().is_empty());
    }

    /// The pieces that are nearest to a question are of one's own files, whatever lies nearer elsewhere.
    async fn nearest_pieces(app: App) {
        let (ada, bob) = (app.ada().await, app.user(&app.tenant, "bob@example.com", Role::User).await);
        let second = tenant(&app.service, "second").await;
        let elsewhere = app.user(&second, "rita@example.com", Role::Admin).await;
        let question = embedding(7, 0.0);
        for ctx in [&bob, &elsewhere] {
            chunk(ctx, "the very question", Some(question.clone())).await;
        }
        let far = chunk(&ada, "far", Some(embedding(100, 0.0))).await;
        let near = chunk(&ada, "near", Some(embedding(7, 0.5))).await;
        let nearest = chunk(&ada, "nearest", Some(embedding(7, 0.1))).await;
        chunk(&ada, "not embedded yet", None).await;
        let ids = |found: Vec<Scored<DocumentChunk>>| found.into_iter().map(|found| found.item.id).collect::<Vec<_>>();
        let found = DocumentChunk::like(&ada, &question, 2).await.unwrap();
        assert!(found[0].score > found[1].score && found[0].score > 0.9);
        assert_eq!(ids(found), [nearest.clone(), near.clone()]);
        assert_eq!(ids(DocumentChunk::like(&ada, &question, 9).await.unwrap()), [nearest.clone(), near, far]);
        let view = DocumentChunk::fetch(&ada, &nearest).await.unwrap().into_view(&ada);
        assert!(serde_json::to_value(view).unwrap().get("embedding").is_none());
        let admin = app.user(&app.tenant, "eve@example.com", Role::Admin).await;
        let found = DocumentChunk::like(&admin, &question, 1).await.unwrap();
        assert!(found[0].item.content == "the very question" && found[0].item.tenant_id == *admin.tenant());
    }

    /// A payment is completed once, however often Stripe says so; a session is one payment's over all tenants.
    async fn payments(app: App) {
        let ada = app.ada().await;
        let own = ada.actor().confined_to().unwrap().clone();
        let new = |session: Option<&str>| NewTransaction {
            user_id: Ref::to(&own),
            amount: 100,
            kind: TransactionType::OneTime,
            optional: NewTransactionOptional { stripe_session_id: session.map(str::to_owned), ..Default::default() },
        };
        let inside = app.service.enter(&app.tenant.id);
        for session in [None, None, Some("cs_2")] {
            Transaction::create(&inside, new(session)).await.unwrap();
        }
        assert!(Transaction::create(&inside, new(Some("cs_1"))).await.unwrap_err().is_duplicate());
        let second = tenant(&app.service, "second").await;
        let there = app.service.enter(&second.id);
        assert!(Transaction::create(&there, new(Some("cs_2"))).await.unwrap_err().is_duplicate());
        let done = Transaction::complete(&inside, "cs_2").await.unwrap().unwrap();
        assert_eq!((done.status, done.currency.as_str()), (TransactionStatus::Completed, "usd"));
        assert!(Transaction::complete(&inside, "cs_2").await.unwrap().is_none());
        let failed = TransactionPatch { status: Set(TransactionStatus::Failed), ..Default::default() };
        assert!(Transaction::update(&inside, &done.id, failed).await.unwrap_err().is_forbidden());
        assert!(Transaction::create(&ada, new(None)).await.unwrap_err().is_forbidden());
    }

    /// Rows of Postgres keep their ids, and name the module that theirs has become.
    async fn recordings(app: App) {
        let row = |module: Option<String>| Row {
            id: "2c1f8d0c-92f6-4a57-8a12-0a4f3cbd7a10".into(),
            stream_call_id: "call_1".into(),
            duration: 600,
            academy_module_id: module,
        };
        let job = app.job();
        let recording = Recording::import(&job, &app.tenant.id, row(Some(sample::module()))).await.unwrap();
        let module = Module::query(&app.service.enter(&app.tenant.id)).first().await.unwrap().unwrap();
        assert!(recording.academy_module_id == Some(Ref::to(&module.id)) && recording.posted_to_academy);
        assert_eq!(recording.id.to_string(), row(None).id);
        assert!(Recording::import(&job, &app.tenant.id, row(None)).await.unwrap_err().is_duplicate());
    }

    /// What row-level security promised: nothing of another tenant, by whatever question.
    async fn isolation(app: App) {
        let second = tenant(&app.service, "second").await;
        let eve = app.user(&second, "eve@example.com", Role::Admin).await;
        assert_eq!(Message::query(&eve).matching(Filter::all()).count().await.unwrap(), 0);
        assert!(Conversation::get(&eve, &conversation()).await.unwrap().is_none());
        assert!(!Conversation::delete(&eve, &conversation()).await.unwrap());
        assert!(Message::query(&eve).distinct(|m| &m.content).await.unwrap().is_empty());
        assert!(Message::get_many(&eve, &[Id::parse(sample::QUESTION).unwrap()]).await.unwrap().is_empty());
        assert!(!User::query(&eve).filter(|u| u.email.eq("ada@example.com")).exists().await.unwrap());
        assert!(Message::query(&eve).page(10, None).await.unwrap().items.is_empty());
        assert!(Message::said(&eve, "market").await.unwrap().is_empty());
        let question = Id::parse(sample::QUESTION).unwrap();
        let renamed = MessagePatch { content: Set("Mine.".into()), ..Default::default() };
        assert!(Message::update(&eve, &question, renamed.clone()).await.unwrap_err().is_not_found());
        assert!(NewConversation::from_json(r#"{"tenantId": "x", "userId": "x", "provider": "x", "model": "x"}"#).is_err());
        let bypass = eve.dangerously_bypass_permissions("whoever may do anything");
        assert!(Message::update(&bypass, &question, renamed).await.unwrap_err().is_not_found(), "no bypass leaves the tenant");
        assert_eq!(Message::query(&bypass).count().await.unwrap(), 0);
        let reports = Message::update_many(&eve, |m| m.error.eq(false), MessagePatch { error: Set(true), ..Default::default() });
        assert_eq!(reports.await.unwrap().matched, 0);
        let taken = NewUser { email: "ADA@example.com".into(), optional: Default::default() };
        assert!(User::create(&eve, taken).await.unwrap_err().is_duplicate());
    }

    /// Conversations take their messages along, files leave them; a tenant takes everything, and nothing of another.
    async fn deletions(app: App) {
        let ada = app.ada().await;
        File::delete(&ada, &Id::parse(sample::FILE).unwrap()).await.unwrap();
        let question = Message::fetch(&ada, &Id::parse(sample::QUESTION).unwrap()).await.unwrap();
        assert!(question.files.is_empty());
        let own = ada.actor().confined_to().unwrap().clone();
        assert!(User::delete(&ada, &own).await.unwrap_err().is_refused());
        Conversation::delete(&ada, &conversation()).await.unwrap();
        assert_eq!(Message::query(&ada).count().await.unwrap(), 0);
        let second = tenant(&app.service, "second").await;
        app.user(&second, "eve@example.com", Role::User).await;
        let done = Tenant::close(&app.service, &app.tenant.id, "the contract has ended").await.unwrap();
        assert_eq!(done.of("User").unwrap().deleted, 2);
        assert_eq!((app.stored("users").await.len(), app.stored("transactions").await.len()), (1, 0));
        assert!(Tenant::get(&app.service, &app.tenant.id).await.unwrap().is_none());
    }

    /// A second run finds nothing to do, and who was who can be looked up.
    async fn migrated_once(app: App) {
        let before = app.stored("messages").await;
        assert!(app.migrate().await.iter().all(|report| report.was_done));
        assert_eq!(app.stored("messages").await, before);
        let ada = app.ada().await;
        let id = Steps::moved_id(&app.service, legacy::MOVED_USERS, ObjectId::from_bytes([1; 12])).await.unwrap();
        assert_eq!(id, ada.actor().confined_to().map(Id::to_bson));
    }
}

mod unfinished {
    use super::*;

    /// What does not fit: a field that nobody has thought of, and values that are none.
    fn odd() -> [(&'static str, Document, &'static str); 4] {
        [
            (
                "legacy_users",
                doc! { "_id": 1, "email": "odd@example.com", "twoFactorSecret": "s" },
                "twoFactorSecret",
            ),
            (
                "legacy_messages",
                doc! { "_id": 1, "messageId": "m-1", "conversationId": sample::CONVERSATION },
                "messageId",
            ),
            (
                "legacy_transactions",
                doc! { "_id": 1, "amount": 0.123, "currency": "usd" },
                "amount",
            ),
            (
                "legacy_files",
                doc! { "_id": 1, "file_id": sample::ANSWER, "filename": "a", "bytes": 1.5 },
                "bytes",
            ),
        ]
    }

    /// The document stays where it was, the report names the field, and the steps stop there.
    async fn check(app: App, (collection, document, field): (&'static str, Document, &str)) {
        testing::store_raw(&app.db, collection, &document).await.unwrap();
        let reports = app.migrate().await;
        let last = reports.last().unwrap();
        assert!(!last.complete && last.failed.len() == 1, "{last}");
        let text = last.failed[0].to_string();
        assert!(text.contains(field) && text.contains("[id 1]"), "{text}");
        assert_eq!(app.stored(collection).await, [document]);
        let again = app.migrate().await;
        assert!(again.last().is_some_and(|report| !report.complete), "{again:?}");
    }

    #[tokio::test]
    async fn on_the_embedded_store() {
        for case in odd() {
            check(old(model_core::Db::memory()).await, case).await;
        }
    }

    #[tokio::test]
    async fn on_mongodb() {
        for case in odd() {
            check(
                old(model_core::Db::mongo(model_tests::server::fresh_database().await)).await,
                case,
            )
            .await;
        }
    }
}
