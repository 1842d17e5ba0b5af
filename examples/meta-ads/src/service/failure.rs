//! Errors as answers: the kind is the status, the violations are the body.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model_core::prelude::*;
use serde_json::json;

/// Why a request was not served.
pub(super) struct Failure {
    status: StatusCode,
    error: Option<Error>,
}

impl Failure {
    pub(super) fn unauthorized() -> Self {
        Self::bare(StatusCode::UNAUTHORIZED)
    }

    pub(super) fn not_found() -> Self {
        Self::bare(StatusCode::NOT_FOUND)
    }

    fn bare(status: StatusCode) -> Self {
        Self { status, error: None }
    }

    /// Of a request with `If-Match`: it was the condition that did not hold.
    pub(super) fn conditional(error: Error) -> Self {
        let mut failure = Self::from(error);
        if failure.status == StatusCode::CONFLICT && failure.error.as_ref().is_some_and(Error::is_conflict) {
            failure.status = StatusCode::PRECONDITION_FAILED;
        }
        failure
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict | ErrorKind::Duplicate | ErrorKind::Refused => StatusCode::CONFLICT,
            ErrorKind::HistoryLost => StatusCode::GONE,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            // The hasher is busy, or the keys cannot be reached.
            ErrorKind::Crypto if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            error: Some(error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let told = self.error.as_ref().filter(|_| !self.status.is_server_error());
        let violations: Vec<_> = told
            .into_iter()
            .flat_map(Error::violations)
            .map(|v| json!({ "path": v.path, "rule": v.rule, "message": v.message }))
            .collect();
        if let Some(error) = self.error.filter(|_| self.status.is_server_error()) {
            // It names model, path and document, and no value.
            tracing::error!(%error, "not served");
        }
        let body = json!({ "status": self.status.as_u16(), "title": title, "violations": violations });
        (self.status, Json(body)).into_response()
    }
}
