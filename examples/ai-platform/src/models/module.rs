use model_core::prelude::*;

use super::Course;
use crate::person::Person;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum VideoProvider {
    Youtube,
    Vimeo,
    Custom,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub struct RecordingMetadata {
    pub stream_recording_id: Option<String>,
    pub recording_date: Option<DateTime<Utc>>,
    pub is_evergreen: Option<bool>,
    pub storage: Option<String>,
}

/// One lesson of a course.
#[derive(Clone, Model)]
#[model(collection = "modules", id = uuid, rename_all = "camelCase", index(course_id, order))]
pub struct Module {
    pub id: Id<Module>,
    pub tenant_id: TenantId,
    #[model(on_delete = cascade)]
    pub course_id: Ref<Course>,
    #[model(trim, len(1..=300))]
    pub title: String,
    pub description: Option<String>,
    pub video_url: Option<String>,
    pub video_provider: Option<VideoProvider>,
    /// Seconds.
    #[model(range(0..))]
    pub duration: Option<i32>,
    pub thumbnail: Option<String>,
    pub transcript: Option<String>,
    pub transcript_url: Option<String>,
    pub recording_metadata: Option<RecordingMetadata>,
    #[model(default = false)]
    pub published: bool,
    #[model(default = 0)]
    pub order: i32,
    /// Ids of lessons below this one, which no schema of before declares: kept as they were.
    #[model(default, hidden)]
    pub legacy_sub_modules: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Module {
    policy!(Person, read: sees(published), create, update, delete: is_admin, exact_scope: seen(published));
}
