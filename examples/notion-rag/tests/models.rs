//! The models of the service, method by method, on both stores; and documents as Mongoose has stored them.

use bson::oid::ObjectId;
use bson::{Document, doc};
use example_support::on_both_stores;
use model_core::crypto::Candidate;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, SyncOptions};
use notion_rag::*;

struct App {
    db: Db,
    clock: FixedClock,
    service: Door,
    ada: User,
    bob: User,
    acme: NotionWorkspace,
}

async fn open(builder: DbBuilder) -> App {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let (policy, limits) = testing::fast_passwords();
    let builder = register(builder)
        .keys(testing::keyring().unwrap())
        .clock(clock.clone());
    let db = builder.passwords(policy, limits).build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.check_indexes().await.unwrap();
    let service = db.global_context(Session::service());
    let ada = user(&service, "ada@example.com").await.unwrap();
    let bob = user(&service, "bob@example.com").await.unwrap();
    let owner = db.global_context(Session::of(&ada));
    let acme = workspace(&owner, "notion-acme").await.unwrap();
    let acme = NotionWorkspace::invite(&owner, &acme.id, &bob.id, MemberRole::Member)
        .await
        .unwrap();
    App {
        db,
        clock,
        service,
        ada,
        bob,
        acme,
    }
}

impl App {
    fn door(&self, user: &User) -> Door {
        self.db.global_context(Session::of(user))
    }

    fn enter(&self, user: &User) -> Entered {
        Entered::new(&self.db, Session::of(user), &self.acme).unwrap()
    }

    async fn stored(&self, collection: &'static str) -> Document {
        testing::stored(&self.db, collection)
            .await
            .unwrap()
            .pop()
            .unwrap()
    }

    async fn talk(&self) -> Conversation {
        let new = NewConversation {
            user_id: self.bob.id.clone(),
            optional: Default::default(),
        };
        Conversation::create(&self.enter(&self.bob).talks, new)
            .await
            .unwrap()
    }

    async fn job(&self, ctx: &Ctx) -> SyncJob {
        let new = NewSyncJob {
            job_id: "job".into(),
            job_type: JobType::FullSync,
            optional: Default::default(),
        };
        SyncJob::create(ctx, new).await.unwrap()
    }
}

async fn user(service: &Door, email: &str) -> Result<User> {
    let password = NewPassword::new("correct horse".to_owned()).unwrap();
    User::create(
        service,
        NewUser {
            email: email.into(),
            password,
            name: " N ".into(),
            optional: Default::default(),
        },
    )
    .await
}

async fn workspace(owner: &Door, workspace_id: &str) -> Result<NotionWorkspace> {
    let new = NewNotionWorkspace {
        workspace_id: workspace_id.into(),
        workspace_name: "Acme".into(),
        owner: owner.actor().user.clone(),
        access_token: Secret::from("secret_4242"),
        optional: Default::default(),
    };
    NotionWorkspace::create(owner, new).await
}

fn message(talk: &Conversation, content: &str) -> NewMessage {
    NewMessage {
        conversation_id: talk.id.clone(),
        role: MessageRole::User,
        content: content.into(),
        optional: Default::default(),
    }
}

fn oid<M>(id: &Id<M>) -> ObjectId {
    id.as_object_id().unwrap()
}

/// A date as Mongoose stores it.
fn date() -> bson::DateTime {
    bson::DateTime::from_millis(1_700_000_000_000)
}

on_both_stores! {
    open with open;

    /// email: lowercase, trim, unique; name: trim; password and refreshToken: select false; comparePassword.
    async fn user_as_declared(app: App) {
        let eve = user(&app.service, "  EVE@Example.com ").await.unwrap();
        assert_eq!((eve.email.as_str(), eve.name.as_str()), ("eve@example.com", "N"));
        assert!(eve.status == UserStatus::Active && eve.role == UserRole::User);
        assert_eq!(eve.created_at, app.service.now());
        let again = user(&app.service, "Eve@example.com").await.unwrap_err();
        assert_eq!((again.is_duplicate(), again.index()), (true, Some("email_1_unique")));
        let json = serde_json::to_value(eve.clone().into_view(&app.service)).unwrap();
        assert!(json.get("password").is_none() && json.get("refreshToken").is_none(), "{json}");
        let right = Candidate::new("correct horse".to_owned());
        let wrong = Candidate::new("battery staple".to_owned());
        assert!(eve.compare_password(&app.service, &right).await.unwrap());
        assert!(!eve.compare_password(&app.service, &wrong).await.unwrap());
        // A save that does not touch the password leaves the hash as it is.
        let patch = UserPatch { name: Set("Eve".into()), ..Default::default() };
        let eve = User::update(&app.door(&eve), &eve.id, patch).await.unwrap();
        assert!(eve.compare_password(&app.service, &right).await.unwrap());
    }

    /// Who is suspended does not sign in; nobody makes himself an admin.
    async fn sign_in_and_roles(app: App) {
        let right = Candidate::new("correct horse".to_owned());
        let signed_in = User::sign_in(&app.service, "BOB@example.com", &right).await.unwrap().unwrap();
        assert_eq!(signed_in.last_login_at, Some(app.service.now()));
        assert!(User::sign_in(&app.service, "nobody@example.com", &right).await.unwrap().is_none());
        let patch = UserPatch { status: Set(UserStatus::Suspended), ..Default::default() };
        assert!(User::update(&app.door(&app.bob), &app.bob.id, patch.clone()).await.unwrap_err().is_forbidden());
        User::update(&app.service, &app.bob.id, patch).await.unwrap();
        assert!(User::sign_in(&app.service, "bob@example.com", &right).await.unwrap().is_none());
        let patch = UserPatch { role: Set(UserRole::Admin), ..Default::default() };
        assert!(User::update(&app.door(&app.ada), &app.ada.id, patch).await.unwrap_err().is_forbidden());
        assert!(User::get(&app.door(&app.ada), &app.bob.id).await.unwrap().is_none());
    }

    /// A bcrypt hash of the old service lets in, and is stored as today's are.
    async fn an_old_password(app: App) {
        let mut old = testing::stored(&app.db, "users").await.unwrap().remove(0);
        old.insert("_id", bson::oid::ObjectId::from_bytes([9; 12]));
        old.insert("email", "old@example.com");
        // Of `correct horse battery`, at cost 6.
        old.insert("password", "$2b$06$abcdefghijklmnopqrstuu50eFBEC8vQwBnuFXMHE45jBnqvQ8xz.");
        testing::store_raw(&app.db, "users", &old).await.unwrap();
        let wrong = Candidate::new("correct horse".to_owned());
        assert!(User::sign_in(&app.service, "old@example.com", &wrong).await.unwrap().is_none());
        assert!(format!("{:?}", testing::stored(&app.db, "users").await.unwrap()).contains("$2b$"));
        for _ in 0..2 {
            let right = Candidate::new("correct horse battery".to_owned());
            assert!(User::sign_in(&app.service, "old@example.com", &right).await.unwrap().is_some());
            assert!(!format!("{:?}", testing::stored(&app.db, "users").await.unwrap()).contains("$2b$"));
        }
    }

    /// Every default of the schema and of its sub-schemas; the token is sealed and comes back; workspaceId is unique.
    async fn workspace_defaults_and_token(app: App) {
        let door = app.door(&app.ada);
        let acme = NotionWorkspace::fetch(&door, &app.acme.id).await.unwrap();
        assert!(acme.sync_status == WorkspaceSyncStatus::Idle && acme.sync_schedule == SyncSchedule::default());
        assert!(acme.sync_schedule.enabled && (acme.sync_schedule.interval_hours - 24.0).abs() < f64::EPSILON);
        assert!(acme.stats == WorkspaceStats::default() && acme.stats.error_count == 0);
        let member = &acme.members[0];
        let may = &member.permissions;
        assert!(member.role == MemberRole::Member && member.status == MemberStatus::Active);
        assert!(may.can_query && may.can_view_sources && !may.can_invite && !may.can_manage_sync && !may.can_edit_settings);
        assert_eq!(acme.decrypted_token(&door).await.unwrap().expose(), "secret_4242");
        let stored = format!("{:?}", app.stored("notionworkspaces").await);
        assert!(!stored.contains("secret_4242"));
        let json = serde_json::to_string(&acme.into_view(&door)).unwrap();
        assert!(!json.contains("oken"), "{json}");
        assert!(workspace(&door, "notion-acme").await.unwrap_err().is_duplicate());
        // From JSON, what a member leaves out gets its defaults at any depth.
        let members = format!(r#"{{"members": [{{"user": "{}", "joinedAt": "2026-01-01T00:00:00Z", "permissions": {{"canInvite": true}}}}]}}"#, app.bob.id);
        let patch = NotionWorkspacePatch::from_json(&members).unwrap();
        let acme = NotionWorkspace::update(&door, &app.acme.id, patch).await.unwrap();
        assert!(acme.members[0].permissions.can_invite && acme.members[0].permissions.can_query);
    }

    /// updateSyncStatus sets the job where one is given; only who manages the sync may.
    async fn workspace_sync_status(app: App) {
        let (ada, bob) = (app.enter(&app.ada).syncs, app.enter(&app.bob).syncs);
        let job = app.job(&ada).await;
        let id = &app.acme.id;
        let syncing = NotionWorkspace::update_sync_status(&ada, id, WorkspaceSyncStatus::Syncing, Some(&job)).await.unwrap();
        assert_eq!(syncing.current_sync_job_id.as_deref(), Some("job"));
        let idle = NotionWorkspace::update_sync_status(&ada, id, WorkspaceSyncStatus::Idle, None).await.unwrap();
        assert!(idle.sync_status == WorkspaceSyncStatus::Idle && idle.current_sync_job_id.is_some());
        let refused = NotionWorkspace::update_sync_status(&bob, id, WorkspaceSyncStatus::Error, None).await.unwrap_err();
        assert!(refused.is_forbidden());
        let invited = NotionWorkspace::invite(&bob, id, &app.ada.id, MemberRole::Viewer).await.unwrap_err();
        assert!(invited.is_forbidden());
    }

    /// The virtual `messages`; a message and its count are one write, however many speak at a time.
    async fn conversation_and_messages(app: App) {
        let ctx = app.enter(&app.bob).talks;
        let talk = app.talk().await;
        assert!(talk.title == "New Conversation" && talk.message_count == 0 && talk.status == ConversationStatus::Active);
        assert!(talk.last_message_at == app.clock_now() && talk.metadata.intents.is_empty());
        let said: Vec<_> = (0..5).map(|n| {
            let (ctx, new) = (ctx.clone(), message(&talk, &n.to_string()));
            tokio::spawn(async move { Conversation::say(&ctx, new).await })
        }).collect();
        for one in said {
            one.await.unwrap().unwrap();
        }
        app.clock.advance(chrono::TimeDelta::minutes(1));
        Conversation::say(&ctx, message(&talk, "last")).await.unwrap();
        let talk = Conversation::fetch(&ctx, &talk.id).await.unwrap();
        assert_eq!((talk.message_count, talk.last_message_at), (6, app.clock_now()));
        let messages = talk.messages(&ctx).await.unwrap();
        assert_eq!((messages.len(), messages[5].content.as_str()), (6, "last"));
        assert!(messages[0].metadata.sources.is_empty() && messages[0].timestamp < messages[5].timestamp);
        // Another member's conversation is neither seen nor spoken in, and nothing is left behind.
        let ada = app.enter(&app.ada).talks;
        assert!(Conversation::get(&ada, &talk.id).await.unwrap().is_none());
        let refused = Conversation::say(&ada, message(&talk, "no")).await.unwrap_err();
        assert_eq!(refused.violations()[0].path, "conversationId");
        assert_eq!(Message::query(&ctx).count().await.unwrap(), 6);
    }

    /// Unique by workspace and source; markAsDeleted.
    async fn document_source_as_declared(app: App) {
        let ctx = app.enter(&app.ada).syncs;
        let new = || NewDocumentSource { source_id: "page".into(), title: "T".into(), optional: Default::default() };
        let source = DocumentSource::create(&ctx, new()).await.unwrap();
        assert!(source.source_type == SourceType::Notion && source.document_type == DocumentType::Page);
        assert!(source.sync_status == SourceStatus::Pending && source.chunk_count == 0 && source.vector_store_ids.is_empty());
        assert!(DocumentSource::create(&ctx, new()).await.unwrap_err().is_duplicate());
        let gone = DocumentSource::mark_as_deleted(&ctx, &source.id).await.unwrap();
        assert!(gone.sync_status == SourceStatus::Deleted && gone.deleted_at == Some(app.clock_now()));
        let bob = app.enter(&app.bob).syncs;
        assert!(DocumentSource::mark_as_deleted(&bob, &source.id).await.unwrap_err().is_forbidden());
        assert!(DocumentSource::get(&bob, &source.id).await.unwrap().is_some());
    }

    /// updateProgress merges; complete and fail compute the duration from the stored start; a job has one worker.
    async fn sync_job_methods(app: App) {
        let ctx = app.enter(&app.ada).syncs;
        let job = app.job(&ctx).await;
        assert!(job.status == JobStatus::Queued && job.triggered_by == TriggeredBy::Manual && job.progress.is_none());
        let taken = SyncJob::take(&ctx).await.unwrap().unwrap();
        assert!(taken.status == JobStatus::Processing && SyncJob::take(&ctx).await.unwrap().is_none());
        let total = ProgressPatch { total_documents: Set(Some(9)), ..Default::default() };
        SyncJob::update_progress(&ctx, &job.id, total).await.unwrap();
        let done = ProgressPatch { processed_documents: Set(Some(3)), ..Default::default() };
        let progress = SyncJob::update_progress(&ctx, &job.id, done).await.unwrap().progress.unwrap();
        assert_eq!((progress.total_documents, progress.processed_documents), (Some(9), Some(3)));
        app.clock.advance(chrono::TimeDelta::milliseconds(1_500));
        let results = SyncResults { documents_added: Some(2), ..Default::default() };
        let complete = SyncJob::complete(&ctx, &job.id, results).await.unwrap();
        assert!(complete.status == JobStatus::Completed && complete.completed_at == Some(app.clock_now()));
        assert_eq!((complete.duration, complete.results.documents_added), (Some(1_500), Some(2)));
        let second = app.job(&ctx).await;
        let failed = SyncJob::fail(&ctx, &second.id, "Notion is down").await.unwrap();
        let error = failed.error.unwrap();
        assert!(failed.status == JobStatus::Failed && failed.duration.is_none());
        assert_eq!((error.message.as_deref(), error.timestamp), (Some("Notion is down"), Some(app.clock_now())));
    }

    /// The isolation plugin: each context finds its own workspace's documents, and one of the wrong kind writes none.
    async fn isolation(app: App) {
        let talk = app.talk().await;
        let owner = app.door(&app.ada);
        let globex = workspace(&owner, "notion-globex").await.unwrap();
        let rival = Entered::new(&app.db, Session::of(&app.ada), &globex).unwrap();
        assert!(Conversation::get(&rival.talks, &talk.id).await.unwrap().is_none());
        let everything = Filter::all() | Conversation::filter(|c| c.workspace_id.ne(rival.talks.tenant()));
        assert_eq!(Conversation::query(&rival.talks).matching(everything).count().await.unwrap(), 0);
        assert!(Entered::new(&app.db, Session::of(&app.bob), &globex).unwrap_err().is_refused());
        let own = app.enter(&app.ada);
        let source = || NewDocumentSource { source_id: "page".into(), title: "T".into(), optional: Default::default() };
        assert!(DocumentSource::create(&own.talks, source()).await.unwrap_err().is_forbidden());
        let new = NewConversation { user_id: app.ada.id.clone(), optional: Default::default() };
        assert!(Conversation::create(&own.syncs, new).await.unwrap_err().is_forbidden());
        assert_eq!(app.stored("conversations").await.get_object_id("workspaceId").unwrap(), oid(&app.acme.id));
        DocumentSource::create(&own.syncs, source()).await.unwrap();
        assert_eq!(app.stored("documentsources").await.get_str("workspaceId").unwrap(), "notion-acme");
    }

    /// What Mongoose wrote is read, and a change keeps what the models do not declare: `__v`, and `_id` of sub-documents.
    async fn documents_of_mongoose(app: App) {
        let (user, part) = (ObjectId::from_bytes([1; 12]), ObjectId::from_bytes([2; 12]));
        let put = async |collection, document: Document| testing::store_raw(&app.db, collection, &document).await.unwrap();
        put("users", doc! {
            "_id": user, "email": "old@example.com", "password": "$2b$12$abcdefghijklmnopqrstuuKHsEVgh8Zo4P0QkHbGaP6YdJwS1Cq1e",
            "name": "Old", "status": "inactive", "role": "user", "refreshToken": "plain", "createdAt": date(), "__v": 0,
        }).await;
        put("notionworkspaces", doc! {
            "_id": ObjectId::from_bytes([3; 12]), "workspaceId": "w", "workspaceName": "W", "owner": user,
            "members": [{ "user": user, "role": "admin", "permissions": { "canQuery": true, "canViewSources": true,
                "canInvite": true, "canManageSync": false, "canEditSettings": false }, "status": "pending",
                "_id": part, "joinedAt": date() }],
            "accessToken": "plain", "syncStatus": "error", "syncSchedule": { "enabled": true, "intervalHours": 6 },
            "stats": { "totalPages": 3, "totalDatabases": 0, "totalDocuments": 0, "errorCount": 1, "lastSyncDuration": 12.5 },
            "createdAt": date(), "__v": 1,
        }).await;
        put("syncjobs", doc! {
            "_id": ObjectId::from_bytes([4; 12]), "jobId": "j", "workspaceId": "notion-acme", "jobType": "incremental_sync",
            "status": "failed", "triggeredBy": "webhook", "results": { "errors": [{ "documentId": "d", "error": "e",
                "timestamp": date(), "_id": part }] }, "retryCount": 1, "createdAt": date(), "__v": 2,
        }).await;
        let old = User::get_by(&app.service, |u| u.email.eq("old@example.com")).await.unwrap().unwrap();
        assert_eq!(old.refresh_token.unwrap().reveal(&app.service).await.unwrap().expose(), "plain");
        let w = NotionWorkspace::get_by(&app.service, |w| w.workspace_id.eq("w")).await.unwrap().unwrap();
        assert_eq!(w.decrypted_token(&app.service).await.unwrap().expose(), "plain");
        let member = &w.members[0];
        assert!(member.id == part && member.status == MemberStatus::Pending && member.permissions.can_invite);
        let patch = |may: Permissions| NotionWorkspacePatch {
            members: Set(vec![Member { permissions: may, ..member.clone() }]),
            ..Default::default()
        };
        NotionWorkspace::update(&app.service, &w.id, patch(Permissions::default())).await.unwrap();
        let stored = testing::stored(&app.db, "notionworkspaces").await.unwrap();
        let stored = stored.iter().find(|w| w.get_str("workspaceId").unwrap() == "w").unwrap();
        assert_eq!(stored.get_i32("__v").unwrap(), 1);
        let kept = stored.get_array("members").unwrap()[0].as_document().unwrap();
        assert_eq!(kept.get_object_id("_id").unwrap(), part);
        assert!(!format!("{stored:?}").contains("plain"), "the next write seals the token");
        let ctx = app.enter(&app.ada).syncs;
        let job = SyncJob::query(&ctx).filter(|j| j.job_id.eq("j")).first().await.unwrap().unwrap();
        SyncJob::complete(&ctx, &job.id, SyncResults { documents_added: Some(1), ..job.results.clone() }).await.unwrap();
        let errors = app.stored("syncjobs").await.get_document("results").unwrap().get_array("errors").unwrap().clone();
        assert_eq!(errors[0].as_document().unwrap().get_object_id("_id").unwrap(), part);
    }

    /// Messages that name no workspace are nobody's, until their conversation's workspace adopts them.
    async fn orphans_are_adopted(app: App) {
        let talk = app.talk().await;
        for (n, conversation) in [(7, oid(&talk.id)), (8, ObjectId::from_bytes([9; 12]))] {
            let old = doc! {
                "_id": ObjectId::from_bytes([n; 12]), "conversationId": conversation, "role": "assistant", "content": "old",
                "metadata": { "sources": [{ "title": "T", "_id": talk.user_id.as_object_id() }], "citedSources": [1], "confidence": 0.5 },
                "timestamp": date(), "__v": 0,
            };
            testing::store_raw(&app.db, "messages", &old).await.unwrap();
        }
        let ctx = app.enter(&app.bob).talks;
        assert!(talk.messages(&ctx).await.unwrap().is_empty());
        let job = app.db.context(&app.acme.id, Session::service());
        let migration = testing::another_process(&app.db).model::<OrphanMessage>().build().await.unwrap();
        let migration = migration.global_context(Session::service());
        assert_eq!(OrphanMessage::adopt(&migration, &job, &app.acme.id).await.unwrap(), 1);
        assert_eq!(OrphanMessage::adopt(&migration, &job, &app.acme.id).await.unwrap(), 0);
        let adopted = talk.messages(&ctx).await.unwrap();
        assert_eq!((adopted.len(), adopted[0].metadata.sources[0].title.as_deref()), (1, Some("T")));
        assert_eq!(adopted[0].timestamp.timestamp_millis(), 1_700_000_000_000);
    }

    /// Events name their workspace, go by the TTL index, and are never changed.
    async fn analytics_as_declared(app: App) {
        let ctx = app.enter(&app.ada).talks;
        let data = EventData { query: Some("handbook?".into()), user_id: Some(app.ada.id.clone()), ..Default::default() };
        let new = NewAnalytics {
            event_type: EventType::Query,
            optional: NewAnalyticsOptional { data: Some(data) },
        };
        let event = Analytics::create(&ctx, new).await.unwrap();
        assert_eq!(event.timestamp, app.clock_now());
        let ttl = Analytics::schema().indexes.iter().find(|index| index.expire_after_seconds.is_some()).unwrap();
        assert_eq!((ttl.expire_after_seconds, ttl.keys[0].path), (Some(90 * 24 * 60 * 60), "timestamp"));
        assert_eq!(Analytics::query(&ctx).filter(|a| a.event_type.eq(EventType::Query)).count().await.unwrap(), 1);
        assert_eq!(Analytics::query(&app.enter(&app.bob).talks).count().await.unwrap(), 0);
    }
}

impl App {
    fn clock_now(&self) -> DateTime<Utc> {
        self.service.now()
    }
}
