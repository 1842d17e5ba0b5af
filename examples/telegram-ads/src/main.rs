//! A day of the dashboard: a magic link, a campaign, a queue with two workers, what came of it.
//!
//! `cargo run -p telegram-ads` runs on the embedded store; with `MONGODB_URI` set, the same runs on that server.

#![allow(clippy::print_stdout, reason = "the output is what this program is for")]

use chrono::TimeDelta;
use example_support::{heading, json, line, on_a_store, prepare, refused, stored};
use model_core::DbBuilder;
use model_core::audit::RequestMeta;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use telegram_ads::*;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    on_a_store("telegram_ads", tour).await
}

async fn tour(builder: DbBuilder) -> Result<()> {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    // Nothing connects before the first operation.
    let db = register(builder)
        .keys(testing::keyring()?)
        .clock(clock.clone())
        .build_lazy()?;
    prepare(&db).await?;
    let request = RequestMeta::new()
        .ip("203.0.113.7")
        .user_agent("Firefox")
        .route("auth.verify");
    let bot = db.global_context(Operator::Bot).with_request(request);
    let ada = sign_in(&db, &clock, &bot).await?;
    settings(&ada, &bot).await?;
    let campaign = campaign(&ada).await?;
    queue(&bot, &clock, &campaign).await?;
    performance(&db, &ada, &bot).await?;
    audit(&ada, &campaign).await
}

async fn sign_in(db: &Db, clock: &FixedClock, bot: &Ctx) -> Result<Ctx> {
    heading("Magic links: 15 minutes, once");
    let new = NewUser {
        email: " Ada@Example.com".into(),
        name: "Ada".into(),
        optional: NewUserOptional {
            role: Some(Role::Admin),
            ..Default::default()
        },
    };
    User::create(bot, new).await?;
    line(format!(
        "a stranger gets a link: {}",
        MagicLink::send(bot, "eve@example.com").await?.is_some()
    ));
    let Some(late) = MagicLink::send(bot, "ada@example.com").await? else {
        return Err(Error::refused("ada gets a link"));
    };
    clock.advance(TimeDelta::minutes(15));
    line(format!(
        "after 15 minutes it signs in: {}",
        MagicLink::sign_in(bot, &late).await?.is_some()
    ));
    let link = MagicLink::send(bot, "ada@example.com").await?.unwrap_or(late);
    let cookie = MagicLink::sign_in(bot, &link).await?;
    line(format!(
        "a fresh one signs in: {}, and once more: {}",
        cookie.is_some(),
        MagicLink::sign_in(bot, &link).await?.is_some()
    ));
    let Some(cookie) = cookie else {
        return Err(Error::refused("ada signs in"));
    };
    stored(db, "sessions").await?;
    match Session::operator(bot, &cookie).await? {
        Some(operator) => Ok(db.global_context(operator)),
        None => Err(Error::refused("the session is ada's")),
    }
}

async fn settings(ada: &Ctx, bot: &Ctx) -> Result<()> {
    heading("Settings: one document, found or made");
    let (one, two) = (Settings::load(ada).await?, Settings::load(bot).await?);
    line(format!("loaded twice, one document: {}", one.id == two.id));
    let patch = SettingsPatch {
        bot_token: Set(Some(Secret::from("4242:telegram"))),
        posting_enabled: Set(true),
        ..Default::default()
    };
    json(&Settings::update(ada, &one.id, patch).await?.into_view(ada));
    Ok(())
}

async fn campaign(ada: &Ctx) -> Result<Campaign> {
    heading("Campaigns: limits, schedule, and rules across fields");
    let group = NewTelegramGroup {
        chat_id: -100_4242,
        title: "Night owls".into(),
        optional: NewTelegramGroupOptional::default(),
    };
    let group = TelegramGroup::create(ada, group).await?;
    let creative = NewCreative {
        name: "Banner".into(),
        content: Content::Image {
            url: "https://cdn.example.com/1.png".into(),
            caption: None,
        },
        optional: NewCreativeOptional::default(),
    };
    let creative = Creative::create(ada, creative).await?;
    let bad = r#"{"name": "Spring", "type": "poker", "limits": {"daily": 5, "hourly": 1}, "performance": 3}"#;
    refused("a campaign from JSON", NewCampaign::from_json(bad).map(drop))?;
    let good = r#"{"name": "Spring", "type": "casino", "limits": {"daily": 2}}"#;
    let mut new = NewCampaign::from_json(good)?;
    new.optional.status = Some(CampaignStatus::Active);
    refused(
        "an active one without anything to post",
        Campaign::create(ada, new.clone()).await,
    )?;
    new.optional.creatives = Some(vec![creative.id]);
    new.optional.target_groups = Some(vec![group.id]);
    let campaign = Campaign::create(ada, new).await?;
    json(&campaign.clone().into_view(ada));
    Ok(campaign)
}

async fn queue(bot: &Ctx, clock: &FixedClock, campaign: &Campaign) -> Result<()> {
    heading("The queue: an entry has one worker, and the limit holds");
    for minutes in [1, 2, 3, 600] {
        let new = NewScheduledPost {
            campaign_id: campaign.id.clone(),
            group_id: campaign.target_groups[0].clone(),
            creative_id: campaign.creatives[0].clone(),
            scheduled_for: bot.now() + TimeDelta::minutes(minutes),
            optional: NewScheduledPostOptional::default(),
        };
        ScheduledPost::create(bot, new).await?;
    }
    clock.advance(TimeDelta::minutes(5));
    for (number, worker) in (1..).zip(["one", "two", "one", "two"]) {
        let Some(entry) = ScheduledPost::take(bot, worker).await? else {
            line(format!("worker {worker} finds nothing that is due"));
            continue;
        };
        match PostHistory::reserve(bot, &entry).await {
            Ok(history) => {
                ScheduledPost::posted(bot, &entry.id, &history.id, number).await?;
                line(format!("worker {worker} posts message {number}"));
            }
            Err(error) => {
                let entry = ScheduledPost::failed(bot, &entry.id, "the limit is reached").await?;
                line(format!(
                    "worker {worker} is refused: {error}; attempts: {}",
                    entry.attempts
                ));
                clock.advance(TimeDelta::minutes(1));
            }
        }
    }
    Ok(())
}

async fn performance(db: &Db, ada: &Ctx, bot: &Ctx) -> Result<()> {
    heading("Performance: measured as a difference, read lean");
    let posts = PostHistory::query(bot).sort(|p| p.message_id.asc()).await?;
    for (post, views) in posts.iter().zip([400, 100]) {
        let metrics = PostMetrics {
            views,
            clicks: 20,
            ..Default::default()
        };
        PostHistory::measured(bot, &post.id, metrics.clone(), 12.5).await?;
        PostHistory::measured(bot, &post.id, metrics, 12.5).await?;
    }
    let query = "status=active&sort=-priority&limit=20";
    for campaign in Campaign::parse_query(query)?
        .query(ada, 100)
        .select::<CampaignLine>()
        .await?
    {
        json(&campaign.into_view(ada));
    }
    refused(
        "a filter that is not declared",
        Campaign::parse_query("performance.revenue[gt]=1").map(drop),
    )?;
    stored(db, "posthistories").await
}

async fn audit(ada: &Ctx, campaign: &Campaign) -> Result<()> {
    heading("The audit log: by its own time, and beside it that of each change");
    for entry in AuditLog::since(ada, DateTime::UNIX_EPOCH).await? {
        let metadata = &entry.metadata;
        line(format!(
            "{} {} from {:?} at {}",
            entry.entity_type, entry.action, metadata.ip_address, metadata.timestamp
        ));
    }
    for entry in ada.audit_log().of::<Campaign>(&campaign.id).await? {
        line(format!("{} {:?}", entry.event, entry.entity_name));
    }
    Ok(())
}
