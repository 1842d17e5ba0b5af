use bson::Bson;
use bson::oid::ObjectId;
use model_core::Steps;
use model_core::prelude::*;

use super::{Module, Tenant};
use crate::legacy;
use crate::person::{Door, Person};

/// A recorded call. Before, these were rows of a Postgres database beside MongoDB.
#[derive(Clone, Model)]
#[model(collection = "recordings", id = uuid, rename_all = "camelCase")]
pub struct Recording {
    pub id: Id<Recording>,
    pub tenant_id: TenantId,
    #[model(unique)]
    pub stream_call_id: Option<String>,
    pub stream_recording_url: Option<String>,
    pub do_spaces_url: Option<String>,
    #[model(hidden)]
    pub do_spaces_key: Option<String>,
    /// Seconds.
    #[model(range(0..))]
    pub duration: Option<i32>,
    #[model(default)]
    pub participants: Vec<Bson>,
    pub transcript_text: Option<String>,
    pub transcript_url: Option<String>,
    pub thumbnail_url: Option<String>,
    #[model(default = false)]
    pub posted_to_academy: bool,
    #[model(index, on_delete = nullify)]
    pub academy_module_id: Option<Ref<Module>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Recording {
    policy!(Person, read, create, update, delete: is_admin);
}

/// A row of the Postgres table, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    pub stream_call_id: String,
    pub duration: i32,
    pub academy_module_id: Option<String>,
}

impl Recording {
    /// Takes a row over, under its own id. It names a module by the id that this had before the migration.
    pub async fn import(job: &Door, tenant: &Id<Tenant>, row: Row) -> Result<Self> {
        let academy_module_id = match &row.academy_module_id {
            Some(old) => moved_module(job, old).await?,
            None => None,
        };
        let new = NewRecording {
            optional: NewRecordingOptional {
                stream_call_id: Some(row.stream_call_id),
                duration: Some(row.duration),
                posted_to_academy: Some(academy_module_id.is_some()),
                academy_module_id,
                ..Default::default()
            },
        };
        Self::create_with_id(&job.enter(tenant), Id::parse(&row.id)?, new).await
    }
}

async fn moved_module(job: &Door, old: &str) -> Result<Option<Ref<Module>>> {
    let Ok(old) = ObjectId::parse_str(old) else {
        return Ok(None);
    };
    match Steps::moved_id(job, legacy::MOVED_MODULES, old).await? {
        Some(Bson::Binary(uuid)) => {
            let uuid = uuid
                .to_uuid()
                .map_err(|_| Error::refused("the module's new id is no UUID"))?;
            Ok(Some(Id::parse(&uuid.to_string())?.into()))
        }
        _ => Ok(None),
    }
}
