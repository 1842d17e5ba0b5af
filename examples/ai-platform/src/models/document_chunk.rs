use model_core::prelude::*;

use super::{File, User};
use crate::person::{Ctx, Person};

/// What OpenAI's models make of a text.
pub type Embedding = Vector<1536>;

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct ChunkMetadata {
    pub page: Option<i32>,
    pub section: Option<String>,
    pub start_index: Option<i32>,
    pub end_index: Option<i32>,
}

/// A piece of a file's text, with the vector that it is found by.
#[derive(Clone, Model)]
#[model(collection = "document_chunks", id = uuid, rename_all = "camelCase")]
#[model(index(file_id), index(user_id))]
pub struct DocumentChunk {
    pub id: Id<DocumentChunk>,
    pub tenant_id: TenantId,
    #[model(on_delete = cascade)]
    pub file_id: Ref<File>,
    /// Whose file it is: permission is asked of the chunk alone.
    #[model(on_delete = cascade)]
    pub user_id: Ref<User>,
    pub content: String,
    /// Absent until the content was embedded.
    #[model(hidden, vector(similarity = cosine))]
    pub embedding: Option<Embedding>,
    #[model(default)]
    pub metadata: ChunkMetadata,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for DocumentChunk {
    policy!(Person, read, create, update, delete: owns(user_id), exact_scope: own(user_id));
}

impl DocumentChunk {
    /// The pieces that are most like a question, the best first.
    pub async fn like(ctx: &Ctx, question: &Embedding, count: usize) -> Result<Vec<Scored<Self>>> {
        Self::query(ctx).nearest(|c| &c.embedding, question, count).await
    }
}
