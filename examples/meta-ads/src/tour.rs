//! The service as a client sees it, and what it does beside its clients.

use std::io;

use chrono::TimeDelta;
use example_support::{heading, json, line, prepare, refused, stored};
use meta_ads::client::Client;
use meta_ads::service::{App, serve};
use meta_ads::*;
use model_core::DbBuilder;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use serde_json::json;
use tokio::net::TcpListener;

use crate::customer;

pub(crate) async fn tour(builder: DbBuilder) -> Result<()> {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let db = register(builder)
        .keys(testing::keyring()?)
        .clock(clock.clone())
        .build_lazy()?;
    prepare(&db).await?;
    let acme = customer(&db, "acme", "ada@acme.example", "password of acme").await?;
    customer(&db, "globex", "rita@globex.example", "password of globex").await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::hook)?;
    let address = listener.local_addr().map_err(Error::hook)?;
    let service = tokio::spawn(serve(App::new(db.clone()), listener, async {
        let _ = stopped.await;
    }));
    let campaign = requests(Client::new(address)).await.map_err(Error::hook)?;
    models(&db, &acme, &clock, &campaign).await?;
    let _ = stop.send(());
    service.await.map_err(Error::hook)?.map_err(Error::hook)?;
    line("the service ended what it had begun, and stopped");
    Ok(())
}

/// As a client sees it; the id of the campaign that was made.
async fn requests(anybody: Client) -> io::Result<String> {
    heading("Sign-in: a bearer's token, of the tenant's own context");
    let stranger = anybody.get("/campaigns").await?;
    line(format!("without a token: {}", stranger.status));
    let wrong = anybody
        .post(
            "/login",
            &json!({ "email": "ada@acme.example", "password": "guess" }),
        )
        .await?;
    line(format!("a wrong password: {}", wrong.status));
    let ada = anybody.sign_in("ADA@acme.example", "password of acme").await?;
    let rita = anybody
        .sign_in("rita@globex.example", "password of globex")
        .await?;
    line(format!("health: {}", ada.get("/health").await?.body));

    heading("Connections: tokens go in, and never out");
    let connection = json!({ "adAccountId": "act_42", "accessToken": "EAAB4242", "scopes": ["ads_read"] });
    let connection = ada.post("/connections", &connection).await?;
    json(&connection.body);

    heading("Campaigns: inputs that say all that is wrong");
    let bad = json!({ "name": "", "objective": "FAME", "tenantId": "globex", "budget": { "daily": "much" }, "x": 1 });
    json(&ada.post("/campaigns", &bad).await?.body);
    let new = |name: &str| json!({ "name": name, "objective": "OUTCOME_SALES", "budget": { "daily": 5000 }, "connection": connection.body["id"] });
    let foreign = rita.post("/campaigns", &new("Of another's connection")).await?;
    line(format!(
        "rita, on ada's connection: {} {}",
        foreign.status, foreign.body["violations"][0]["message"]
    ));
    let campaign = ada.post("/campaigns", &new("Spring")).await?;
    json(&campaign.body);
    let path = format!("/campaigns/{}", campaign.body["id"].as_str().unwrap_or_default());
    line(format!("rita gets it: {}", rita.get(&path).await?.status));

    heading("ETag and If-Match: nobody writes over what they have not seen");
    let seen = campaign.etag.as_deref();
    let first = ada
        .send("PATCH", &path, seen, Some(&json!({ "status": "ACTIVE" })))
        .await?;
    let late = ada
        .send("PATCH", &path, seen, Some(&json!({ "status": "ARCHIVED" })))
        .await?;
    line(format!(
        "the first change: {}, one of the same revision: {}",
        first.status, late.status
    ));

    heading("Lists: filters that are declared, pages that go on after a document");
    for name in ["Summer", "Autumn", "Winter"] {
        ada.post("/campaigns", &new(name)).await?;
    }
    let mut query = "/campaigns?status[in]=PAUSED,ACTIVE&sort=name&limit=3".to_owned();
    loop {
        let page = ada.get(&query).await?.body;
        let names = page["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| item["name"].as_str().unwrap_or_default());
        line(format!("a page: {:?}", names.collect::<Vec<_>>()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("/campaigns?status[in]=PAUSED,ACTIVE&sort=name&limit=3&after={next}");
    }
    json(&ada.get("/campaigns?accessToken=x").await?.body);
    let paths = ada.get("/openapi.json").await?.body;
    let paths = paths["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(path, _)| path.clone());
    line(format!("described: {:?}", paths.collect::<Vec<_>>()));
    Ok(campaign.body["id"].as_str().unwrap_or_default().to_owned())
}

/// What the service does beside its clients.
async fn models(db: &Db, acme: &Ctx, clock: &FixedClock, campaign: &str) -> Result<()> {
    heading("Performance: an hour is told, and told again with more; sums by campaign, and by day");
    let campaign = Id::parse(campaign)?;
    for (hour, impressions) in [(0, 100), (1, 200), (1, 250), (24, 50)] {
        let metrics = Metrics {
            impressions,
            clicks: impressions / 50,
            spend: impressions * 2,
            ..Default::default()
        };
        PerformanceSnapshot::record(acme, &campaign, acme.now() - TimeDelta::hours(hour), metrics).await?;
    }
    for total in PerformanceSnapshot::totals(acme, acme.now() - TimeDelta::days(1)).await? {
        line(format!(
            "impressions {}, clicks {}, spend {}",
            total.impressions, total.clicks, total.spend
        ));
    }
    for day in PerformanceSnapshot::days(acme, &campaign, acme.now() - TimeDelta::days(7)).await? {
        line(format!(
            "{}: impressions {}, spend {}",
            day.day.date_naive(),
            day.impressions,
            day.spend
        ));
    }
    stored(db, "performancesnapshots").await?;

    heading("Connections: sealed in storage, opened by the service alone");
    stored(db, "metaconnections").await?;
    clock.advance(TimeDelta::days(60));
    let connections = MetaConnection::query(acme).await?;
    for connection in &connections {
        let until = acme.now() + TimeDelta::days(60);
        MetaConnection::renew(acme, &connection.id, "EAAB4343", "R4343", until).await?;
        let token = MetaConnection::token(acme, &connection.id).await?;
        line(format!("renewed: a token of {} characters", token.expose().len()));
        let person = User::query(acme)
            .first()
            .await?
            .map(|user| Account::person(&user));
        let person = db.context(acme.tenant().clone(), person.unwrap_or(Account::Service));
        refused(
            "a person asks for it",
            MetaConnection::token(&person, &connection.id).await,
        )?;
    }
    for entry in acme.audit_log().entity::<MetaConnection>().await? {
        let changed: Vec<_> = entry
            .changes
            .iter()
            .map(|change| change.path().to_owned())
            .collect();
        line(format!("{}: {changed:?}", entry.event));
    }
    Ok(())
}
