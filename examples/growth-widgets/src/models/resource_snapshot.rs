//! A composite key: one snapshot for each resource and number, which is all that names it.

use model_core::prelude::*;

use super::MyResource;
use crate::req_context::{Member, ReqContext};

#[derive(Clone, Model)]
#[model(
    collection = "resourcesnapshots",
    rename_all = "camelCase",
    key(resource, number)
)]
pub struct ResourceSnapshot {
    pub organization: TenantId,
    pub resource: Id<MyResource>,
    pub number: i32,
    pub rules: Vec<String>,
    #[model(created_at)]
    pub date_created: DateTime<Utc>,
}

impl BaseModel for ResourceSnapshot {
    policy!(Member, read, create, update, delete: true);
}

/// Takes the snapshot with this number, or takes it anew.
pub async fn take_snapshot(ctx: &ReqContext, resource: &MyResource, number: i32) -> Result<ResourceSnapshot> {
    let new = NewResourceSnapshot {
        resource: resource.id.clone(),
        number,
        rules: resource.rules.clone(),
    };
    let anew = ResourceSnapshotPatch {
        rules: Set(resource.rules.clone()),
        ..Default::default()
    };
    let key = |s: &ResourceSnapshotFields| s.resource.eq(&resource.id) & s.number.eq(number);
    Ok(ResourceSnapshot::upsert(ctx, key, new, anew)
        .await?
        .into_document())
}

pub async fn get_snapshot(
    ctx: &ReqContext,
    resource: &Id<MyResource>,
    number: i32,
) -> Result<Option<ResourceSnapshot>> {
    ResourceSnapshot::get_by(ctx, |s| s.resource.eq(resource) & s.number.eq(number)).await
}
