//! Requests per second of the service, beside the same handlers written on the driver: `cargo bench -p meta-ads`, or with
//! rounds and seconds of your own `cargo bench -p meta-ads -- 9 2`.
//!
//! Both serve the same database of one MongoDB, over loopback, to 64 connections that send one request after the other. Each
//! round asks both, in turn first; the median of the rounds' ratios counts. It fails below 0.9.

#![allow(clippy::print_stdout, reason = "the output is what this program is for")]
#![allow(clippy::unwrap_used, reason = "a measurement that fails has to say where")]

mod bare;
mod load;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use bson::oid::ObjectId;
use bson::{DateTime, doc};
use load::{CONNECTIONS, Request, Target};
use meta_ads::client::Client;
use meta_ads::service::{self, App};
use meta_ads::*;
use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing;
use mongodb::Database;
use mongodb::options::IndexOptions;
use serde_json::json;
use tokio::net::TcpListener;

/// The least that the service may do of what the bare handlers do.
const LEAST: f64 = 0.9;

fn nothing(_: &str, _: usize) -> String {
    String::new()
}

fn own(campaigns: &[String], connection: usize) -> String {
    format!("/campaigns/{}", campaigns[connection])
}

static REQUESTS: [(&str, Request); 4] = [
    (
        "GET by id",
        Request {
            method: "GET",
            path: own,
            body: nothing,
            status: "200",
        },
    ),
    (
        "GET a page of 20",
        Request {
            method: "GET",
            path: |_, _| "/campaigns?status=PAUSED&sort=-createdAt&limit=20".to_owned(),
            body: nothing,
            status: "200",
        },
    ),
    (
        "POST, audited",
        Request {
            method: "POST",
            path: |_, _| "/campaigns".to_owned(),
            body: |connection, number| new(connection, number).to_string(),
            status: "201",
        },
    ),
    (
        "PATCH, audited",
        Request {
            method: "PATCH",
            path: own,
            body: |_, number| json!({ "name": format!("Changed {number}") }).to_string(),
            status: "200",
        },
    ),
];

fn new(connection: &str, number: usize) -> serde_json::Value {
    json!({
        "connection": connection, "name": format!("Spring {number}"), "objective": "OUTCOME_SALES", "budget": { "daily": 5000 },
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse::<u32>().ok());
    let rounds = numbers.next().unwrap_or(9);
    let time = Duration::from_secs(numbers.next().unwrap_or(2).into());
    let uri = model_tests::server::server().await.uri();
    let name = format!("meta_ads_http_{}", std::process::id());
    let database = || async { mongodb::Client::with_uri_str(&uri).await.unwrap().database(&name) };
    let (ours, bare) = (database().await, database().await);
    let (ours, bare) = both(ours, bare).await;

    println!(
        "{CONNECTIONS} connections, {rounds} rounds of {} s each\n",
        time.as_secs()
    );
    println!("| request | the service | bare driver | ratio |");
    println!("|---|---|---|---|");
    let mut enough = true;
    for (request, how) in &REQUESTS {
        // One that does not count.
        load::run(&ours, how, time).await.unwrap();
        load::run(&bare, how, time).await.unwrap();
        let (mut here, mut there, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let (first, second) = if round % 2 == 0 {
                (&ours, &bare)
            } else {
                (&bare, &ours)
            };
            let first = load::run(first, how, time).await.unwrap();
            let second = load::run(second, how, time).await.unwrap();
            let (service, driver) = if round % 2 == 0 {
                (first, second)
            } else {
                (second, first)
            };
            here.push(service);
            there.push(driver);
            ratios.push(service / driver);
        }
        let ratio = median(&mut ratios);
        let (low, high) = (ratios[ratios.len() / 4], ratios[ratios.len() * 3 / 4]);
        println!(
            "| {request} | {:.0}/s | {:.0}/s | {ratio:.2} ({low:.2} to {high:.2}) |",
            median(&mut here),
            median(&mut there)
        );
        enough &= ratio >= LEAST;
    }
    database().await.drop().await.unwrap();
    if enough {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The middle one; sorts them.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Both services over one database, with a signed-in client and a thousand campaigns.
async fn both(ours: Database, bare: Database) -> (Target, Target) {
    let (policy, limits) = testing::fast_passwords();
    let builder = register(Db::mongo(ours)).keys(testing::keyring().unwrap());
    let db = builder.passwords(policy, limits).build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let service = db.global_context(Account::Service);
    let tenant = NewTenant {
        name: "Acme".into(),
        slug: "acme".into(),
        optional: Default::default(),
    };
    let tenant = Tenant::create(&service, tenant).await.unwrap();
    let acme = service.enter(&tenant.id);
    let user = NewUser {
        email: "ada@acme.example".into(),
        password: NewPassword::new("correct horse".to_owned()).unwrap(),
        first_name: "Ada".into(),
        optional: NewUserOptional {
            role: Some(Role::Admin),
            ..Default::default()
        },
    };
    let user = User::create(&acme, user).await.unwrap();
    let connection = NewMetaConnection {
        ad_account_id: "act_42".into(),
        access_token: Secret::from("EAAB4242"),
        optional: Default::default(),
    };
    let connection = MetaConnection::create(&acme, connection)
        .await
        .unwrap()
        .id
        .to_string();
    let new = (0..1_000).map(|number| NewCampaign::from_json(&new(&connection, number).to_string()).unwrap());
    let made = Campaign::create_many(&acme, new).await.unwrap();
    let campaigns: Vec<_> = made
        .iter()
        .take(CONNECTIONS)
        .map(|made| made.id.to_string())
        .collect();

    let object = |id: String| ObjectId::parse_str(id).unwrap();
    let session = bare::Session {
        token: "a token of the bare service".to_owned(),
        user_id: object(user.id.to_string()),
        tenant_id: object(tenant.id.to_string()),
        expires_at: DateTime::from_millis(4_000_000_000_000),
    };
    let sessions = bare.collection::<bare::Session>("bare_sessions");
    sessions.insert_one(&session).await.unwrap();
    let by_token = mongodb::IndexModel::builder()
        .keys(doc! { "token": 1 })
        .options(IndexOptions::builder().unique(true).build());
    sessions.create_index(by_token.build()).await.unwrap();
    let there = Target {
        address: serve(bare::router(&bare)).await,
        token: session.token,
        campaigns: campaigns.clone(),
        connection: connection.clone(),
    };
    let address = serve(service::router(App::new(db))).await;
    let signed = Client::new(address)
        .sign_in("ada@acme.example", "correct horse")
        .await
        .unwrap();
    let here = Target {
        address,
        token: signed.token().unwrap().to_owned(),
        campaigns,
        connection,
    };
    (here, there)
}
