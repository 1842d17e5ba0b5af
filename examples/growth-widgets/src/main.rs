//! The guide, from the first section to its complete example, shown by doing it.
//!
//! `cargo run -p growth-widgets` runs on the embedded store; with `MONGODB_URI` set, the same runs on that server.

#![allow(clippy::print_stdout, reason = "the output is what this program is for")]

use bson::doc;
use example_support::{heading, json, line, on_a_store, prepare, refused, stored};
use growth_widgets::*;
use model_core::DbBuilder;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    on_a_store("growth_widgets", tour).await
}

async fn tour(builder: DbBuilder) -> Result<()> {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let db = register(builder).clock(clock.clone()).build_lazy()?;
    prepare(&db).await?;
    prefixes()?;
    let project: Id<Project> = Id::parse("prj_abc123")?;
    let member = |name: &str, permissions| Member {
        name: name.into(),
        permissions,
    };
    let acme = TenantId::new("org_acme")?;
    let edits = Permissions {
        edits: vec![project.clone()],
        ..Permissions::default()
    };
    let reads = Permissions {
        reads: vec![project.clone()],
        ..Permissions::default()
    };
    let admin = Permissions {
        admin: true,
        ..Permissions::default()
    };
    let ed = db.context(acme.clone(), member("ed", edits));
    let vic = db.context(acme.clone(), member("vic", reads));
    let ada = db.context(acme, member("ada", admin));
    widgets(&ed, &vic, &project).await?;
    hooks(&ed, &clock, &project).await?;
    migration(&db, &ed).await?;
    dangerous(&vic, &project).await?;
    existing(&db, &ed).await?;
    audit(&ada).await
}

fn prefixes() -> Result<()> {
    heading("Prefixes: an id says what it is of");
    for (entity, id) in ids::examples() {
        let (prefix, _) = id.split_at(id.rfind('_').map_or(0, |at| at + 1));
        line(format!("{entity}: {prefix}..."));
    }
    line(format!(
        "an id of another maker: {}",
        Id::<Project>::parse("prj_abc123")?
    ));
    refused("one of another entity", Id::<Project>::parse("exp_xyz789"))
}

async fn widgets(ed: &ReqContext, vic: &ReqContext, project: &Id<Project>) -> Result<()> {
    heading("The complete example");
    let new = NewWidget {
        project: project.clone(),
        name: "Blue".into(),
        optional: NewWidgetOptional::default(),
    };
    refused(
        "vic reads the project only",
        create_widget(vic, new.clone()).await,
    )?;
    let widget = create_widget(ed, new).await?;
    line(format!(
        "created: enabled {}, description {:?}",
        widget.enabled, widget.description
    ));
    let on = WidgetPatch {
        enabled: Set(true),
        ..Default::default()
    };
    update_widget(ed, &widget.id, on).await?;
    let logged = ed.state::<Logger>().map(Logger::take).unwrap_or_default();
    line(format!("logged: {} line", logged.len()));
    line(format!(
        "vic finds {} enabled",
        get_enabled_widgets_by_project(vic, project).await?.len()
    ));
    line(format!("deleted: {}", delete_widget(ed, &widget.id).await?));
    line(format!(
        "and then: {:?}",
        get_widget_by_id(ed, &widget.id).await?.map(|w| w.name)
    ));
    Ok(())
}

async fn hooks(ed: &ReqContext, clock: &FixedClock, project: &Id<Project>) -> Result<()> {
    heading("Options and hooks");
    let new = |name: &str| NewMyResource {
        project: project.clone(),
        name: name.into(),
        optional: NewMyResourceOptional::default(),
    };
    refused("customValidation", create_my_resource(ed, new("ab")).await)?;
    let resource = create_my_resource(ed, new("My Resource")).await?;
    line(format!("beforeCreate: {:?}", resource.computed_field));
    line(format!(
        "afterCreate: {:?}",
        ed.state::<Notifier>().map(Notifier::take)
    ));
    let moved = MyResourcePatch::from_json(r#"{"project": "prj_other", "organization": "org_evil"}"#);
    refused("readonly fields, and the organization", moved.map(drop))?;
    clock.advance(chrono::TimeDelta::minutes(1));
    let viewed = MyResourcePatch {
        last_viewed: Set(Some(ed.now())),
        ..Default::default()
    };
    let viewed = update_my_resource_by_id(ed, &resource.id, viewed).await?;
    line(format!(
        "a view does not move dateUpdated: {}",
        viewed.date_updated == resource.date_updated
    ));
    let ruled = add_rule(ed, &resource.id, "country = NL").await?;
    line(format!(
        "afterUpdate: the SDK cache was invalidated {:?} time",
        ed.state::<SdkCache>().map(SdkCache::invalidations)
    ));
    let late = MyResourcePatch {
        name: Set("Late".into()),
        ..Default::default()
    };
    refused(
        "update(existingDoc) of an older document",
        update_my_resource(ed, &resource, late).await,
    )?;
    take_snapshot(ed, &ruled, 1).await?;
    let mut child = new("Child");
    child.optional.parent = Some(resource.id.clone());
    let child = create_my_resource(ed, child).await?;
    refused("beforeDelete", delete_my_resource_by_id(ed, &resource.id).await)?;
    let ids = [resource.id.clone(), child.id.clone()];
    let report = bulk_update_status(ed, &ids, ResourceStatus::Paused).await?;
    line(format!("bulkUpdateStatus: {} in one command", report.written));
    let archived = archive_my_resource(ed, &child.id).await?;
    line(format!("archived at {:?}", archived.date_archived));
    delete_my_resource(ed, &archived).await?;
    delete_my_resource_by_id(ed, &resource.id).await?;
    line(format!(
        "afterDelete: the snapshot is {:?}",
        get_snapshot(ed, &resource.id, 1).await?.map(|s| s.number)
    ));
    Ok(())
}

async fn migration(db: &Db, ed: &ReqContext) -> Result<()> {
    heading(
        "migrate(): a document of version 1 is read in the present shape, and written so by the next change",
    );
    let date = bson::DateTime::from_millis(1_700_000_000_000);
    let legacy = doc! {
        "_id": "res_legacy", "organization": "org_acme", "project": "prj_abc123", "name": "Legacy", "description": "",
        "settings": {}, "rules": [], "status": "active", "oldField": "old value", "deprecatedProperty": 1,
        "computedField": "", "archived": false, "dateCreated": date, "dateUpdated": date,
    };
    testing::store_raw(db, "myresources", &legacy).await?;
    let id = Id::parse("res_legacy")?;
    let read = get_my_resource_by_id(ed, &id).await?;
    line(format!("newField: {:?}", read.map(|r| r.new_field)));
    add_rule(ed, &id, "country = DE").await?;
    stored(db, "myresources").await
}

async fn dangerous(vic: &ReqContext, project: &Id<Project>) -> Result<()> {
    heading("Bypassing permissions: with a reason");
    let new = NewMyResource {
        project: project.clone(),
        name: "From a webhook".into(),
        optional: NewMyResourceOptional::default(),
    };
    let made = dangerous_create_bypass_permission(vic, "webhook of the billing", new).await?;
    line(format!("vic's webhook made {:?}", made.name));
    let patch = MyResourcePatch {
        description: Set("by a webhook".into()),
        ..Default::default()
    };
    let made =
        dangerous_update_by_id_bypass_permission(vic, "webhook of the billing", &made.id, patch).await?;
    line(format!("and wrote {:?}", made.description));
    Ok(())
}

async fn existing(db: &Db, ed: &ReqContext) -> Result<()> {
    heading("An existing collection: `id` beside `_id`, and nulls");
    let date = bson::DateTime::from_millis(1_700_000_000_000);
    let widget = doc! {
        "_id": bson::oid::ObjectId::from_bytes([7; 12]), "id": "wgt_123abc", "organization": "org_acme",
        "project": "prj_abc123", "name": "Existing", "description": null, "enabled": null,
        "dateCreated": date, "dateUpdated": date, "__v": 0,
    };
    testing::store_raw(db, "existingwidgets", &widget).await?;
    let id = Id::parse("wgt_123abc")?;
    if let Some(widget) = get_existing_widget(ed, &id).await? {
        json(&widget.into_view(ed));
    }
    let patch = ExistingWidgetPatch {
        enabled: Set(Some(true)),
        ..Default::default()
    };
    update_existing_widget(ed, &id, patch).await?;
    stored(db, "existingwidgets").await
}

async fn audit(ada: &ReqContext) -> Result<()> {
    heading("The audit log");
    let mut entries = ada.audit_log().limit(100).await?;
    entries.reverse();
    for entry in entries {
        let reason = entry
            .bypass_reason
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default();
        line(format!("{} by {}{reason}", entry.event, entry.actor.id));
    }
    Ok(())
}
