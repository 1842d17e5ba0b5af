//! A workspace from sign-in to answers, every convention of its models shown by doing it.
//!
//! `cargo run -p notion-rag` runs on the embedded store; with `MONGODB_URI` set, the same runs on that server.

#![allow(clippy::print_stdout, reason = "the output is what this program is for")]

use example_support::{heading, json, line, on_a_store, prepare, refused, stored};
use model_core::DbBuilder;
use model_core::crypto::Candidate;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use notion_rag::*;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    on_a_store("notion_rag", tour).await
}

async fn tour(builder: DbBuilder) -> Result<()> {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let db = register(builder)
        .keys(testing::keyring()?)
        .clock(clock.clone())
        .build_lazy()?;
    prepare(&db).await?;
    let service = db.global_context(Session::service());
    let (ada, bob) = sign_in(&db, &service).await?;
    let workspace = workspaces(&db, &ada, &bob).await?;
    let entered = Entered::new(&db, Session::of(&bob), &workspace)?;
    talk(&db, &workspace, &entered, &ada).await?;
    sync(&db, &clock, &workspace, &ada, &entered).await?;
    isolation(&db, &service, &entered).await
}

async fn user(service: &Door, email: &str, name: &str) -> Result<User> {
    let new = NewUser {
        email: email.into(),
        password: NewPassword::new(format!("password of {name}"))?,
        name: name.into(),
        optional: NewUserOptional::default(),
    };
    User::create(service, new).await
}

async fn sign_in(db: &Db, service: &Door) -> Result<(User, User)> {
    heading("Users: hashed by the type, never in a query's answer");
    let ada = user(service, "  Ada@Example.com ", " Ada ").await?;
    let bob = user(service, "bob@example.com", "Bob").await?;
    json(&ada.clone().into_view(service));
    refused("the same e-mail", user(service, "ADA@example.com", "Eve").await)?;
    let right = Candidate::new("password of  Ada ".to_owned());
    let wrong = Candidate::new("hunter22".to_owned());
    line(format!(
        "comparePassword: {} and {}",
        ada.compare_password(service, &right).await?,
        ada.compare_password(service, &wrong).await?
    ));
    let ada = User::sign_in(service, "ADA@example.com", &right)
        .await?
        .unwrap_or(ada);
    line(format!("signed in, last at {:?}", ada.last_login_at));
    let own = db.global_context(Session::of(&bob));
    let patch = UserPatch {
        role: Set(UserRole::Admin),
        ..Default::default()
    };
    refused(
        "bob makes himself an admin",
        User::update(&own, &bob.id, patch).await,
    )?;
    Ok((ada, bob))
}

async fn workspaces(db: &Db, ada: &User, bob: &User) -> Result<NotionWorkspace> {
    heading("Workspaces: sealed tokens, members with defaults, rights that are asked");
    let owner = db.global_context(Session::of(ada));
    let new = NewNotionWorkspace {
        workspace_id: "notion-acme".into(),
        workspace_name: "Acme".into(),
        owner: ada.id.clone(),
        access_token: Secret::from("secret_ntn_4242"),
        optional: NewNotionWorkspaceOptional::default(),
    };
    let workspace = NotionWorkspace::create(&owner, new).await?;
    let workspace = NotionWorkspace::invite(&owner, &workspace.id, &bob.id, MemberRole::Member).await?;
    json(&workspace.clone().into_view(&owner));
    stored(db, "notionworkspaces").await?;
    let token = workspace.decrypted_token(&owner).await?;
    line(format!("getDecryptedToken: {} characters", token.expose().len()));
    let member = db.global_context(Session::of(bob));
    refused(
        "bob may not invite",
        NotionWorkspace::invite(&member, &workspace.id, &ada.id, MemberRole::Viewer).await,
    )?;
    Ok(workspace)
}

async fn talk(db: &Db, workspace: &NotionWorkspace, entered: &Entered, ada: &User) -> Result<()> {
    heading("Conversations: counted in the same transaction, messages as a virtual");
    let ctx = &entered.talks;
    let new = NewConversation {
        user_id: ctx.actor().user.clone(),
        optional: NewConversationOptional::default(),
    };
    let talk = Conversation::create(ctx, new).await?;
    let message = |role, content: &str| NewMessage {
        conversation_id: talk.id.clone(),
        role,
        content: content.into(),
        optional: NewMessageOptional::default(),
    };
    Conversation::say(ctx, message(MessageRole::User, "Where is the handbook?")).await?;
    Conversation::say(ctx, message(MessageRole::Assistant, "In the wiki, page 4.")).await?;
    let talk = Conversation::fetch(ctx, &talk.id).await?;
    line(format!("{:?} has {} messages:", talk.title, talk.message_count));
    for message in talk.messages(ctx).await? {
        line(format!("  {}", message.content));
    }
    let other = Entered::new(db, Session::of(ada), workspace)?.talks;
    line(format!(
        "another member finds it: {}",
        Conversation::get(&other, &talk.id).await?.is_some()
    ));
    refused(
        "and says something in it",
        Conversation::say(&other, message(MessageRole::User, "Hm.")).await,
    )
}

async fn sync(
    db: &Db,
    clock: &FixedClock,
    workspace: &NotionWorkspace,
    ada: &User,
    bob: &Entered,
) -> Result<()> {
    heading("Jobs: claimed by one worker, methods that compute from what is stored");
    let job = || NewSyncJob {
        job_id: "job-1".into(),
        job_type: JobType::FullSync,
        optional: NewSyncJobOptional::default(),
    };
    refused(
        "bob may not manage the sync",
        SyncJob::create(&bob.syncs, job()).await,
    )?;
    let ctx = Entered::new(db, Session::of(ada), workspace)?.syncs;
    SyncJob::create(&ctx, job()).await?;
    let Some(job) = SyncJob::take(&ctx).await? else {
        return Err(Error::refused("there is a job to take"));
    };
    line(format!(
        "a second worker takes one: {}",
        SyncJob::take(&ctx).await?.is_some()
    ));
    NotionWorkspace::update_sync_status(&ctx, &workspace.id, WorkspaceSyncStatus::Syncing, Some(&job))
        .await?;
    let source = NewDocumentSource {
        source_id: "page-4".into(),
        title: "Handbook".into(),
        optional: NewDocumentSourceOptional::default(),
    };
    let handbook = DocumentSource::create(&ctx, source.clone()).await?;
    refused("the same page again", DocumentSource::create(&ctx, source).await)?;
    clock.advance(chrono::TimeDelta::seconds(90));
    let half = ProgressPatch {
        processed_documents: Set(Some(1)),
        current_document: Set(Some("Handbook".into())),
        ..Default::default()
    };
    SyncJob::update_progress(&ctx, &job.id, half).await?;
    let results = SyncResults {
        documents_added: Some(1),
        ..Default::default()
    };
    let job = SyncJob::complete(&ctx, &job.id, results).await?;
    line(format!("complete: duration {:?} ms", job.duration));
    let gone = DocumentSource::mark_as_deleted(&ctx, &handbook.id).await?;
    line(format!("markAsDeleted at {:?}", gone.deleted_at));
    stored(db, "syncjobs").await
}

async fn isolation(db: &Db, service: &Door, entered: &Entered) -> Result<()> {
    heading("Isolation: another workspace's context finds nothing, whatever it asks");
    let eve = user(service, "eve@example.com", "Eve").await?;
    let own = db.global_context(Session::of(&eve));
    let new = NewNotionWorkspace {
        workspace_id: "notion-globex".into(),
        workspace_name: "Globex".into(),
        owner: eve.id.clone(),
        access_token: Secret::from("secret_ntn_4343"),
        optional: NewNotionWorkspaceOptional::default(),
    };
    let workspace = NotionWorkspace::create(&own, new).await?;
    let rival = Entered::new(db, Session::of(&eve), &workspace)?;
    let all = Conversation::query(&rival.talks)
        .matching(Filter::all())
        .count()
        .await?;
    let messages = Message::query(&rival.talks).count().await?;
    let sources = DocumentSource::query(&rival.syncs).count().await?;
    line(format!(
        "eve sees {all} conversations, {messages} messages, {sources} documents"
    ));
    line(format!(
        "bob sees {} messages",
        Message::query(&entered.talks).count().await?
    ));
    let seat = NotionWorkspace::query(&own).await?;
    line(format!(
        "and eve's list of workspaces is {:?}",
        seat.iter().map(|w| &*w.workspace_name).collect::<Vec<_>>()
    ));
    Ok(())
}
