use std::collections::BTreeMap;

use bson::Bson;
use model_core::prelude::*;

use super::User;
use crate::person::Person;

/// What a user has uploaded.
#[derive(Clone, Model)]
#[model(collection = "files", id = uuid, rename_all = "camelCase", index(user_id, created_at = desc))]
pub struct File {
    pub id: Id<File>,
    pub tenant_id: TenantId,
    #[model(readonly, on_delete = cascade)]
    pub user_id: Ref<User>,
    #[model(trim, len(1..=255))]
    pub filename: String,
    #[model(readonly)]
    pub original_name: String,
    #[model(filterable(eq, starts_with))]
    pub mime_type: String,
    /// Bytes.
    #[model(range(0..))]
    pub size: i64,
    pub storage_provider: String,
    /// Where it lies there; nobody's business outside.
    #[model(hidden)]
    pub storage_key: String,
    pub url: String,
    #[model(default = false)]
    pub embedded: bool,
    pub vector_store_id: Option<String>,
    #[model(default)]
    pub metadata: BTreeMap<String, Bson>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for File {
    policy!(Person, read, create, update, delete: owns(user_id), exact_scope: own(user_id));
}
