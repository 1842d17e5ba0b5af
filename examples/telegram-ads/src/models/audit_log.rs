use bson::Bson;
use model_core::prelude::*;

use super::User;
use crate::operator::{Ctx, Operator};

#[derive(Clone, Embedded)]
#[model(defaults)]
pub struct Changes {
    pub before: Option<Bson>,
    pub after: Option<Bson>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub struct AuditMetadata {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub route: Option<String>,
    /// When: the log has no `createdAt`.
    pub timestamp: DateTime<Utc>,
    pub duration: Option<i64>,
    #[model(default = true)]
    pub success: bool,
}

/// What users did, in the shape that the dashboard has always had. Changes of documents are audited by their models, in
/// the same transaction; this log has those of before, and what is no change: sign-ins, exports.
#[derive(Clone, Model)]
#[model(collection = "auditlogs", rename_all = "camelCase", global, append_only)]
#[model(index(metadata.timestamp = desc), index(user_id, metadata.timestamp = desc), index(entity_type, entity_id))]
pub struct AuditLog {
    pub id: Id<AuditLog>,
    pub user_id: Option<Id<User>>,
    pub action: String,
    pub entity_type: String,
    pub entity_id: Option<String>,
    #[model(default)]
    pub changes: Changes,
    pub metadata: AuditMetadata,
}

impl BaseModel for AuditLog {
    policy!(Operator, read: is_admin, create: speaks_for(user_id), update, delete: false);
}

impl AuditLog {
    /// Notes what somebody did with a document, and where the request came from.
    pub async fn action<M: Model>(ctx: &Ctx, who: &Operator, action: &str, on: &Id<M>) -> Result<Self> {
        let request = ctx.request();
        let new = NewAuditLog {
            action: action.to_owned(),
            entity_type: M::NAME.to_owned(),
            metadata: AuditMetadata {
                ip_address: request.ip.clone(),
                user_agent: request.user_agent.clone(),
                route: request.route.clone(),
                timestamp: ctx.now(),
                duration: None,
                success: true,
            },
            optional: NewAuditLogOptional {
                user_id: who.id().cloned(),
                entity_id: Some(on.to_string()),
                ..Default::default()
            },
        };
        Self::create(ctx, new).await
    }

    /// What happened since, the newest first, by the log's own time.
    pub async fn since(ctx: &Ctx, instant: DateTime<Utc>) -> Result<Vec<Self>> {
        Self::query(ctx)
            .filter(|a| a.metadata.timestamp.gte(instant))
            .sort(|a| a.metadata.timestamp.desc())
            .await
    }
}
