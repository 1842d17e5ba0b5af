//! Another client agrees: Mongoose, with the old dashboard's schemas, reads and validates what the models write, and the
//! models read what Mongoose writes. Runs where there is Node.

use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing;
use serde_json::{Value, json};
use telegram_ads::*;

async fn write(bot: &Ctx) -> Campaign {
    let new = NewUser {
        email: "ada@example.com".into(),
        name: "Ada".into(),
        optional: Default::default(),
    };
    let user = User::create(bot, new).await.unwrap();
    let new = NewCampaign {
        name: "Spring".into(),
        kind: CampaignType::Casino,
        optional: NewCampaignOptional {
            status: Some(CampaignStatus::Active),
            creatives: Some(vec![Id::generate()]),
            target_groups: Some(vec![Id::generate()]),
            ..Default::default()
        },
    };
    let campaign = Campaign::create(bot, new).await.unwrap();
    let new = NewScheduledPost {
        campaign_id: campaign.id.clone(),
        group_id: campaign.target_groups[0].clone(),
        creative_id: campaign.creatives[0].clone(),
        scheduled_for: bot.now(),
        optional: Default::default(),
    };
    let entry = ScheduledPost::create(bot, new).await.unwrap();
    let post = PostHistory::reserve(bot, &entry).await.unwrap();
    let metrics = PostMetrics {
        views: 100,
        clicks: 5,
        ..Default::default()
    };
    PostHistory::measured(bot, &post.id, metrics, 2.5).await.unwrap();
    AuditLog::action(bot, &Operator::person(&user), "login", &user.id)
        .await
        .unwrap();
    campaign
}

/// The one document of ours that Mongoose saw.
fn one<'a>(seen: &'a Value, model: &str) -> &'a Value {
    let documents = seen[model]["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 1, "{model}");
    assert_eq!(
        seen[model]["toCreate"],
        json!([]),
        "{model} has the indexes that Mongoose declares"
    );
    &documents[0]
}

#[tokio::test]
async fn mongoose_and_the_models_agree() {
    let database = model_tests::server::fresh_database().await;
    let builder = register(Db::mongo(database.clone())).keys(testing::keyring().unwrap());
    let db = builder.build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let bot = db.global_context(Operator::Bot);
    let campaign = write(&bot).await;

    let (uri, name) = (
        model_tests::server::server().await.uri(),
        database.name().to_owned(),
    );
    let agree = move || example_support::mongoose(env!("CARGO_MANIFEST_DIR"), uri, &name);
    let Some(seen) = tokio::task::spawn_blocking(agree).await.unwrap().unwrap() else {
        return;
    };
    let (shown, post, log) = (
        one(&seen, "Campaign"),
        one(&seen, "PostHistory"),
        one(&seen, "AuditLog"),
    );
    assert_eq!(
        shown["performance"],
        json!({ "views": 100, "clicks": 5, "ctr": 0.05, "revenue": 2.5 })
    );
    assert_eq!(
        (&shown["limits"]["weekly"], &shown["type"]),
        (&json!(50), &json!("casino"))
    );
    assert_eq!(
        (&post["campaignId"], &post["metrics"]["views"]),
        (&shown["_id"], &json!(100))
    );
    assert_eq!(
        (&log["action"], &log["metadata"]["success"], log.get("createdAt")),
        (&json!("login"), &json!(true), None)
    );
    assert_eq!(one(&seen, "User")["role"], "operator");

    // Ours, after Mongoose saved it; and what Mongoose made.
    assert_eq!(
        Campaign::fetch(&bot, &campaign.id)
            .await
            .unwrap()
            .performance
            .views,
        100
    );
    let old = User::get_by(&bot, |u| u.email.eq("old@example.com"))
        .await
        .unwrap()
        .unwrap();
    assert!(old.role == Role::Admin && old.last_login_at.is_none());
    let link = MagicLink::send(&bot, "old@example.com").await.unwrap().unwrap();
    assert!(MagicLink::sign_in(&bot, &link).await.unwrap().is_some());
    let old = Campaign::query(&bot)
        .filter(|c| c.name.eq("Old"))
        .first()
        .await
        .unwrap()
        .unwrap();
    assert!(old.schedule.hours == [8, 20] && old.status == CampaignStatus::Draft && old.limits.daily == 10);
    let more = PostMetrics {
        views: 10,
        clicks: 3,
        ..Default::default()
    };
    let added = Campaign::add_performance(&bot, &old.id, &more, 1.0)
        .await
        .unwrap();
    assert_eq!(
        added.performance,
        Performance {
            views: 20,
            clicks: 4,
            ctr: 0.2,
            revenue: 1.0
        }
    );
    let post = PostHistory::query(&bot)
        .filter(|p| p.campaign_id.eq(&old.id))
        .first()
        .await
        .unwrap()
        .unwrap();
    assert!(post.status == PostStatus::Sent && post.metrics.clicks == 1 && post.message_id.is_none());
    let log = AuditLog::since(&bot, DateTime::UNIX_EPOCH).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        ["login", "update", "login"],
        "the newest first, whoever wrote it"
    );
    let metadata = &log[1].metadata;
    assert_eq!(
        (metadata.route.as_deref(), metadata.duration),
        (Some("campaign.update"), Some(12))
    );
}
