//! Every option and every section of the guide.

use std::collections::BTreeMap;

use bson::Bson;
use model_core::BulkReport;
use model_core::prelude::*;

use super::{Project, ResourceSnapshot};
use crate::req_context::{Member, Notifier, ReqContext, SdkCache};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum ResourceStatus {
    Active,
    Paused,
}

#[derive(Clone, Model)]
#[model(
    collection = "myresources",
    id_prefix = "res_",
    rename_all = "camelCase",
    version = 2
)]
#[model(audit(
    entity = "myResource",
    create = "myResource.create",
    update = "myResource.update",
    delete = "myResource.delete"
))]
#[model(index(project, status), index(parent))]
pub struct MyResource {
    pub id: Id<MyResource>,
    pub organization: TenantId,
    #[model(readonly)]
    pub project: Id<Project>,
    #[model(readonly)]
    pub parent: Option<Id<MyResource>>,
    #[model(trim)]
    pub name: String,
    #[model(default)]
    pub description: String,
    #[model(default)]
    pub settings: BTreeMap<String, Bson>,
    #[model(default)]
    pub rules: Vec<String>,
    #[model(default = ResourceStatus::Active)]
    pub status: ResourceStatus,
    #[model(since = 2, default = "default")]
    pub new_field: String,
    #[model(default)]
    pub computed_field: String,
    #[model(default = false)]
    pub archived: bool,
    pub date_archived: Option<DateTime<Utc>>,
    #[model(skip_updated_at, skip_audit)]
    pub last_viewed: Option<DateTime<Utc>>,
    #[model(created_at)]
    pub date_created: DateTime<Utc>,
    #[model(updated_at)]
    pub date_updated: DateTime<Utc>,
    pub revision: Revision,
}

impl BaseModel for MyResource {
    policy!(
        Member,
        read: can_read_single_project_resource(project), create, update, delete: can_edit(project), scope: visible(project)
    );

    /// `customValidation`
    async fn validate(&self, _ctx: &ReqContext) -> Result<()> {
        if self.name.chars().count() < 3 {
            return Err(Error::violation("name", "name", "must be at least 3 characters"));
        }
        Ok(())
    }

    async fn before_create(_ctx: &ReqContext, doc: &mut Self) -> Result<()> {
        doc.computed_field = doc.name.to_lowercase().replace(' ', "-");
        Ok(())
    }

    async fn after_create(ctx: &ReqContext, doc: &Self) -> Result<()> {
        if let Some(notifier) = ctx.state::<Notifier>() {
            notifier.tell(format!("created {}", doc.name));
        }
        Ok(())
    }

    async fn before_update(_ctx: &ReqContext, change: &mut Change<Self>) -> Result<()> {
        change.after_mut().computed_field = change.after().name.to_lowercase().replace(' ', "-");
        Ok(())
    }

    async fn after_update(ctx: &ReqContext, change: &Change<Self>) -> Result<()> {
        let (before, after) = (change.before(), change.after());
        if (before.rules != after.rules || before.settings != after.settings)
            && let Some(cache) = ctx.state::<SdkCache>()
        {
            cache.invalidate();
        }
        Ok(())
    }

    async fn before_delete(ctx: &ReqContext, doc: &Self) -> Result<()> {
        if Self::query(ctx).filter(|r| r.parent.eq(&doc.id)).exists().await? {
            return Err(Error::refused("cannot delete: has dependent resources"));
        }
        Ok(())
    }

    async fn after_delete(ctx: &ReqContext, doc: &Self) -> Result<()> {
        ResourceSnapshot::delete_many(ctx, |s| s.resource.eq(&doc.id)).await?;
        Ok(())
    }

    /// `migrate(legacyDoc)`: version 1 had `oldField` and `deprecatedProperty`.
    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        let old = document.remove("oldField").unwrap_or_else(|| "default".into());
        document.remove("deprecatedProperty");
        document.insert("newField", old);
        Ok(document)
    }
}

pub async fn get_my_resource_by_id(ctx: &ReqContext, id: &Id<MyResource>) -> Result<Option<MyResource>> {
    MyResource::get(ctx, id).await
}

pub async fn get_my_resources_by_ids(ctx: &ReqContext, ids: &[Id<MyResource>]) -> Result<Vec<MyResource>> {
    MyResource::get_many(ctx, ids).await
}

/// `getAll(filter)`; `Filter::all()` for all.
pub async fn get_all_my_resources(ctx: &ReqContext, filter: Filter<MyResource>) -> Result<Vec<MyResource>> {
    MyResource::query(ctx).matching(filter).await
}

pub async fn create_my_resource(ctx: &ReqContext, data: NewMyResource) -> Result<MyResource> {
    MyResource::create(ctx, data).await
}

/// `update(existingDoc, updates)`: refused if the document is no longer as the caller has it.
pub async fn update_my_resource(
    ctx: &ReqContext,
    existing: &MyResource,
    updates: MyResourcePatch,
) -> Result<MyResource> {
    MyResource::update(ctx, &existing.id, updates)
        .if_revision(existing.revision)
        .await
}

pub async fn update_my_resource_by_id(
    ctx: &ReqContext,
    id: &Id<MyResource>,
    updates: MyResourcePatch,
) -> Result<MyResource> {
    MyResource::update(ctx, id, updates).await
}

/// `delete(existingDoc)`, guarded in the same way.
pub async fn delete_my_resource(ctx: &ReqContext, existing: &MyResource) -> Result<bool> {
    MyResource::delete(ctx, &existing.id)
        .if_revision(existing.revision)
        .await
}

pub async fn delete_my_resource_by_id(ctx: &ReqContext, id: &Id<MyResource>) -> Result<bool> {
    MyResource::delete(ctx, id).await
}

/// `dangerousCreateBypassPermission`, with the reason that the audit log keeps.
pub async fn dangerous_create_bypass_permission(
    ctx: &ReqContext,
    reason: &str,
    data: NewMyResource,
) -> Result<MyResource> {
    MyResource::create(&ctx.dangerously_bypass_permissions(reason), data).await
}

/// `dangerousUpdateByIdBypassPermission`
pub async fn dangerous_update_by_id_bypass_permission(
    ctx: &ReqContext,
    reason: &str,
    id: &Id<MyResource>,
    updates: MyResourcePatch,
) -> Result<MyResource> {
    MyResource::update(&ctx.dangerously_bypass_permissions(reason), id, updates).await
}

pub async fn get_my_resources_by_project(ctx: &ReqContext, project: &Id<Project>) -> Result<Vec<MyResource>> {
    MyResource::query(ctx).filter(|r| r.project.eq(project)).await
}

pub async fn archive_my_resource(ctx: &ReqContext, id: &Id<MyResource>) -> Result<MyResource> {
    MyResource::update_with(ctx, id, |r| {
        r.archived.set(true).and(r.date_archived.set(ctx.now()))
    })
    .await
}

/// One command for all, judged and audited each.
pub async fn bulk_update_status(
    ctx: &ReqContext,
    ids: &[Id<MyResource>],
    status: ResourceStatus,
) -> Result<BulkReport> {
    let patch = MyResourcePatch {
        status: Set(status),
        ..Default::default()
    };
    MyResource::update_many(ctx, |r| r.id.in_(ids), patch).await
}

/// Appends a rule, whoever else appends one.
pub async fn add_rule(ctx: &ReqContext, id: &Id<MyResource>, rule: &str) -> Result<MyResource> {
    MyResource::update_with(ctx, id, |r| r.rules.push(rule)).await
}

/// A guarded update: computed from the document as it is, again if another was first; nothing if it has the rule.
pub async fn rename_rule(ctx: &ReqContext, id: &Id<MyResource>, from: &str, to: &str) -> Result<MyResource> {
    MyResource::modify(ctx, id, |resource| {
        let renamed = |rule: &String| if rule == from { to.to_owned() } else { rule.clone() };
        let rules: Vec<_> = resource.rules.iter().map(renamed).collect();
        Ok((rules != resource.rules).then(|| MyResourcePatch {
            rules: Set(rules),
            ..Default::default()
        }))
    })
    .await
}
