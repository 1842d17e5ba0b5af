//! The models of the dashboard and what is easily got wrong with them, on both stores.

use std::collections::BTreeSet;

use bson::oid::ObjectId;
use bson::{Document, doc};
use chrono::TimeDelta;
use example_support::on_both_stores;
use model_core::audit::RequestMeta;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, SyncOptions};
use telegram_ads::*;

struct App {
    db: Db,
    clock: FixedClock,
    bot: Ctx,
    admin: Ctx,
    operator: Ctx,
    user: User,
}

async fn open(builder: DbBuilder) -> App {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let db = register(builder)
        .keys(testing::keyring().unwrap())
        .clock(clock.clone())
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.check_indexes().await.unwrap();
    let bot = db.global_context(Operator::Bot);
    let user = |email: &str, role| NewUser {
        email: email.into(),
        name: "N".into(),
        optional: NewUserOptional {
            role,
            ..Default::default()
        },
    };
    let ada = User::create(&bot, user("ada@example.com", Some(Role::Admin)))
        .await
        .unwrap();
    let user = User::create(&bot, user(" Olga@Example.com", None)).await.unwrap();
    App {
        admin: db.global_context(Operator::person(&ada)),
        operator: db.global_context(Operator::person(&user)),
        db,
        clock,
        bot,
        user,
    }
}

impl App {
    async fn stored(&self, collection: &'static str) -> Vec<Document> {
        testing::stored(&self.db, collection).await.unwrap()
    }

    async fn campaign(&self, daily: i64, weekly: i64) -> Campaign {
        let new = NewCampaign {
            name: "Spring".into(),
            kind: CampaignType::Casino,
            optional: NewCampaignOptional {
                status: Some(CampaignStatus::Active),
                limits: Some(Limits { daily, weekly }),
                creatives: Some(vec![Id::generate()]),
                target_groups: Some(vec![Id::generate()]),
                ..Default::default()
            },
        };
        Campaign::create(&self.operator, new).await.unwrap()
    }

    async fn enqueue(&self, campaign: &Campaign) -> ScheduledPost {
        let new = NewScheduledPost {
            campaign_id: campaign.id.clone(),
            group_id: campaign.target_groups[0].clone(),
            creative_id: campaign.creatives[0].clone(),
            scheduled_for: self.bot.now(),
            optional: Default::default(),
        };
        ScheduledPost::create(&self.operator, new).await.unwrap()
    }
}

on_both_stores! {
    open with open;

    /// A link is good for 15 minutes and for one of those who click at once; a stranger gets none.
    async fn magic_links(app: App) {
        assert!(MagicLink::send(&app.bot, "nobody@example.com").await.unwrap().is_none());
        let late = MagicLink::send(&app.bot, "OLGA@example.com ").await.unwrap().unwrap();
        app.clock.advance(TimeDelta::minutes(15));
        assert!(MagicLink::sign_in(&app.bot, &late).await.unwrap().is_none());
        let link = MagicLink::send(&app.bot, "olga@example.com").await.unwrap().unwrap();
        app.clock.advance(TimeDelta::milliseconds(15 * 60_000 - 1));
        let clicks: Vec<_> = (0..6).map(|_| {
            let (bot, link) = (app.bot.clone(), link.clone());
            tokio::spawn(async move { MagicLink::sign_in(&bot, &link).await })
        }).collect();
        let mut cookies = Vec::new();
        for click in clicks {
            cookies.extend(click.await.unwrap().unwrap());
        }
        assert_eq!((cookies.len(), app.stored("sessions").await.len()), (1, 1));
        assert_eq!(User::fetch(&app.bot, &app.user.id).await.unwrap().last_login_at, Some(app.bot.now()));
        let ttl = MagicLink::schema().indexes.iter().find_map(|index| index.expire_after_seconds);
        assert_eq!(ttl, Some(15 * 60));
        let everything = format!("{:?}", (app.stored("magiclinks").await, app.stored("sessions").await));
        assert!(!everything.contains(link.expose()) && !everything.contains(cookies[0].expose()));
    }

    /// A session has its operator until it expires, even where the server has not removed it yet.
    async fn sessions(app: App) {
        let request = RequestMeta::new().ip("203.0.113.7").user_agent("Firefox");
        let bot = app.bot.clone().with_request(request);
        let token = Session::open(&bot, &app.user.id).await.unwrap();
        let presented = Token::presented(token.expose());
        let operator = Session::operator(&bot, &presented).await.unwrap().unwrap();
        assert!(operator.id() == Some(&app.user.id) && !operator.is_admin());
        assert_eq!(app.stored("sessions").await[0].get_str("ipAddress").unwrap(), "203.0.113.7");
        assert!(Session::operator(&bot, &Token::presented("guess")).await.unwrap().is_none());
        assert_eq!(Session::query(&app.admin).count().await.unwrap(), 0, "an admin sees no session");
        app.clock.advance(TimeDelta::days(7));
        assert!(Session::operator(&bot, &presented).await.unwrap().is_none());
        Session::open(&bot, &app.user.id).await.unwrap();
        assert_eq!(Session::close_all(&bot, &app.user.id).await.unwrap(), 2);
    }

    /// `findOne` or create: whoever comes first, there is one; its token is sealed.
    async fn settings_are_one(app: App) {
        let loads: Vec<_> = (0..6).map(|n| {
            let ctx = if n % 2 == 0 { app.operator.clone() } else { app.bot.clone() };
            tokio::spawn(async move { Settings::load(&ctx).await.unwrap().id })
        }).collect();
        let mut ids = BTreeSet::new();
        for load in loads {
            ids.insert(load.await.unwrap());
        }
        assert_eq!((ids.len(), app.stored("settings").await.len()), (1, 1));
        let id = ids.pop_first().unwrap();
        let patch = || SettingsPatch { bot_token: Set(Some(Secret::from("4242:t"))), ..Default::default() };
        assert!(Settings::update(&app.operator, &id, patch()).await.unwrap_err().is_forbidden());
        Settings::update(&app.admin, &id, patch()).await.unwrap();
        let everything = format!("{:?}", (app.stored("settings").await, app.stored("audit_log").await));
        assert!(!everything.contains("4242:t"));
        let loaded = Settings::load(&app.bot).await.unwrap();
        assert_eq!(loaded.bot_token.unwrap().reveal(&app.bot).await.unwrap().expose(), "4242:t");
    }

    /// Many workers, each entry once; an entry that fails waits again, three times in all.
    async fn the_queue(app: App) {
        let campaign = app.campaign(100, 100).await;
        for _ in 0..8 {
            app.enqueue(&campaign).await;
        }
        let workers: Vec<_> = (0..4).map(|worker| {
            let bot = app.bot.clone();
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Some(entry) = ScheduledPost::take(&bot, &format!("w{worker}")).await.unwrap() {
                    taken.push(entry.id);
                }
                taken
            })
        }).collect();
        let mut taken = Vec::new();
        for worker in workers {
            taken.extend(worker.await.unwrap());
        }
        assert_eq!((taken.len(), taken.iter().collect::<BTreeSet<_>>().len()), (8, 8));
        for status in [QueueStatus::Pending, QueueStatus::Pending, QueueStatus::Failed] {
            assert!(ScheduledPost::failed(&app.bot, &taken[0], "flood").await.unwrap().status == status);
        }
        let later = ScheduledPostPatch {
            status: Set(QueueStatus::Pending),
            scheduled_for: Set(app.bot.now() + TimeDelta::seconds(1)),
            ..Default::default()
        };
        ScheduledPost::update(&app.bot, &taken[1], later).await.unwrap();
        assert!(ScheduledPost::take(&app.bot, "early").await.unwrap().is_none());
    }

    /// The limits hold for posts at once, by day and by week; what is posted is posted once.
    async fn limits(app: App) {
        let campaign = app.campaign(3, 4).await;
        let mut entries = Vec::new();
        for _ in 0..6 {
            app.enqueue(&campaign).await;
            entries.push(ScheduledPost::take(&app.bot, "w").await.unwrap().unwrap());
        }
        let posts: Vec<_> = entries.iter().cloned().map(|entry| {
            let bot = app.bot.clone();
            tokio::spawn(async move { PostHistory::reserve(&bot, &entry).await })
        }).collect();
        let mut reserved = Vec::new();
        for post in posts {
            match post.await.unwrap() {
                Ok(history) => reserved.push(history),
                Err(error) => assert!(error.is_refused(), "{error}"),
            }
        }
        assert_eq!((reserved.len(), app.stored("posthistories").await.len()), (3, 3));
        let posted = ScheduledPost::posted(&app.bot, &entries[0].id, &reserved[0].id, 7).await.unwrap();
        assert!(posted.status == QueueStatus::Posted);
        let again = ScheduledPost::posted(&app.bot, &entries[0].id, &reserved[0].id, 8).await.unwrap_err();
        assert!(again.is_refused());
        assert_eq!(PostHistory::fetch(&app.bot, &reserved[0].id).await.unwrap().message_id, Some(7), "nothing of it stays");
        app.clock.advance(TimeDelta::days(1));
        PostHistory::reserve(&app.bot, &entries[3]).await.unwrap();
        assert!(PostHistory::reserve(&app.bot, &entries[4]).await.unwrap_err().is_refused(), "four in a week");
        let patch = CampaignPatch { status: Set(CampaignStatus::Paused), ..Default::default() };
        Campaign::update(&app.operator, &campaign.id, patch).await.unwrap();
        app.clock.advance(TimeDelta::days(7));
        assert!(PostHistory::reserve(&app.bot, &entries[4]).await.unwrap_err().is_refused());
    }

    /// Only what was not counted yet is added, ctr follows, and nobody else writes it.
    async fn performance(app: App) {
        let campaign = app.campaign(10, 10).await;
        app.enqueue(&campaign).await;
        let entry = ScheduledPost::take(&app.bot, "w").await.unwrap().unwrap();
        let post = PostHistory::reserve(&app.bot, &entry).await.unwrap();
        for (views, clicks, revenue) in [(100, 5, 1.5), (100, 5, 1.5), (400, 20, 4.0)] {
            let metrics = PostMetrics { views, clicks, ..Default::default() };
            PostHistory::measured(&app.bot, &post.id, metrics, revenue).await.unwrap();
        }
        let lines = Campaign::query(&app.operator).select::<CampaignLine>().await.unwrap();
        let expected = Performance { views: 400, clicks: 20, ctr: 0.05, revenue: 4.0 };
        assert!(lines.len() == 1 && lines[0].performance == expected, "{:?}", lines[0].performance);
        let json = r#"{"performance": {"views": 1000000}}"#;
        let patch = CampaignPatch::from_json(json).unwrap();
        assert!(Campaign::update(&app.admin, &campaign.id, patch).await.unwrap_err().is_forbidden());
        let json = r#"{"name": "N", "type": "onlyfans", "performance": {"views": 1000000}}"#;
        let refused = Campaign::create(&app.operator, NewCampaign::from_json(json).unwrap()).await.unwrap_err();
        assert!(refused.is_forbidden(), "{refused}");
        let json = r#"{"name": "N", "type": "onlyfans"}"#;
        let created = Campaign::create(&app.operator, NewCampaign::from_json(json).unwrap()).await.unwrap();
        assert!(created.performance == Performance::default() && created.limits.daily == 10 && created.limits.weekly == 50);
        let bad = CampaignPatch { limits: Merge(LimitsPatch { daily: Set(60), ..Default::default() }), ..Default::default() };
        let error = Campaign::update(&app.operator, &created.id, bad).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "limits.weekly");
    }

    /// The log's time is its metadata's, for what is written now and what the old service wrote; it is never changed.
    async fn the_audit_log(app: App) {
        let old = doc! {
            "_id": ObjectId::from_bytes([1; 12]), "userId": app.user.id.as_object_id(), "action": "update",
            "entityType": "Campaign", "entityId": "x", "changes": { "before": { "status": "draft" }, "after": { "status": "active" } },
            "metadata": { "ipAddress": "198.51.100.1", "route": "campaign.update", "duration": 12, "success": true,
                "timestamp": bson::DateTime::from_millis(1_700_000_000_000) }, "__v": 0,
        };
        testing::store_raw(&app.db, "auditlogs", &old).await.unwrap();
        let request = RequestMeta::new().ip("203.0.113.7").route("auth.verify");
        let bot = app.bot.clone().with_request(request);
        AuditLog::action(&bot, &Operator::person(&app.user), "login", &app.user.id).await.unwrap();
        let log = AuditLog::since(&app.admin, DateTime::UNIX_EPOCH).await.unwrap();
        let facts: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.metadata.timestamp.timestamp())).collect();
        assert_eq!(facts, [("login", app.bot.now().timestamp()), ("update", 1_700_000_000)]);
        assert_eq!(log[0].metadata.ip_address.as_deref(), Some("203.0.113.7"));
        assert!(log[1].changes.before.as_ref().unwrap().as_document().unwrap().get_str("status").is_ok());
        assert_eq!(AuditLog::since(&app.admin, app.bot.now()).await.unwrap().len(), 1);
        assert!(AuditLog::since(&app.operator, DateTime::UNIX_EPOCH).await.unwrap().is_empty());
        assert!(!app.stored("auditlogs").await[1].contains_key("createdAt"));
        // A change is audited by its model, with who and where from.
        let campaign = app.campaign(1, 7).await;
        let entries = app.admin.audit_log().of::<Campaign>(&campaign.id).await.unwrap();
        assert_eq!((entries[0].event.as_str(), &entries[0].actor.id), ("campaign.create", &app.user.id.to_string()));
        assert!(app.operator.audit_log().await.unwrap_err().is_forbidden());
    }

    /// What the other models declare.
    async fn the_rest(app: App) {
        let casino = NewCasino {
            brand: "Lucky".into(),
            optional: NewCasinoOptional { blocked_countries: Some(vec!["nl".into()]), ..Default::default() },
        };
        assert!(Casino::create(&app.operator, casino.clone()).await.unwrap_err().is_forbidden());
        let casino = Casino::create(&app.admin, casino).await.unwrap();
        assert!(casino.risk_level == RiskLevel::Medium && casino.blocked_countries == ["NL"]);
        let creator = r#"{"name": "Mia", "username": " MIA ", "profileUrl": "https://example.com/mia"}"#;
        let creator = Creator::create(&app.operator, NewCreator::from_json(creator).unwrap()).await.unwrap();
        assert_eq!((creator.username.as_str(), app.stored("models").await.len()), ("mia", 1));
        let deal = format!(r#"{{"title": "D", "partner": {{"type": "casino", "id": "{}"}}, "terms": {{"type": "cpa", "amount": 4200}}, "currency": "eur"}}"#, casino.id);
        let deal = Deal::create(&app.admin, NewDeal::from_json(&deal).unwrap()).await.unwrap();
        assert!(deal.partner == Partner::Casino { id: casino.id } && deal.terms == Terms::Cpa { amount: 4_200 });
        assert_eq!((deal.currency.as_str(), Deal::query(&app.operator).count().await.unwrap()), ("EUR", 0));
        let bad = r#"{"name": "C", "content": {"type": "image", "url": "no url"}}"#;
        let error = Creative::create(&app.operator, NewCreative::from_json(bad).unwrap()).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "content.url");
        let group = NewTelegramGroup { chat_id: -100, title: "G".into(), optional: Default::default() };
        let group_again = group.clone();
        let group = TelegramGroup::create(&app.operator, group).await.unwrap();
        assert!(TelegramGroup::create(&app.operator, group_again).await.unwrap_err().is_duplicate());
        app.clock.advance(TimeDelta::seconds(1));
        let paused = TelegramGroupPatch { status: Set(GroupStatus::Paused), ..Default::default() };
        let paused = TelegramGroup::update(&app.operator, &group.id, paused).await.unwrap();
        assert_eq!(paused.updated_at - paused.created_at, TimeDelta::seconds(1));
    }
}
