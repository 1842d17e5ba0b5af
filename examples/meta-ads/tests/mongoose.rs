//! Another client agrees: Mongoose, with schemas as the old instructions ask for, reads and validates what the models write,
//! and the models read what Mongoose writes. Runs where there is Node.

use meta_ads::*;
use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use serde_json::{Value, json};

async fn write(db: &Db) -> Ctx {
    let service = db.global_context(Account::Service);
    let new = NewTenant {
        name: "Acme".into(),
        slug: "acme".into(),
        optional: Default::default(),
    };
    let acme = service.enter(&Tenant::create(&service, new).await.unwrap().id);
    let new = NewUser {
        email: "ada@example.com".into(),
        password: NewPassword::new("correct horse".to_owned()).unwrap(),
        first_name: "Ada".into(),
        optional: NewUserOptional {
            last_name: Some("Lovelace".into()),
            ..Default::default()
        },
    };
    User::create(&acme, new).await.unwrap();
    let new = NewMetaConnection {
        ad_account_id: "act_42".into(),
        access_token: Secret::from("EAAB4242"),
        optional: Default::default(),
    };
    let connection = MetaConnection::create(&acme, new).await.unwrap();
    let new = json!({
        "connection": connection.id, "name": "Spring", "objective": "OUTCOME_SALES", "budget": { "daily": 5000 },
        "startsAt": "2026-03-01T00:00:00Z", "endsAt": "2026-04-01T00:00:00Z",
    });
    let campaign = Campaign::create(&acme, NewCampaign::from_json(&new.to_string()).unwrap())
        .await
        .unwrap();
    let metrics = Metrics {
        impressions: 200,
        clicks: 4,
        ..Default::default()
    };
    PerformanceSnapshot::record(&acme, &campaign.id, acme.now(), metrics)
        .await
        .unwrap();
    acme
}

/// The one document of ours that Mongoose saw; of indexes it misses none, and knows all.
fn one<'a>(seen: &'a Value, model: &str) -> &'a Value {
    let documents = seen[model]["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 1, "{model}");
    assert_eq!(
        (&seen[model]["toCreate"], &seen[model]["toDrop"]),
        (&json!([]), &json!([])),
        "{model}"
    );
    &documents[0]
}

#[tokio::test]
async fn mongoose_and_the_models_agree() {
    let database = model_tests::server::fresh_database().await;
    let (policy, limits) = testing::fast_passwords();
    let builder = register(Db::mongo(database.clone())).keys(testing::keyring().unwrap());
    let builder = builder.clock(FixedClock::at("2026-03-01T09:00:00Z"));
    let db = builder.passwords(policy, limits).build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let acme = write(&db).await;

    let uri = model_tests::server::server().await.uri();
    let name = database.name().to_owned();
    let agree = move || example_support::mongoose(env!("CARGO_MANIFEST_DIR"), uri, &name);
    let Some(seen) = tokio::task::spawn_blocking(agree).await.unwrap().unwrap() else {
        return;
    };
    saw_ours(&seen);

    // Ours, after Mongoose saved it.
    let campaign = Campaign::query(&acme).first().await.unwrap().unwrap();
    assert_eq!((campaign.name.as_str(), campaign.budget.daily), ("Spring", 5000));
    let active = CampaignPatch {
        status: Set(CampaignStatus::Active),
        ..Default::default()
    };
    Campaign::update(&acme, &campaign.id, active).await.unwrap();
    let connection = MetaConnection::query(&acme).first().await.unwrap().unwrap();
    let token = MetaConnection::token(&acme, &connection.id).await.unwrap();
    assert_eq!(token.expose(), "EAAB4242");
    read_theirs(&db).await;
}

fn saw_ours(seen: &Value) {
    let (tenant, user) = (one(seen, "Tenant"), one(seen, "User"));
    assert_eq!(
        (&tenant["plan"], &tenant["status"]),
        (&json!("free"), &json!("active"))
    );
    assert_eq!(
        (&user["tenantId"], &user["role"]),
        (&tenant["_id"], &json!("viewer"))
    );
    assert!(user.get("password").is_none(), "{user}");
    let (connection, campaign) = (one(seen, "MetaConnection"), one(seen, "Campaign"));
    assert_eq!(
        (&connection["scopes"], &connection["status"]),
        (&json!([]), &json!("active"))
    );
    assert_eq!(campaign["connection"], connection["_id"]);
    assert_eq!(
        (&campaign["status"], &campaign["budget"]),
        (&json!("PAUSED"), &json!({ "daily": 5000 }))
    );
    assert_eq!(campaign["endsAt"], "2026-04-01T00:00:00.000Z");
    let snapshot = one(seen, "PerformanceSnapshot");
    assert_eq!(
        (&snapshot["hour"], &snapshot["metrics"]["impressions"]),
        (&json!("2026-03-01T09:00:00.000Z"), &json!(200))
    );
    for model in [tenant, user, connection, campaign, snapshot] {
        assert_eq!(model["createdAt"], "2026-03-01T09:00:00.000Z", "{model}");
    }
}

/// What Mongoose made: without our revision, with its own `__v`, a bcrypt hash and a token in the clear.
async fn read_theirs(db: &Db) {
    let service = db.global_context(Account::Service);
    for _ in 0..2 {
        let user = User::sign_in(&service, "old@example.com", "correct horse battery".to_owned());
        assert!(user.await.unwrap().is_some_and(|user| user.role == Role::Admin));
    }
    let stored = testing::stored(db, "users").await.unwrap();
    assert!(!format!("{stored:?}").contains("$2b$"), "the old hash has gone");
    let tenant = Tenant::get_by(&service, |t| t.slug.eq("old"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(tenant.name, "Old");
    let old = service.enter(&tenant.id);
    let connection = MetaConnection::query(&old).first().await.unwrap().unwrap();
    let token = MetaConnection::token(&old, &connection.id).await.unwrap();
    assert_eq!(
        (token.expose().as_str(), connection.scopes.as_slice()),
        ("EAABold", ["ads_read".to_owned()].as_slice())
    );
    let campaign = Campaign::query(&old).first().await.unwrap().unwrap();
    assert!(campaign.status == CampaignStatus::Paused && campaign.budget.lifetime == Some(5000));
    assert_eq!(campaign.connection, connection.id);
    let hour = PerformanceSnapshot::query(&old).first().await.unwrap().unwrap();
    let metrics = Metrics {
        impressions: 150,
        ..Default::default()
    };
    let more = PerformanceSnapshot::record(&old, &campaign.id, hour.hour, metrics);
    let more = more.await.unwrap().unwrap().metrics;
    assert_eq!((more.impressions, more.clicks, more.spend), (50, -3, -250));
}
