//! The five requests of a resource, written once for every model.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use model_core::prelude::*;
use model_core::{Mutable, TenantScope};
use serde_json::{Value, json};

use super::App;
use super::failure::Failure;
use super::signed::Signed;
use crate::{Account, Ctx};

/// Most documents of one page.
const PAGE: u32 = 100;

type Answer = std::result::Result<Response, Failure>;

/// A tenant's model of this service.
pub(super) trait Resource:
    BaseModel<Actor = Account> + Identified + Model<Scope = TenantScope>
{
}

impl<M: BaseModel<Actor = Account> + Identified + Model<Scope = TenantScope>> Resource for M {}

pub(super) fn routes<M: Resource + Mutable>() -> Router<App> {
    let one: MethodRouter<App> = get(read::<M>).patch(update::<M>).delete(remove::<M>);
    Router::new()
        .route("/", get(list::<M>).merge(post(create::<M>)))
        .route("/{id}", one)
}

pub(super) fn readonly<M: Resource>() -> Router<App> {
    Router::new()
        .route("/", get(list::<M>))
        .route("/{id}", get(read::<M>))
}

/// A document as the answer, with its revision as the `ETag`.
fn shown<M: Resource>(status: StatusCode, document: M, ctx: &Ctx) -> Response {
    let view = serde_json::to_value(document.into_view(ctx)).unwrap_or_default();
    let revision = view
        .get("revision")
        .and_then(Value::as_str)
        .map(|text| format!("\"{text}\""));
    let etag = revision.map(|revision| [(ETAG, revision)]);
    (status, etag.map(axum::response::AppendHeaders), axum::Json(view)).into_response()
}

/// The revision that the client has seen, if it says so.
fn if_match(headers: &HeaderMap) -> Result<Option<Revision>> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    Revision::parse(text.trim_matches('"')).map(Some)
}

async fn list<M: Resource>(Signed(ctx): Signed, RawQuery(query): RawQuery) -> Answer {
    let page = M::parse_query(&query.unwrap_or_default())?
        .page(&ctx, PAGE)
        .await?;
    let page = page.map(|document| document.into_view(&ctx));
    Ok(axum::Json(json!({ "items": page.items, "next": page.next })).into_response())
}

async fn create<M: Resource>(Signed(ctx): Signed, body: String) -> Answer {
    let document = M::create(&ctx, M::new_from_json(&body)?).await?;
    Ok(shown(StatusCode::CREATED, document, &ctx))
}

async fn read<M: Resource>(Signed(ctx): Signed, Path(id): Path<String>) -> Answer {
    let id = Id::parse(&id).map_err(|_| Failure::not_found())?;
    Ok(shown(StatusCode::OK, M::fetch(&ctx, &id).await?, &ctx))
}

async fn update<M: Resource + Mutable>(
    Signed(ctx): Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let id = Id::parse(&id).map_err(|_| Failure::not_found())?;
    let update = M::update(&ctx, &id, M::patch_from_json(&body)?);
    let document = match if_match(&headers)? {
        Some(revision) => update.if_revision(revision).await.map_err(Failure::conditional)?,
        None => update.await?,
    };
    Ok(shown(StatusCode::OK, document, &ctx))
}

async fn remove<M: Resource + Mutable>(
    Signed(ctx): Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let id = Id::parse(&id).map_err(|_| Failure::not_found())?;
    let delete = M::delete(&ctx, &id);
    let gone = match if_match(&headers)? {
        Some(revision) => delete.if_revision(revision).await.map_err(Failure::conditional)?,
        None => delete.await?,
    };
    if gone {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Failure::not_found())
    }
}
