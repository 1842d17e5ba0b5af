//! Who asks: a bearer's session, as a context of their tenant.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use model_core::audit::RequestMeta;
use model_core::prelude::*;

use super::App;
use super::failure::Failure;
use crate::{Account, Ctx, Session};

/// The context of a signed-in user: a handler without one reaches no tenant's document.
pub(super) struct Signed(pub(super) Ctx);

impl FromRequestParts<App> for Signed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Failure> {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = header(AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "));
        let token = Token::presented(bearer.ok_or_else(Failure::unauthorized)?);
        let user = Session::user(&app.service(), &token)
            .await?
            .ok_or_else(Failure::unauthorized)?;
        let request = RequestMeta::new()
            .route(format!("{} {}", parts.method, parts.uri.path()))
            .user_agent(header(USER_AGENT).unwrap_or_default());
        let ctx = app.db.context(user.tenant_id.clone(), Account::person(&user));
        Ok(Self(ctx.with_request(request)))
    }
}
