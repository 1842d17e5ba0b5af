//! Another client agrees: Mongoose, with the old service's schemas, reads and validates what the models write, and the
//! models read what Mongoose writes. Runs where there is Node.

use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing;
use notion_rag::*;
use serde_json::Value;

async fn write(db: &Db) -> Entered {
    let service = db.global_context(Session::service());
    let password = NewPassword::new("correct horse".to_owned()).unwrap();
    let new = NewUser {
        email: "ada@example.com".into(),
        password,
        name: "Ada".into(),
        optional: Default::default(),
    };
    let ada = User::create(&service, new).await.unwrap();
    let owner = db.global_context(Session::of(&ada));
    let new = NewNotionWorkspace {
        workspace_id: "notion-acme".into(),
        workspace_name: "Acme".into(),
        owner: ada.id.clone(),
        access_token: Secret::from("secret_4242"),
        optional: Default::default(),
    };
    let acme = NotionWorkspace::create(&owner, new).await.unwrap();
    let acme = NotionWorkspace::invite(&owner, &acme.id, &ada.id, MemberRole::Owner)
        .await
        .unwrap();
    let entered = Entered::new(db, Session::of(&ada), &acme).unwrap();
    let new = NewConversation {
        user_id: ada.id.clone(),
        optional: Default::default(),
    };
    let talk = Conversation::create(&entered.talks, new).await.unwrap();
    let metadata = MessageMetadata {
        sources: vec![CitedSource {
            title: Some("Wiki".into()),
            ..Default::default()
        }],
        cited_sources: vec![1.0],
        confidence: Some(0.5),
        ..Default::default()
    };
    let message = NewMessage {
        conversation_id: talk.id.clone(),
        role: MessageRole::Assistant,
        content: "In the wiki.".into(),
        optional: NewMessageOptional {
            metadata: Some(metadata),
            ..Default::default()
        },
    };
    Conversation::say(&entered.talks, message).await.unwrap();
    let new = NewDocumentSource {
        source_id: "p".into(),
        title: "P".into(),
        optional: Default::default(),
    };
    DocumentSource::create(&entered.syncs, new).await.unwrap();
    let new = NewSyncJob {
        job_id: "j".into(),
        job_type: JobType::IncrementalSync,
        optional: Default::default(),
    };
    SyncJob::create(&entered.syncs, new).await.unwrap();
    let job = SyncJob::take(&entered.syncs).await.unwrap().unwrap();
    SyncJob::complete(
        &entered.syncs,
        &job.id,
        SyncResults {
            documents_added: Some(1),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    let data = EventData {
        query: Some("?".into()),
        user_id: Some(ada.id.clone()),
        ..Default::default()
    };
    let new = NewAnalytics {
        event_type: EventType::Query,
        optional: NewAnalyticsOptional { data: Some(data) },
    };
    Analytics::create(&entered.talks, new).await.unwrap();
    entered
}

/// The one document of ours that Mongoose saw.
fn one<'a>(seen: &'a Value, model: &str) -> &'a Value {
    let documents = seen[model]["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 1, "{model}");
    &documents[0]
}

#[tokio::test]
async fn mongoose_and_the_models_agree() {
    let database = model_tests::server::fresh_database().await;
    let (policy, limits) = testing::fast_passwords();
    let builder = register(Db::mongo(database.clone())).keys(testing::keyring().unwrap());
    let db = builder.passwords(policy, limits).build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let entered = write(&db).await;

    let (uri, name) = (
        model_tests::server::server().await.uri(),
        database.name().to_owned(),
    );
    let agree = move || example_support::mongoose(env!("CARGO_MANIFEST_DIR"), uri, &name);
    let Some(seen) = tokio::task::spawn_blocking(agree).await.unwrap().unwrap() else {
        return;
    };

    // What Mongoose saw of ours, with every default of its own that was not stored.
    let workspace = one(&seen, "NotionWorkspace");
    assert_eq!(
        (
            &workspace["syncSchedule"]["intervalHours"],
            &workspace["stats"]["errorCount"]
        ),
        (&24.into(), &0.into())
    );
    assert_eq!(
        (
            &workspace["members"][0]["role"],
            &workspace["members"][0]["permissions"]["canQuery"]
        ),
        (&"owner".into(), &true.into())
    );
    let (talk, message) = (one(&seen, "Conversation"), one(&seen, "Message"));
    assert_eq!(
        (&talk["messageCount"], &message["conversationId"]),
        (&1.into(), &talk["_id"])
    );
    assert_eq!(
        (&message["metadata"]["sources"][0]["title"], &message["timestamp"]),
        (&"Wiki".into(), &talk["lastMessageAt"])
    );
    let job = one(&seen, "SyncJob");
    assert_eq!(
        (&job["status"], &job["results"]["documentsAdded"]),
        (&"completed".into(), &1.into())
    );
    assert_eq!(
        (
            &one(&seen, "DocumentSource")["syncStatus"],
            &one(&seen, "Analytics")["eventType"]
        ),
        (&"pending".into(), &"query".into())
    );
    assert!(one(&seen, "User").get("password").is_none());
    // Where both declare the same indexes, Mongoose has none to make; of the others, none that are ours.
    for model in ["User", "NotionWorkspace"] {
        assert_eq!(seen[model]["toCreate"], serde_json::json!([]), "{model}");
    }
    for (model, key) in [
        (
            "Conversation",
            serde_json::json!({ "workspaceId": 1, "userId": 1, "status": 1 }),
        ),
        (
            "DocumentSource",
            serde_json::json!({ "workspaceId": 1, "sourceId": 1 }),
        ),
        ("Analytics", serde_json::json!({ "timestamp": 1 })),
        (
            "Analytics",
            serde_json::json!({ "workspaceId": 1, "eventType": 1, "timestamp": -1 }),
        ),
    ] {
        assert!(
            !seen[model]["toCreate"].as_array().unwrap().contains(&key),
            "{model}: {}",
            seen[model]["toCreate"]
        );
    }

    // Ours, after Mongoose saved it; and what Mongoose made.
    assert_eq!(Conversation::query(&entered.talks).count().await.unwrap(), 1);
    let job = SyncJob::query(&entered.syncs).first().await.unwrap().unwrap();
    assert!(
        SyncJob::fail(&entered.syncs, &job.id, "again")
            .await
            .unwrap()
            .status
            == JobStatus::Failed
    );
    let service = db.global_context(Session::service());
    let old = User::get_by(&service, |u| u.email.eq("old@example.com"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        old.refresh_token
            .as_ref()
            .unwrap()
            .reveal(&service)
            .await
            .unwrap()
            .expose(),
        "plain"
    );
    let workspace = NotionWorkspace::get_by(&service, |w| w.workspace_id.eq("notion-old"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        workspace.decrypted_token(&service).await.unwrap().expose(),
        "plain"
    );
    let may = &workspace.members[0].permissions;
    assert!(workspace.members[0].user == old.id && may.can_invite && may.can_query && !may.can_manage_sync);
    let entered = Entered::new(&db, Session::of(&old), &workspace).unwrap();
    let talk = Conversation::query(&entered.talks)
        .first()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (talk.title.as_str(), talk.metadata.intents.len()),
        ("New Conversation", 1)
    );
    let migration = Db::mongo(database)
        .model::<OrphanMessage>()
        .build()
        .await
        .unwrap();
    let migration = migration.global_context(Session::service());
    assert_eq!(
        OrphanMessage::adopt(&migration, &entered.talks, &workspace.id)
            .await
            .unwrap(),
        1
    );
    let message = talk.messages(&entered.talks).await.unwrap().remove(0);
    assert_eq!(
        (
            message.metadata.cited_sources.as_slice(),
            message.metadata.is_grounded
        ),
        ([1.0, 2.5].as_slice(), Some(true))
    );
    let source = DocumentSource::query(&entered.syncs)
        .first()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(source.error.as_ref().unwrap().retry_count, Some(2));
    let job = SyncJob::query(&entered.syncs).first().await.unwrap().unwrap();
    let progress = job.progress.as_ref().unwrap();
    assert_eq!(
        (
            progress.total_documents,
            job.results.errors.len(),
            job.triggered_by == TriggeredBy::Manual
        ),
        (Some(3), 1, true)
    );
    let done = SyncJob::complete(&entered.syncs, &job.id, SyncResults::default())
        .await
        .unwrap();
    assert!(done.duration.unwrap() > 0);
    assert!(
        DocumentSource::mark_as_deleted(&entered.syncs, &source.id)
            .await
            .unwrap()
            .deleted_at
            .is_some()
    );
    let event = Analytics::query(&entered.talks).first().await.unwrap().unwrap();
    assert_eq!(event.data.unwrap().response_time, Some(1.5));
}
