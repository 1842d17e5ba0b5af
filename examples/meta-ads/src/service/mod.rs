//! The HTTP service: sign-in, the resources, their description with a page to browse it, and whether it is well.

mod failure;
mod openapi;
mod resource;
mod signed;
mod trace;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use model_core::prelude::*;
use serde_json::{Value, json};
use swagger_ui_dist::{ApiDefinition, OpenApiSource, generate_routes};
use tower_http::trace::TraceLayer;

use crate::{
    Account, Campaign, Day, Door, MetaConnection, PerformanceSnapshot, Session, Tenant, Total, User,
};
use failure::Failure;
use signed::Signed;

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    db: Db,
}

impl App {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// The service's own context, for work before the tenant is known.
    fn service(&self) -> Door {
        self.db.global_context(Account::Service)
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/health", get(health))
        .route("/openapi.json", get(|| async { Json(openapi::document()) }))
        .route("/login", post(login))
        .route("/totals", get(totals))
        .nest("/users", resource::routes::<User>())
        .nest("/connections", resource::routes::<MetaConnection>())
        .nest("/campaigns", resource::routes::<Campaign>())
        .route("/campaigns/{id}/days", get(days))
        .nest("/snapshots", resource::readonly::<PerformanceSnapshot>())
        .with_state(app)
        .merge(docs());
    traced(routes)
}

/// The routes with what is told of each request.
pub fn traced(routes: Router) -> Router {
    let layer = TraceLayer::new_for_http()
        .make_span_with(trace::span)
        .on_response(trace::answered);
    routes.layer(layer)
}

/// The page to browse the description: everything that it loads comes from here.
fn docs() -> Router {
    generate_routes(ApiDefinition {
        uri_prefix: "/docs",
        api_definition: OpenApiSource::Uri("/openapi.json"),
        title: Some("meta-ads"),
    })
}

/// Serves until `stop` is done, and then ends what has begun.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    app: App,
    listener: tokio::net::TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(app))
        .with_graceful_shutdown(stop)
        .await
}

async fn health(State(app): State<App>) -> std::result::Result<Json<Value>, Failure> {
    Tenant::query(&app.service()).exists().await?;
    Ok(Json(json!({ "status": "ok" })))
}

#[derive(serde::Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// Which of the two is wrong is not told.
async fn login(
    State(app): State<App>,
    Json(login): Json<Login>,
) -> std::result::Result<(StatusCode, Json<Value>), Failure> {
    let service = app.service();
    match User::sign_in(&service, &login.email, login.password).await? {
        Some(user) => {
            let token = Session::open(&service, &user).await?;
            Ok((StatusCode::CREATED, Json(json!({ "token": token.expose() }))))
        }
        None => Err(Failure::unauthorized()),
    }
}

async fn totals(Signed(ctx): Signed) -> std::result::Result<Json<Value>, Failure> {
    let since = ctx.now() - chrono::TimeDelta::days(30);
    let totals = PerformanceSnapshot::totals(&ctx, since).await?;
    let shown = |t: &Total| json!({ "campaign": t.campaign, "impressions": t.impressions, "clicks": t.clicks, "spend": t.spend });
    Ok(Json(
        json!({ "items": totals.iter().map(shown).collect::<Vec<_>>() }),
    ))
}

/// What a campaign did on each of the last 30 days.
async fn days(Signed(ctx): Signed, Path(id): Path<String>) -> std::result::Result<Json<Value>, Failure> {
    let id = Id::parse(&id).map_err(|_| Failure::not_found())?;
    let campaign = Campaign::fetch(&ctx, &id).await?;
    let since = ctx.now() - chrono::TimeDelta::days(30);
    let days = PerformanceSnapshot::days(&ctx, &campaign.id, since).await?;
    let shown =
        |d: &Day| json!({ "day": d.day, "impressions": d.impressions, "clicks": d.clicks, "spend": d.spend });
    Ok(Json(
        json!({ "items": days.iter().map(shown).collect::<Vec<_>>() }),
    ))
}
