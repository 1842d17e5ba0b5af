use model_core::prelude::*;

use super::{Message, NewMessage, User};
use crate::session::{Ctx, Session};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum ConversationStatus {
    Active,
    Archived,
    Deleted,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct ConversationMetadata {
    pub intents: Vec<String>,
    pub topics: Vec<String>,
    pub average_confidence: Option<f64>,
}

/// What a user asked in a workspace.
#[derive(Clone, Model)]
#[model(collection = "conversations", rename_all = "camelCase")]
#[model(index(user_id, status), index(last_message_at = desc))]
pub struct Conversation {
    pub id: Id<Conversation>,
    pub workspace_id: TenantId,
    #[model(readonly)]
    pub user_id: Id<User>,
    #[model(default = "New Conversation")]
    pub title: String,
    #[model(default = 0)]
    pub message_count: i64,
    #[model(default = now)]
    pub last_message_at: DateTime<Utc>,
    #[model(default = ConversationStatus::Active)]
    pub status: ConversationStatus,
    #[model(default)]
    pub metadata: ConversationMetadata,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for Conversation {
    policy!(Session, read, create, update, delete: owns(workspace_id, user_id), scope: own(user_id));
}

impl Conversation {
    /// The virtual `conversation.messages`, in the order of the talk.
    pub async fn messages(&self, ctx: &Ctx) -> Result<Vec<Message>> {
        Message::query(ctx)
            .filter(|m| m.conversation_id.eq(&self.id))
            .sort(|m| m.timestamp.asc())
            .await
    }

    /// Adds a message, and counts it: both or neither.
    pub async fn say(ctx: &Ctx, message: NewMessage) -> Result<Message> {
        ctx.transaction(|tx| async move {
            let message = Message::create(&tx, message).await?;
            Self::update_with(&tx, &message.conversation_id, |c| {
                c.message_count
                    .inc(1)
                    .and(c.last_message_at.max(message.timestamp))
            })
            .await?;
            Ok(message)
        })
        .await
    }
}
