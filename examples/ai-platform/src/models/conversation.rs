use model_core::prelude::*;

use super::{Agent, Message, MessageRole, NewMessage, NewMessageOptional, User};
use crate::person::{Ctx, Person};

/// What a model is asked with. The service of before had some of these on each conversation, whatever the provider.
#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct Parameters {
    #[model(range(0.0..=2.0))]
    pub temperature: Option<f64>,
    #[model(range(0.0..=1.0))]
    pub top_p: Option<f64>,
    #[model(range(1..=1_000_000))]
    pub max_tokens: Option<i32>,
    #[model(range(-2.0..=2.0))]
    pub presence_penalty: Option<f64>,
    #[model(range(-2.0..=2.0))]
    pub frequency_penalty: Option<f64>,
    pub prompt_prefix: Option<String>,
}

/// One user's talk with a model.
#[derive(Clone, Model)]
#[model(collection = "conversations", id = uuid, rename_all = "camelCase")]
#[model(index(user_id, last_message_at = desc), index(agent_id))]
pub struct Conversation {
    pub id: Id<Conversation>,
    pub tenant_id: TenantId,
    #[model(readonly, on_delete = cascade)]
    pub user_id: Ref<User>,
    #[model(trim, len(..=300))]
    pub title: Option<String>,
    pub provider: String,
    pub model: String,
    /// A deleted agent leaves its conversations.
    #[model(on_delete = nullify)]
    pub agent_id: Option<Ref<Agent>>,
    #[model(default)]
    pub parameters: Parameters,
    #[model(default = false, filterable)]
    pub archived: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[model(skip_updated_at, sortable)]
    pub last_message_at: Option<DateTime<Utc>>,
}

impl BaseModel for Conversation {
    policy!(Person, read, create, update, delete: owns(user_id), exact_scope: own(user_id));
}

impl Conversation {
    /// Adds a message below another, or at the root, and moves the conversation up: both or neither.
    pub async fn say(
        ctx: &Ctx,
        id: &Id<Conversation>,
        parent: Option<&Id<Message>>,
        role: MessageRole,
        content: impl Into<String>,
    ) -> Result<Message> {
        let content = content.into();
        ctx.transaction(|tx| async move {
            let conversation = Self::update_with(&tx, id, |c| c.last_message_at.set(tx.now())).await?;
            let answers = role == MessageRole::Assistant;
            let new = NewMessage {
                conversation_id: id.into(),
                user_id: conversation.user_id,
                role,
                content,
                optional: NewMessageOptional {
                    parent_id: parent.map(Ref::from),
                    model: answers.then_some(conversation.model),
                    provider: answers.then_some(conversation.provider),
                    ..Default::default()
                },
            };
            Message::create(&tx, new).await
        })
        .await
    }
}
