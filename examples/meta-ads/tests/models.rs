//! The models and the service over them, on both stores.

use bson::doc;
use chrono::TimeDelta;
use example_support::on_both_stores;
use meta_ads::client::{Client, Reply};
use meta_ads::service::{App as Service, serve};
use meta_ads::*;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, SyncOptions};
use serde_json::{Value, json};
use tokio::net::TcpListener;

struct App {
    db: Db,
    clock: FixedClock,
    acme: Ctx,
    globex: Ctx,
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
    let service = db.global_context(Account::Service);
    let mut tenants = Vec::new();
    for slug in ["acme", "globex"] {
        let new = NewTenant {
            name: slug.into(),
            slug: slug.into(),
            optional: Default::default(),
        };
        tenants.push(service.enter(&Tenant::create(&service, new).await.unwrap().id));
    }
    let (globex, acme) = (tenants.pop().unwrap(), tenants.pop().unwrap());
    App {
        db,
        clock,
        acme,
        globex,
    }
}

impl App {
    async fn user(&self, ctx: &Ctx, email: &str, role: Role) -> User {
        let new = NewUser {
            email: email.into(),
            password: NewPassword::new("correct horse".to_owned()).unwrap(),
            first_name: "Ada".into(),
            optional: NewUserOptional {
                last_name: Some("Lovelace".into()),
                phone: Some(Secret::from("+44 20 7946 0018")),
                role: Some(role),
                ..Default::default()
            },
        };
        User::create(ctx, new).await.unwrap()
    }

    async fn connection(&self, ctx: &Ctx) -> MetaConnection {
        let new = NewMetaConnection {
            ad_account_id: "act_42".into(),
            access_token: Secret::from("EAAB4242"),
            optional: Default::default(),
        };
        MetaConnection::create(ctx, new).await.unwrap()
    }

    /// The service on a free port, for as long as the test runs.
    async fn client(&self) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(
            Service::new(self.db.clone()),
            listener,
            std::future::pending(),
        ));
        Client::new(address)
    }
}

fn paths(reply: &Reply) -> Vec<&str> {
    reply.body["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["path"].as_str().unwrap())
        .collect()
}

on_both_stores! {
    open with open;

    /// Every model has timestamps, a view without secrets, virtuals in it; tokens and passwords are nowhere in the clear.
    async fn what_every_model_must_have(app: App) {
        let user = app.user(&app.acme, " Ada@Acme.example", Role::Editor).await;
        let connection = app.connection(&app.acme).await;
        app.clock.advance(TimeDelta::seconds(1));
        let until = app.acme.now() + TimeDelta::days(60);
        let renewed = MetaConnection::renew(&app.acme, &connection.id, "EAAB4343", "R4343", until).await.unwrap();
        assert_eq!(renewed.updated_at - renewed.created_at, TimeDelta::seconds(1));
        let json = serde_json::to_value(user.into_view(&app.acme)).unwrap();
        assert_eq!((&json["email"], &json["displayName"]), (&json!("ada@acme.example"), &json!("Ada Lovelace")));
        assert!(["password", "phone", "__v"].iter().all(|key| json.get(key).is_none()), "{json}");
        let phone = User::query(&app.acme).first().await.unwrap().unwrap().phone.unwrap();
        assert_eq!(phone.reveal(&app.acme).await.unwrap().expose(), "+44 20 7946 0018");
        let json = serde_json::to_value(renewed.into_view(&app.acme)).unwrap();
        assert!(json.get("accessToken").is_none() && json.get("refreshToken").is_none() && json["isUsable"] == true);
        let mut everything = String::new();
        for collection in ["users", "metaconnections", "audit_log"] {
            everything += &format!("{:?}", testing::stored(&app.db, collection).await.unwrap());
        }
        for secret in ["EAAB", "R4343", "correct horse", "7946"] {
            assert!(!everything.contains(secret), "{secret}");
        }
        let token = MetaConnection::token(&app.acme, &connection.id).await.unwrap();
        assert_eq!(token.expose(), "EAAB4343");
    }

    /// Plaintext of before is read and sealed by the next write.
    async fn a_connection_of_before(app: App) {
        let date = bson::DateTime::from_millis(1_700_000_000_000);
        let tenant = app.connection(&app.acme).await;
        let stored = testing::stored(&app.db, "metaconnections").await.unwrap().remove(0);
        MetaConnection::delete(&app.acme, &tenant.id).await.unwrap();
        let old = doc! {
            "_id": stored.get("_id").unwrap().clone(), "tenantId": stored.get("tenantId").unwrap().clone(),
            "adAccountId": "act_7", "accessToken": "EAABold", "scopes": [], "status": "active", "createdAt": date, "updatedAt": date, "__v": 0,
        };
        testing::store_raw(&app.db, "metaconnections", &old).await.unwrap();
        assert_eq!(MetaConnection::token(&app.acme, &tenant.id).await.unwrap().expose(), "EAABold");
        let patch = MetaConnectionPatch { scopes: Set(vec!["ads_read".into()]), ..Default::default() };
        MetaConnection::update(&app.acme, &tenant.id, patch).await.unwrap();
        let stored = testing::stored(&app.db, "metaconnections").await.unwrap().remove(0);
        assert!(!format!("{stored:?}").contains("EAABold") && stored.get_i32("__v").unwrap() == 0);
        assert_eq!(MetaConnection::token(&app.acme, &tenant.id).await.unwrap().expose(), "EAABold");
    }

    /// A bcrypt hash of before lets in, and is stored as today's are; a wrong password changes nothing.
    async fn an_old_password(app: App) {
        app.user(&app.acme, "ada@acme.example", Role::Admin).await;
        let mut old = testing::stored(&app.db, "users").await.unwrap().remove(0);
        old.insert("_id", bson::oid::ObjectId::from_bytes([9; 12]));
        old.insert("email", "old@acme.example");
        // Of `correct horse battery`, at cost 6.
        old.insert("password", "$2b$06$abcdefghijklmnopqrstuu50eFBEC8vQwBnuFXMHE45jBnqvQ8xz.");
        testing::store_raw(&app.db, "users", &old).await.unwrap();
        let service = app.db.global_context(Account::Service);
        for (password, lets_in, bcrypt) in [("guess", false, true), ("correct horse battery", true, false), ("correct horse battery", true, false)] {
            let user = User::sign_in(&service, "old@acme.example", password.to_owned()).await.unwrap();
            assert_eq!(user.is_some(), lets_in);
            let stored = testing::stored(&app.db, "users").await.unwrap();
            assert_eq!(format!("{stored:?}").contains("$2b$"), bcrypt);
        }
    }

    /// Simple rules, and those across fields and documents, all at once.
    async fn validators(app: App) {
        let connection = app.connection(&app.globex).await;
        let new = json!({
            "name": " ", "objective": "OUTCOME_LEADS", "budget": { "daily": 500, "lifetime": 200 },
            "connection": connection.id, "startsAt": "2026-03-02T00:00:00Z", "endsAt": "2026-03-01T00:00:00Z",
        });
        let error = Campaign::create(&app.acme, NewCampaign::from_json(&new.to_string()).unwrap()).await.unwrap_err();
        let paths: Vec<_> = error.violations().iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, ["name", "endsAt", "budget.lifetime", "connection"]);
        let new = NewMetaConnection { ad_account_id: "42".into(), access_token: Secret::from("t"), optional: Default::default() };
        let error = MetaConnection::create(&app.acme, new).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "adAccountId");
    }

    /// An hour is told again, with more or less; what is new is one more measurement, and sums are of the tenant's own.
    async fn performance(app: App) {
        let campaign = Id::generate();
        let (hour, told) = (app.acme.now(), |impressions| Metrics { impressions, clicks: 3, spend: 10, ..Default::default() });
        for (ctx, impressions, new) in [(&app.acme, 150, true), (&app.acme, 150, false), (&app.acme, 100, true), (&app.globex, 7, true)] {
            let stored = PerformanceSnapshot::record(ctx, &campaign, hour, told(impressions)).await.unwrap();
            assert_eq!(stored.is_some(), new);
        }
        PerformanceSnapshot::record(&app.acme, &campaign, hour - TimeDelta::hours(10), told(30)).await.unwrap();
        let stored = PerformanceSnapshot::query(&app.acme).sort(|s| s.created_at.asc()).await.unwrap();
        assert_eq!(stored.iter().map(|s| s.metrics.impressions).collect::<Vec<_>>(), [150, -50, 30]);
        assert!((stored[0].ctr() - 0.02).abs() < f64::EPSILON);
        let totals = PerformanceSnapshot::totals(&app.acme, hour).await.unwrap();
        assert_eq!((totals.len(), totals[0].impressions, totals[0].clicks), (1, 100, 3));
        let days = PerformanceSnapshot::days(&app.acme, &campaign, hour - TimeDelta::days(7)).await.unwrap();
        let days: Vec<_> = days.iter().map(|d| (d.day.to_rfc3339(), d.impressions, d.spend)).collect();
        assert_eq!(days, [("2026-03-01T00:00:00+00:00".to_owned(), 100, 10), ("2026-02-28T00:00:00+00:00".to_owned(), 30, 10)]);
    }

    /// Sign-in and out of another's reach; a session ends; roles are asked; a status for each.
    async fn the_service_signs_in(app: App) {
        app.user(&app.acme, "ada@acme.example", Role::Admin).await;
        let vic = app.user(&app.acme, "vic@acme.example", Role::Viewer).await;
        app.user(&app.globex, "rita@globex.example", Role::Admin).await;
        let anybody = app.client().await;
        assert_eq!(anybody.get("/users").await.unwrap().status, 401);
        assert_eq!(anybody.sign_in("ada@acme.example", "guess").await.unwrap().get("/users").await.unwrap().status, 401);
        assert_eq!(anybody.get("/health").await.unwrap().body, json!({ "status": "ok" }));
        let ada = anybody.sign_in("ADA@acme.example", "correct horse").await.unwrap();
        let users = ada.get("/users?sort=created_at").await.unwrap();
        assert_eq!(users.status, 422, "stored names are not the API's: {}", users.body);
        let users = ada.get("/users?sort=createdAt").await.unwrap();
        assert_eq!(users.body["items"].as_array().unwrap().len(), 2);
        assert!(!users.body.to_string().contains("password"));
        let vic = (anybody.sign_in("vic@acme.example", "correct horse").await.unwrap(), format!("/users/{}", vic.id));
        let role = |client: Client| {
            let path = vic.1.clone();
            async move { client.send("PATCH", &path, None, Some(&json!({ "role": "admin" }))).await.unwrap() }
        };
        assert_eq!(role(vic.0.clone()).await.status, 403);
        let named = vic.0.send("PATCH", &vic.1, None, Some(&json!({ "firstName": " Vic " }))).await.unwrap();
        assert_eq!((named.status, &named.body["displayName"]), (200, &json!("Vic Lovelace")));
        let rita = anybody.sign_in("rita@globex.example", "correct horse").await.unwrap();
        assert_eq!(role(rita.clone()).await.status, 404);
        assert_eq!(rita.get(&vic.1).await.unwrap().status, 404);
        assert_eq!(rita.send("DELETE", &vic.1, None, None).await.unwrap().status, 404);
        assert_eq!(role(ada.clone()).await.status, 200);
        let again = json!({ "email": "vic@acme.example", "password": "correct horse", "firstName": "V" });
        assert_eq!(rita.post("/users", &again).await.unwrap().status, 409, "an e-mail is one tenant's");
        assert_eq!(ada.get("/users/nonsense").await.unwrap().status, 404);
        let entry = app.acme.audit_log().of::<User>(&Id::parse(&vic.1[7..]).unwrap()).await.unwrap().remove(0);
        assert!(entry.request.route.unwrap().starts_with("PATCH /") && entry.event == "user.update");
        app.clock.advance(TimeDelta::hours(12));
        assert_eq!(ada.get("/users").await.unwrap().status, 401);
    }

    /// Input errors with paths, If-Match, pages, filters that are not declared.
    async fn the_service_serves_campaigns(app: App) {
        app.user(&app.acme, "ada@acme.example", Role::Admin).await;
        let connection = app.connection(&app.acme).await;
        let ada = app.client().await.sign_in("ada@acme.example", "correct horse").await.unwrap();
        let new = |name: String| {
            json!({ "name": name, "objective": "OUTCOME_SALES", "budget": { "daily": 5000 }, "connection": connection.id })
        };
        let bad = json!({ "tenantId": "x", "budget": { "daily": "y" }, "createdAt": 1 });
        let bad = ada.post("/campaigns", &bad).await.unwrap();
        assert_eq!((bad.status, paths(&bad)), (422, vec!["tenantId", "connection", "name", "objective", "budget.daily", "createdAt"]));
        let mut made = Vec::new();
        for number in 0..5 {
            let campaign = ada.post("/campaigns", &new(format!("C{number}"))).await.unwrap();
            assert_eq!(campaign.status, 201);
            made.push(campaign);
        }
        let (path, seen) = (format!("/campaigns/{}", made[0].body["id"].as_str().unwrap()), made[0].etag.as_deref());
        let patch = |status: &str| json!({ "status": status, "budget": { "daily": 200 } });
        let active = ada.send("PATCH", &path, seen, Some(&patch("ACTIVE"))).await.unwrap();
        assert_eq!((active.status, &active.body["budget"]["daily"]), (200, &json!(200)));
        assert_ne!(active.etag, made[0].etag);
        assert_eq!(ada.send("PATCH", &path, seen, Some(&patch("PAUSED"))).await.unwrap().status, 412);
        assert_eq!(ada.send("DELETE", &path, seen, None).await.unwrap().status, 412);
        assert_eq!(ada.send("PATCH", &path, Some("\"x\""), Some(&patch("PAUSED"))).await.unwrap().status, 422);
        let echo: Value = ada.get(&path).await.unwrap().body;
        let moved = ada.send("PATCH", &path, None, Some(&json!({ "objective": "OUTCOME_LEADS", "id": echo["id"] }))).await.unwrap();
        assert_eq!((moved.status, paths(&moved)), (422, vec!["objective"]));
        let (mut query, mut names) = ("sort=-name&limit=2".to_owned(), Vec::new());
        loop {
            let page = ada.get(&format!("/campaigns?{query}")).await.unwrap().body;
            names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            query = format!("sort=-name&limit=2&after={next}");
        }
        assert_eq!(names, ["C4", "C3", "C2", "C1", "C0"]);
        let one = ada.get("/campaigns?status=ACTIVE&budget.daily[lte]=200&name[starts_with]=C").await.unwrap();
        assert_eq!(one.body["items"].as_array().unwrap().len(), 1);
        let refused = ada.get("/campaigns?metaCampaignId=1&$where=1").await.unwrap();
        assert_eq!((refused.status, paths(&refused)), (422, vec!["/metaCampaignId"]));
        assert_eq!(ada.send("DELETE", &path, None, None).await.unwrap().status, 204);
        assert_eq!(ada.send("DELETE", &path, None, None).await.unwrap().status, 404);
        let api = ada.get("/openapi.json").await.unwrap().body;
        assert_eq!(api["components"]["schemas"]["NewCampaign"]["additionalProperties"], false);
        assert!(!api["components"]["schemas"]["MetaConnection"].to_string().contains("accessToken"));
        assert!(api["components"]["schemas"]["NewMetaConnection"].to_string().contains("accessToken"));
        assert_eq!(ada.post("/snapshots", &json!({})).await.unwrap().status, 405);
        let campaign = Id::parse(made[1].body["id"].as_str().unwrap()).unwrap();
        let metrics = Metrics { impressions: 9, spend: 70, ..Default::default() };
        let measured = PerformanceSnapshot::record(&app.acme, &campaign, app.acme.now(), metrics).await.unwrap().unwrap();
        let snapshot = ada.get(&format!("/snapshots/{}", measured.id)).await.unwrap().body;
        assert_eq!((&snapshot["metrics"]["spend"], &snapshot["campaign"]), (&json!(70), &json!(campaign)));
        let days = ada.get(&format!("/campaigns/{campaign}/days")).await.unwrap().body;
        assert_eq!(days, json!({ "items": [{ "day": "2026-03-01T00:00:00Z", "impressions": 9, "clicks": 0, "spend": 70 }] }));
        app.user(&app.globex, "rita@globex.example", Role::Admin).await;
        let rita = app.client().await.sign_in("rita@globex.example", "correct horse").await.unwrap();
        assert_eq!(rita.get(&format!("/campaigns/{campaign}/days")).await.unwrap().status, 404);
    }
}
