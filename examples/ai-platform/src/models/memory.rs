use model_core::prelude::*;

use super::{Conversation, User};
use crate::person::{Ctx, Person};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum MemorySource {
    Conversation,
    Manual,
    Import,
}

/// What the assistant remembers of a user.
#[derive(Clone, Model)]
#[model(collection = "memories", id = uuid, rename_all = "camelCase")]
#[model(index(user_id, key, unique), index(value = text))]
pub struct Memory {
    pub id: Id<Memory>,
    pub tenant_id: TenantId,
    #[model(readonly, on_delete = cascade)]
    pub user_id: Ref<User>,
    #[model(trim, len(1..=120))]
    pub key: String,
    #[model(len(1..=10_000))]
    pub value: String,
    #[model(filterable)]
    pub category: Option<String>,
    pub source: Option<MemorySource>,
    /// The conversation that it came up in; it outlives it.
    #[model(index, on_delete = nullify)]
    pub source_id: Option<Ref<Conversation>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Memory {
    policy!(Person, read, create, update, delete: owns(user_id), exact_scope: own(user_id));
}

impl Memory {
    /// What is remembered in these words, the best first.
    pub async fn of(ctx: &Ctx, words: &str) -> Result<Vec<Scored<Self>>> {
        Self::query(ctx).search(words).limit(20).await
    }

    /// Remembers a value under a key, in the place of what was there.
    pub async fn remember(ctx: &Ctx, user: &Id<User>, key: &str, value: &str) -> Result<Self> {
        let new = NewMemory {
            user_id: user.into(),
            key: key.into(),
            value: value.into(),
            optional: NewMemoryOptional {
                source: Some(MemorySource::Manual),
                ..Default::default()
            },
        };
        let patch = MemoryPatch {
            value: Set(value.into()),
            ..Default::default()
        };
        let stored = Self::upsert(ctx, |m| m.user_id.eq(user) & m.key.eq(key), new, patch).await?;
        Ok(stored.into_document())
    }
}
