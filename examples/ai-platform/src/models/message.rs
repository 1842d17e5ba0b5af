use model_core::prelude::*;

use super::{Conversation, File, User};
use crate::person::{Ctx, Person};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum MessageRole {
    User,
    Assistant,
    System,
}

/// One message. Those that answer the same one are branches of the conversation.
#[derive(Clone, Model)]
#[model(collection = "messages", id = uuid, rename_all = "camelCase")]
#[model(index(conversation_id, created_at), index(parent_id), index(user_id), index(content = text))]
pub struct Message {
    pub id: Id<Message>,
    pub tenant_id: TenantId,
    #[model(readonly, on_delete = cascade)]
    pub conversation_id: Ref<Conversation>,
    /// Whose conversation it is: permission is asked of the message alone.
    #[model(readonly, on_delete = cascade)]
    pub user_id: Ref<User>,
    /// A message that has answers stays, unless they go too.
    #[model(readonly, on_delete = restrict)]
    pub parent_id: Option<Ref<Message>>,
    pub role: MessageRole,
    pub content: String,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub finish_reason: Option<String>,
    #[model(range(0..))]
    pub prompt_tokens: Option<i32>,
    #[model(range(0..))]
    pub completion_tokens: Option<i32>,
    #[model(default = false)]
    pub error: bool,
    pub error_message: Option<String>,
    #[model(default, on_delete = pull)]
    pub files: Vec<Ref<File>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Message {
    policy!(Person, read, create, update, delete: owns(user_id), exact_scope: own(user_id));

    /// It stands in a conversation of this user, below a message of the same one.
    async fn validate(&self, ctx: &Ctx) -> Result<()> {
        let owner = Conversation::get(ctx, self.conversation_id.id())
            .await?
            .map(|c| c.user_id);
        if owner.as_ref() != Some(&self.user_id) {
            return Err(Error::violation(
                "conversationId",
                "reference",
                "is no conversation of this user",
            ));
        }
        if let Some(parent) = &self.parent_id {
            let place = Self::get(ctx, parent.id()).await?.map(|m| m.conversation_id);
            if place.as_ref() != Some(&self.conversation_id) {
                return Err(Error::violation(
                    "parentId",
                    "reference",
                    "is no message of this conversation",
                ));
            }
        }
        Ok(())
    }
}

impl Message {
    /// What was said in these words, the best first.
    pub async fn said(ctx: &Ctx, words: &str) -> Result<Vec<Scored<Self>>> {
        Self::query(ctx).search(words).limit(20).await
    }

    /// From the first message to this one.
    pub async fn thread(ctx: &Ctx, id: &Id<Message>) -> Result<Vec<Self>> {
        let last = Self::fetch(ctx, id).await?;
        let above = Self::ancestors(ctx, id, |m| &m.parent_id).await?;
        Ok(above.into_iter().rev().chain([last]).collect())
    }
}
