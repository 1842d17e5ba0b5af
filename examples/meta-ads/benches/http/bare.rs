//! The same requests, by handlers written on the driver itself: the same collections, indexes, commands and audit entries, and the same
//! layers of the service around them.

#![allow(
    clippy::disallowed_methods,
    reason = "there is no context here, which has a clock and makes ids"
)]

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use bson::oid::ObjectId;
use bson::{DateTime, Document, doc};
use futures_util::TryStreamExt;
use meta_ads::service::traced;
use mongodb::{ClientSession, Collection, Database};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the handlers share.
struct Shared {
    database: Database,
    sessions: Collection<Session>,
    users: Collection<User>,
    connections: Collection<Document>,
    campaigns: Collection<Campaign>,
    audit: Collection<Document>,
}

type App = Arc<Shared>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) user_id: ObjectId,
    pub(crate) tenant_id: ObjectId,
    pub(crate) expires_at: DateTime,
}

#[derive(Deserialize)]
struct User {
    _id: ObjectId,
    role: String,
}

#[derive(Serialize, Deserialize)]
struct Budget {
    daily: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Campaign {
    #[serde(rename = "_id")]
    id: ObjectId,
    tenant_id: ObjectId,
    connection: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta_campaign_id: Option<String>,
    name: String,
    objective: String,
    status: String,
    budget: Budget,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<DateTime>,
    created_at: DateTime,
    updated_at: DateTime,
    #[serde(rename = "_rev")]
    revision: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    connection: ObjectId,
    name: String,
    objective: String,
    budget: Budget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    name: String,
}

#[derive(Deserialize)]
struct Asked {
    status: String,
    limit: i64,
}

/// Why a request was not served.
struct Failure;

impl axum::response::IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl From<mongodb::error::Error> for Failure {
    fn from(_: mongodb::error::Error) -> Self {
        Self
    }
}

type Answer = Result<(HeaderMap, Json<Value>), Failure>;

/// Who asks.
struct Signed {
    tenant: ObjectId,
    user: User,
}

impl FromRequestParts<App> for Signed {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, StatusCode> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = header.and_then(|text| text.strip_prefix("Bearer "));
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        let session = app.sessions.find_one(doc! { "token": token }).await;
        let session = session.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let session = session.filter(|session| session.expires_at > DateTime::now());
        let session = session.ok_or(StatusCode::UNAUTHORIZED)?;
        let filter = doc! { "_id": session.user_id, "tenantId": session.tenant_id };
        let user = app.users.find_one(filter).await;
        let user = user.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(Self {
            tenant: session.tenant_id,
            user: user.ok_or(StatusCode::UNAUTHORIZED)?,
        })
    }
}

pub(crate) fn router(database: &Database) -> Router {
    let app = Shared {
        database: database.clone(),
        sessions: database.collection("bare_sessions"),
        users: database.collection("users"),
        connections: database.collection("metaconnections"),
        campaigns: database.collection("campaigns"),
        audit: database.collection("audit_log"),
    };
    let routes = Router::new()
        .route("/campaigns", get(list).post(create))
        .route("/campaigns/{id}", get(read).patch(update))
        .with_state(Arc::new(app));
    traced(routes)
}

fn view(campaign: &Campaign) -> Value {
    let date = |date: DateTime| date.try_to_rfc3339_string().unwrap_or_default();
    json!({
        "id": campaign.id.to_hex(),
        "connection": campaign.connection.to_hex(),
        "metaCampaignId": campaign.meta_campaign_id,
        "name": campaign.name,
        "objective": campaign.objective,
        "status": campaign.status,
        "budget": campaign.budget,
        "startsAt": campaign.starts_at.map(date),
        "endsAt": campaign.ends_at.map(date),
        "createdAt": date(campaign.created_at),
        "updatedAt": date(campaign.updated_at),
        "revision": campaign.revision.to_string(),
        "isRunning": campaign.status == "ACTIVE" && campaign.meta_campaign_id.is_some(),
    })
}

fn shown(campaign: &Campaign) -> Answer {
    let mut headers = HeaderMap::new();
    let etag = HeaderValue::from_str(&format!("\"{}\"", campaign.revision));
    headers.insert("etag", etag.map_err(|_| Failure)?);
    Ok((headers, Json(view(campaign))))
}

async fn list(signed: Signed, State(app): State<App>, Query(asked): Query<Asked>) -> Answer {
    let cursor = app
        .campaigns
        .find(doc! { "tenantId": signed.tenant, "status": asked.status })
        .sort(doc! { "createdAt": -1, "_id": -1 })
        .limit(asked.limit + 1);
    let campaigns: Vec<_> = cursor.await?.try_collect().await?;
    let shown: Vec<_> = campaigns.iter().take(20).map(view).collect();
    let next = campaigns.get(20).map(|campaign| campaign.id.to_hex());
    Ok((HeaderMap::new(), Json(json!({ "items": shown, "next": next }))))
}

async fn read(signed: Signed, State(app): State<App>, Path(id): Path<String>) -> Answer {
    let id = ObjectId::parse_str(id).map_err(|_| Failure)?;
    let filter = doc! { "_id": id, "tenantId": signed.tenant };
    let campaign = app.campaigns.find_one(filter).await?;
    shown(&campaign.ok_or(Failure)?)
}

async fn create(
    signed: Signed,
    State(app): State<App>,
    Json(new): Json<New>,
) -> Result<(StatusCode, HeaderMap, Json<Value>), Failure> {
    if !may_edit(&signed.user) || new.name.trim().is_empty() || new.name.len() > 400 || new.budget.daily < 100
    {
        return Err(Failure);
    }
    let filter = doc! { "_id": new.connection, "tenantId": signed.tenant };
    if app.connections.find_one(filter).await?.is_none() {
        return Err(Failure);
    }
    let now = DateTime::now();
    let campaign = Campaign {
        id: ObjectId::new(),
        tenant_id: signed.tenant,
        connection: new.connection,
        meta_campaign_id: None,
        name: new.name.trim().to_owned(),
        objective: new.objective,
        status: "PAUSED".to_owned(),
        budget: new.budget,
        starts_at: None,
        ends_at: None,
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    let mut session = begin(&app).await?;
    app.campaigns.insert_one(&campaign).session(&mut session).await?;
    let changes = vec![
        doc! { "path": "connection", "after": campaign.connection },
        doc! { "path": "name", "after": &campaign.name },
        doc! { "path": "objective", "after": &campaign.objective },
        doc! { "path": "status", "after": &campaign.status },
        doc! { "path": "budget.daily", "after": campaign.budget.daily },
        doc! { "path": "createdAt", "after": now },
        doc! { "path": "updatedAt", "after": now },
    ];
    note(&app, &signed, &campaign, "create", changes, &mut session).await?;
    session.commit_transaction().await?;
    let (headers, json) = shown(&campaign)?;
    Ok((StatusCode::CREATED, headers, json))
}

async fn update(
    signed: Signed,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(patch): Json<Patch>,
) -> Answer {
    let id = ObjectId::parse_str(id).map_err(|_| Failure)?;
    if !may_edit(&signed.user) || patch.name.trim().is_empty() || patch.name.len() > 400 {
        return Err(Failure);
    }
    let filter = doc! { "_id": id, "tenantId": signed.tenant };
    let mut campaign = app.campaigns.find_one(filter).await?.ok_or(Failure)?;
    let filter = doc! { "_id": campaign.connection, "tenantId": signed.tenant };
    if app.connections.find_one(filter).await?.is_none() {
        return Err(Failure);
    }
    let now = DateTime::now();
    let changes = vec![
        doc! { "path": "name", "before": &campaign.name, "after": &patch.name },
        doc! { "path": "updatedAt", "before": campaign.updated_at, "after": now },
    ];
    let guard = doc! { "_id": id, "tenantId": signed.tenant, "_rev": campaign.revision };
    campaign.name = patch.name.trim().to_owned();
    campaign.updated_at = now;
    campaign.revision += 1;
    let set = doc! { "name": &campaign.name, "updatedAt": campaign.updated_at, "_rev": campaign.revision };
    let mut session = begin(&app).await?;
    let written = app
        .campaigns
        .update_one(guard, doc! { "$set": set })
        .session(&mut session);
    if written.await?.matched_count == 0 {
        return Err(Failure);
    }
    note(&app, &signed, &campaign, "update", changes, &mut session).await?;
    session.commit_transaction().await?;
    shown(&campaign)
}

fn may_edit(user: &User) -> bool {
    matches!(user.role.as_str(), "admin" | "editor")
}

async fn begin(app: &App) -> Result<ClientSession, Failure> {
    let mut session = app.database.client().start_session().await?;
    session.start_transaction().await?;
    Ok(session)
}

async fn note(
    app: &App,
    signed: &Signed,
    campaign: &Campaign,
    what: &str,
    changes: Vec<Document>,
    session: &mut ClientSession,
) -> Result<(), Failure> {
    let entry = doc! {
        "tenant": signed.tenant,
        "actor": { "kind": "user", "id": signed.user._id.to_hex() },
        "event": format!("campaign.{what}"),
        "entity": { "type": "campaign", "id": campaign.id.to_hex(), "name": &campaign.name },
        "changes": changes,
        "metadata": { "route": format!("{what} /campaigns"), "user_agent": "", "duration_ms": 0_i64, "success": true },
        "at": campaign.updated_at,
    };
    app.audit.insert_one(entry).session(session).await?;
    Ok(())
}
