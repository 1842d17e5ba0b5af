use std::collections::BTreeMap;

use bson::Bson;
use model_core::prelude::*;

use super::User;
use crate::person::{Ctx, Person, owned};

/// What a user has uploaded.
#[derive(Clone, Model)]
#[model(collection = "files", id = uuid, rename_all = "camelCase", index(user_id, created_at = desc))]
pub struct File {
    #[model(id)]
    pub id: Id<File>,
    #[model(tenant)]
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
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub updated_at: DateTime<Utc>,
}

owned!(File by user_id);
