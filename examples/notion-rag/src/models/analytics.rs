use model_core::prelude::*;

use super::{Conversation, User};
use crate::session::Session;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum EventType {
    Query,
    Sync,
    Login,
    Error,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct EventData {
    pub query: Option<String>,
    pub intent: Option<String>,
    pub confidence: Option<f64>,
    pub source_count: Option<i64>,
    pub response_time: Option<f64>,
    pub cache_hit: Option<bool>,
    pub user_id: Option<Id<User>>,
    pub conversation_id: Option<Id<Conversation>>,
}

/// What happened in a workspace; forgotten after 90 days.
#[derive(Clone, Model)]
#[model(collection = "analytics", rename_all = "camelCase", append_only)]
#[model(index(event_type, timestamp = desc), index(timestamp, ttl = "90d", replaces = "timestamp_1"))]
pub struct Analytics {
    pub id: Id<Analytics>,
    pub workspace_id: TenantId,
    pub event_type: EventType,
    pub data: Option<EventData>,
    #[model(created_at)]
    pub timestamp: DateTime<Utc>,
}

impl BaseModel for Analytics {
    policy!(
        Session,
        read: edits_settings(workspace_id), create: sits_in(workspace_id), update, delete: false
    );
}
