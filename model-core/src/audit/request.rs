//! What the audit log tells of the request.

use std::collections::BTreeMap;

/// Where a request came from. All of it is optional, and all of it ends in the audit log.
///
/// ```
/// use model_core::audit::RequestMeta;
/// let request = RequestMeta::new().ip("203.0.113.7").route("PATCH /widgets/:id").with("request_id", "r-1");
/// # let _ = request;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestMeta {
    /// The client's address.
    pub ip: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The route that was called.
    pub route: Option<String>,
    /// The application's own keys.
    pub extra: BTreeMap<String, String>,
}

impl RequestMeta {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the client's address.
    pub fn ip(mut self, ip: impl Into<String>) -> Self {
        self.ip = Some(ip.into());
        self
    }

    /// Sets the client's `User-Agent`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the route.
    pub fn route(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// Adds a key of the application's own.
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }
}
