use model_core::prelude::*;

use crate::session::{Ctx, Session};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
pub enum JobType {
    FullSync,
    IncrementalSync,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum JobStatus {
    Queued,
    Processing,
    Completed,
    Failed,
    Cancelled,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum TriggeredBy {
    Manual,
    Scheduled,
    Auto,
    Webhook,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct Progress {
    pub total_documents: Option<i64>,
    pub processed_documents: Option<i64>,
    pub success_count: Option<i64>,
    pub error_count: Option<i64>,
    pub skipped_count: Option<i64>,
    pub current_document: Option<String>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub struct DocumentError {
    pub document_id: Option<String>,
    pub error: Option<String>,
    pub timestamp: Option<DateTime<Utc>>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", defaults)]
pub struct SyncResults {
    pub documents_added: Option<i64>,
    pub documents_updated: Option<i64>,
    pub documents_deleted: Option<i64>,
    pub errors: Vec<DocumentError>,
}

#[derive(Clone, Embedded)]
pub struct JobError {
    pub message: Option<String>,
    pub timestamp: Option<DateTime<Utc>>,
}

/// A run that brings a workspace's documents up to date.
#[derive(Clone, Model)]
#[model(collection = "syncjobs", rename_all = "camelCase")]
pub struct SyncJob {
    pub id: Id<SyncJob>,
    #[model(index)]
    pub job_id: String,
    pub workspace_id: TenantId,
    pub job_type: JobType,
    #[model(default = JobStatus::Queued)]
    pub status: JobStatus,
    #[model(default = TriggeredBy::Manual)]
    pub triggered_by: TriggeredBy,
    pub progress: Option<Progress>,
    #[model(default)]
    pub results: SyncResults,
    #[model(default = 0)]
    pub retry_count: i64,
    pub error: Option<JobError>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub duration: Option<i64>,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for SyncJob {
    policy!(Session, read: views_sources(workspace_id), create, update, delete: manages_sync(workspace_id));
}

impl SyncJob {
    /// A worker takes the oldest job that waits; no other worker gets the same.
    pub async fn take(ctx: &Ctx) -> Result<Option<Self>> {
        let patch = SyncJobPatch {
            status: Set(JobStatus::Processing),
            started_at: Set(Some(ctx.now())),
            ..Default::default()
        };
        Self::query(ctx)
            .filter(|j| j.status.eq(JobStatus::Queued))
            .sort(|j| j.created_at.asc())
            .claim(patch)
            .await
    }

    /// `job.updateProgress(progress)`: what it does not name stays.
    pub async fn update_progress(ctx: &Ctx, id: &Id<Self>, progress: ProgressPatch) -> Result<Self> {
        let patch = SyncJobPatch {
            progress: Merge(progress),
            ..Default::default()
        };
        Self::update(ctx, id, patch).await
    }

    /// `job.complete(results)`
    pub async fn complete(ctx: &Ctx, id: &Id<Self>, results: SyncResults) -> Result<Self> {
        let ended = |job: &Self| SyncJobPatch {
            results: Set(results.clone()),
            ..job.ended(ctx, JobStatus::Completed)
        };
        Self::modify(ctx, id, |job| Ok(Some(ended(job)))).await
    }

    /// `job.fail(error)`
    pub async fn fail(ctx: &Ctx, id: &Id<Self>, message: &str) -> Result<Self> {
        let error = JobError {
            message: Some(message.to_owned()),
            timestamp: Some(ctx.now()),
        };
        let ended = |job: &Self| SyncJobPatch {
            error: Set(Some(error.clone())),
            ..job.ended(ctx, JobStatus::Failed)
        };
        Self::modify(ctx, id, |job| Ok(Some(ended(job)))).await
    }

    fn ended(&self, ctx: &Ctx, status: JobStatus) -> SyncJobPatch {
        let took = self
            .started_at
            .map(|started| (ctx.now() - started).num_milliseconds());
        SyncJobPatch {
            status: Set(status),
            completed_at: Set(Some(ctx.now())),
            duration: Set(took),
            ..Default::default()
        }
    }
}
