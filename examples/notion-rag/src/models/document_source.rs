use bson::Bson;
use model_core::prelude::*;

use crate::session::{Ctx, Session};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum SourceType {
    Notion,
    Pdf,
    Web,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum DocumentType {
    Page,
    Database,
    File,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum SourceStatus {
    Pending,
    Indexed,
    Error,
    Deleted,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct SourceMetadata {
    pub author: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub properties: Option<Bson>,
    pub parent_id: Option<String>,
    pub parent_type: Option<String>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub struct SourceError {
    pub message: Option<String>,
    pub timestamp: Option<DateTime<Utc>>,
    pub retry_count: Option<i64>,
}

/// A document of a workspace that is indexed for answers.
#[derive(Clone, Model)]
#[model(collection = "documentsources", rename_all = "camelCase")]
#[model(index(source_id, unique))]
pub struct DocumentSource {
    pub id: Id<DocumentSource>,
    pub workspace_id: TenantId,
    #[model(default = SourceType::Notion)]
    pub source_type: SourceType,
    pub source_id: String,
    #[model(default = DocumentType::Page)]
    pub document_type: DocumentType,
    pub title: String,
    pub url: Option<String>,
    #[model(index)]
    pub content_hash: Option<String>,
    #[model(default = SourceStatus::Pending)]
    pub sync_status: SourceStatus,
    #[model(default = 0)]
    pub chunk_count: i64,
    #[model(default)]
    pub vector_store_ids: Vec<String>,
    pub last_modified_in_source: Option<DateTime<Utc>>,
    pub last_indexed_at: Option<DateTime<Utc>>,
    pub metadata: Option<SourceMetadata>,
    pub error: Option<SourceError>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for DocumentSource {
    policy!(Session, read: views_sources(workspace_id), create, update, delete: manages_sync(workspace_id));
}

impl DocumentSource {
    /// `source.markAsDeleted()`
    pub async fn mark_as_deleted(ctx: &Ctx, id: &Id<Self>) -> Result<Self> {
        let deleted = |s: &DocumentSourceFields| {
            s.sync_status
                .set(SourceStatus::Deleted)
                .and(s.deleted_at.set(ctx.now()))
        };
        Self::update_with(ctx, id, deleted).await
    }
}
