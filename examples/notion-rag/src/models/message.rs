use model_core::prelude::*;

use super::{Conversation, NotionWorkspace};
use crate::session::{Ctx, Door, Session};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum MessageRole {
    User,
    Assistant,
    System,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct CitedSource {
    pub source_number: Option<f64>,
    pub title: Option<String>,
    pub url: Option<String>,
    pub section: Option<String>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct MessageMetadata {
    pub sources: Vec<CitedSource>,
    pub confidence: Option<f64>,
    pub intent: Option<String>,
    pub processing_time: Option<f64>,
    pub cited_sources: Vec<f64>,
    pub is_grounded: Option<bool>,
    pub has_hallucinations: Option<bool>,
}

/// One message of a conversation.
#[derive(Clone, Model)]
#[model(collection = "messages", rename_all = "camelCase")]
#[model(index(conversation_id, timestamp))]
pub struct Message {
    pub id: Id<Message>,
    pub workspace_id: TenantId,
    #[model(readonly)]
    pub conversation_id: Id<Conversation>,
    pub role: MessageRole,
    pub content: String,
    #[model(default)]
    pub metadata: MessageMetadata,
    #[model(index, default = now)]
    pub timestamp: DateTime<Utc>,
}

impl BaseModel for Message {
    policy!(Session, read, create, update, delete: queries(workspace_id));

    /// A message is written into a conversation of one's own.
    async fn validate(&self, ctx: &Ctx) -> Result<()> {
        match Conversation::get(ctx, &self.conversation_id).await? {
            Some(_) => Ok(()),
            None => Err(Error::violation(
                "conversationId",
                "reference",
                "is no conversation of this workspace",
            )),
        }
    }
}

/// A message from before messages named their workspace: it belongs to no tenant until it is adopted. The program that
/// migrates has a handle of its own for it, since a handle has one model for a collection.
#[derive(Clone, Model)]
#[model(collection = "messages", rename_all = "camelCase", global)]
pub struct OrphanMessage {
    pub id: Id<OrphanMessage>,
    #[model(readonly)]
    pub conversation_id: Id<Conversation>,
    pub workspace_id: Option<Id<NotionWorkspace>>,
}

impl BaseModel for OrphanMessage {
    type Actor = Session;

    fn can_read(&self, ctx: &Door) -> bool {
        ctx.actor().admin
    }

    fn can_create(&self, _ctx: &Door) -> bool {
        false
    }

    fn can_update(&self, ctx: &Door, _after: &Self) -> bool {
        ctx.actor().admin && self.workspace_id.is_none()
    }

    fn can_delete(&self, _ctx: &Door) -> bool {
        false
    }
}

impl OrphanMessage {
    /// The migration: gives a workspace's conversations the messages that name none. How many there were.
    pub async fn adopt(migration: &Door, workspace: &Ctx, id: &Id<NotionWorkspace>) -> Result<u64> {
        let conversations = Conversation::query(workspace).distinct(|c| &c.id).await?;
        let patch = OrphanMessagePatch {
            workspace_id: Set(Some(id.clone())),
            ..Default::default()
        };
        let orphans = |m: &'static OrphanMessageFields| {
            m.workspace_id.is_none() & m.conversation_id.in_(&conversations)
        };
        Ok(OrphanMessage::update_many(migration, orphans, patch)
            .await?
            .written)
    }
}
