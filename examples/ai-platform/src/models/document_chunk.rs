use model_core::prelude::*;

use super::{File, User};
use crate::person::{Ctx, Person, owned};

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
    #[model(id)]
    pub id: Id<DocumentChunk>,
    #[model(tenant)]
    pub tenant_id: TenantId,
    #[model(on_delete = cascade)]
    pub file_id: Ref<File>,
    /// Whose file it is: permission is asked of the chunk alone.
    #[model(on_delete = cascade)]
    pub user_id: Ref<User>,
    pub content: String,
    #[model(default)]
    pub metadata: ChunkMetadata,
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
}

owned!(DocumentChunk by user_id);
