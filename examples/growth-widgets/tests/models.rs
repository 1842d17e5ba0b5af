//! The guide, section by section, on both stores.

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use chrono::TimeDelta;
use example_support::on_both_stores;
use growth_widgets::*;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, SyncOptions};

struct App {
    db: Db,
    clock: FixedClock,
    project: Id<Project>,
    /// Edits the project, reads it, does everything; and one who does everything in another organization.
    ed: ReqContext,
    vic: ReqContext,
    ada: ReqContext,
    rita: ReqContext,
}

async fn open(builder: DbBuilder) -> App {
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let db = register(builder).clock(clock.clone()).build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.check_indexes().await.unwrap();
    let project: Id<Project> = Id::parse("prj_abc123").unwrap();
    let projects = || vec![project.clone()];
    let context = |tenant: &str, name: &str, permissions| {
        db.context(
            TenantId::new(tenant).unwrap(),
            Member {
                name: name.into(),
                permissions,
            },
        )
    };
    let admin = || Permissions {
        admin: true,
        ..Default::default()
    };
    App {
        ed: context(
            "acme",
            "ed",
            Permissions {
                edits: projects(),
                ..Default::default()
            },
        ),
        vic: context(
            "acme",
            "vic",
            Permissions {
                reads: projects(),
                ..Default::default()
            },
        ),
        ada: context("acme", "ada", admin()),
        rita: context("globex", "rita", admin()),
        project,
        db,
        clock,
    }
}

impl App {
    fn widget(&self, name: &str) -> NewWidget {
        NewWidget {
            project: self.project.clone(),
            name: name.into(),
            optional: Default::default(),
        }
    }

    fn resource(&self, name: &str) -> NewMyResource {
        NewMyResource {
            project: self.project.clone(),
            name: name.into(),
            optional: Default::default(),
        }
    }

    async fn stored(&self, collection: &'static str) -> Vec<Document> {
        testing::stored(&self.db, collection).await.unwrap()
    }

    async fn events(&self) -> Vec<String> {
        let mut entries = self.ada.audit_log().limit(100).await.unwrap();
        entries.reverse();
        entries.into_iter().map(|entry| entry.event).collect()
    }
}

on_both_stores! {
    open with open;

    /// The exported functions of the complete example, each under its permission, audited by its name.
    async fn the_complete_example(app: App) {
        assert!(create_widget(&app.vic, app.widget("Blue")).await.unwrap_err().is_forbidden());
        let widget = create_widget(&app.ed, app.widget("Blue")).await.unwrap();
        assert!(widget.id.to_string().starts_with("wgt_") && widget.description.is_empty() && !widget.enabled);
        assert_eq!((widget.date_created, widget.date_updated), (app.ed.now(), app.ed.now()));
        assert!(get_widget_by_id(&app.rita, &widget.id).await.unwrap().is_none());
        let on = || WidgetPatch { enabled: Set(true), ..Default::default() };
        assert!(update_widget(&app.vic, &widget.id, on()).await.unwrap_err().is_forbidden());
        assert!(update_widget(&app.rita, &widget.id, on()).await.unwrap_err().is_not_found());
        update_widget(&app.ed, &widget.id, on()).await.unwrap();
        let renamed = WidgetPatch { name: Set("Red".into()), ..Default::default() };
        update_widget(&app.ed, &widget.id, renamed).await.unwrap();
        let logged = app.ed.state::<Logger>().unwrap().take();
        assert_eq!(logged, [format!("Widget enabled state changed: {} true", widget.id)]);
        let found = get_enabled_widgets_by_project(&app.vic, &app.project).await.unwrap();
        assert_eq!((found.len(), found[0].name.as_str()), (1, "Red"));
        assert!(get_enabled_widgets_by_project(&app.rita, &app.project).await.unwrap().is_empty());
        assert!(delete_widget(&app.vic, &widget.id).await.unwrap_err().is_forbidden());
        assert!(delete_widget(&app.ed, &widget.id).await.unwrap() && !delete_widget(&app.ed, &widget.id).await.unwrap());
        assert_eq!(app.events().await, ["widget.create", "widget.update", "widget.update", "widget.delete"]);
    }

    /// A widget is not moved into a project that the member does not edit, and its organization is nobody's to give.
    async fn both_sides_of_a_change_are_asked(app: App) {
        let widget = create_widget(&app.ed, app.widget("Blue")).await.unwrap();
        let moved = WidgetPatch { project: Set(Id::parse("prj_other").unwrap()), ..Default::default() };
        assert!(update_widget(&app.ed, &widget.id, moved).await.unwrap_err().is_forbidden());
        let json = r#"{"name": "N", "project": "prj_abc123", "organization": "globex"}"#;
        assert_eq!(NewWidget::from_json(json).unwrap_err().violations()[0].path, "organization");
        let json = r#"{"name": "N", "project": "exp_abc123"}"#;
        assert_eq!(NewWidget::from_json(json).unwrap_err().violations()[0].path, "project");
    }

    /// Ids are of the table's prefixes, `fact__` with both underscores; those of other makers parse; none is another's.
    async fn id_prefixes(app: App) {
        let expected = ["prj_", "exp_", "feat_", "grp_", "seg_", "met_", "wh_", "key_", "cfd_", "sr_", "hld_", "fact__", "url_"];
        for ((entity, id), prefix) in ids::examples().iter().zip(expected) {
            assert!(id.starts_with(prefix), "{entity}: {id}");
        }
        for foreign in ["fact__efg456", "fact__19g61w2lm3x4y5z"] {
            assert_eq!(Id::<ids::FactTable>::parse(foreign).unwrap().to_string(), foreign);
        }
        assert!(Id::<ids::FactTable>::parse("fact_efg456").is_err() && Id::<Project>::parse("exp_xyz789").is_err());
        let id: Id<Project> = Id::parse("prj_def456").unwrap();
        let new = || ids::NewProject { name: "P".into() };
        Project::create_with_id(&app.ada, id.clone(), new()).await.unwrap();
        let taken = Project::create_with_id(&app.rita, id, new()).await.unwrap_err();
        assert!(taken.is_duplicate(), "globallyUniqueIds: over all organizations");
    }

    /// customValidation, beforeCreate, afterCreate, beforeUpdate, afterUpdate, beforeDelete, afterDelete.
    async fn hooks(app: App) {
        let short = create_my_resource(&app.ed, app.resource("ab")).await.unwrap_err();
        assert_eq!(short.violations()[0].path, "name");
        let resource = create_my_resource(&app.ed, app.resource("My Resource")).await.unwrap();
        assert_eq!(resource.computed_field, "my-resource");
        assert_eq!(app.ed.state::<Notifier>().unwrap().take(), ["created My Resource"]);
        let renamed = MyResourcePatch { name: Set("Other".into()), ..Default::default() };
        let renamed = update_my_resource(&app.ed, &resource, renamed).await.unwrap();
        assert_eq!(renamed.computed_field, "other");
        let cache = app.ed.state::<SdkCache>().unwrap();
        assert_eq!(cache.invalidations(), 0);
        add_rule(&app.ed, &resource.id, "a").await.unwrap();
        let settings = [("enabled".to_owned(), Bson::Boolean(true))].into();
        let set = MyResourcePatch { settings: Set(settings), ..Default::default() };
        let latest = update_my_resource_by_id(&app.ed, &resource.id, set).await.unwrap();
        assert_eq!(cache.invalidations(), 2);
        let mut child = app.resource("Child");
        child.optional.parent = Some(resource.id.clone());
        let child = create_my_resource(&app.ed, child).await.unwrap();
        assert!(delete_my_resource(&app.ed, &latest).await.unwrap_err().is_refused());
        take_snapshot(&app.ed, &latest, 1).await.unwrap();
        assert!(delete_my_resource_by_id(&app.ed, &child.id).await.unwrap());
        assert!(delete_my_resource(&app.ed, &latest).await.unwrap());
        assert!(app.stored("resourcesnapshots").await.is_empty());
    }

    /// readonlyFields, skipDateUpdatedFields, defaultValues, additionalIndexes, update by an older document.
    async fn options(app: App) {
        let resource = create_my_resource(&app.ed, app.resource("Resource")).await.unwrap();
        assert!(resource.status == ResourceStatus::Active && resource.settings.is_empty() && resource.new_field == "default");
        app.clock.advance(TimeDelta::minutes(1));
        let viewed = MyResourcePatch { last_viewed: Set(Some(app.ed.now())), ..Default::default() };
        let viewed = update_my_resource_by_id(&app.ed, &resource.id, viewed).await.unwrap();
        assert!(viewed.last_viewed.is_some() && viewed.date_updated == resource.date_updated);
        assert_eq!(app.events().await, ["myResource.create"], "a view is not audited");
        let late = MyResourcePatch { name: Set("Late".into()), ..Default::default() };
        assert!(update_my_resource(&app.ed, &resource, late.clone()).await.unwrap_err().is_conflict());
        assert!(delete_my_resource(&app.ed, &resource).await.unwrap_err().is_conflict());
        let named = update_my_resource(&app.ed, &viewed, late).await.unwrap();
        assert_eq!(named.date_updated - named.date_created, TimeDelta::minutes(1));
        let moved = MyResourcePatch::from_json(r#"{"project": "prj_other", "parent": "res_other"}"#).unwrap();
        let error = update_my_resource_by_id(&app.ed, &resource.id, moved).await.unwrap_err();
        let paths: Vec<_> = error.violations().iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, ["project", "parent"]);
        let plan: Vec<_> = MyResource::schema().indexes.iter().map(|index| index.keys[0].path).collect();
        assert_eq!(plan, ["project", "parent"]);
    }

    /// getByIds, getAll, getByProject, archive, bulkUpdateStatus: what the member may not read is not there.
    async fn crud_and_custom_methods(app: App) {
        let mut ids = Vec::new();
        for name in ["One", "Two", "Three"] {
            ids.push(create_my_resource(&app.ed, app.resource(name)).await.unwrap().id);
        }
        let elsewhere = NewMyResource { project: Id::parse("prj_secret").unwrap(), ..app.resource("Secret") };
        ids.push(create_my_resource(&app.ada, elsewhere).await.unwrap().id);
        ids.reverse();
        let names = |all: Vec<MyResource>| all.into_iter().map(|r| r.name).collect::<Vec<_>>();
        assert_eq!(names(get_my_resources_by_ids(&app.vic, &ids).await.unwrap()), ["Three", "Two", "One"]);
        assert_eq!(get_all_my_resources(&app.vic, Filter::all()).await.unwrap().len(), 3);
        assert_eq!(get_all_my_resources(&app.ada, Filter::all()).await.unwrap().len(), 4);
        assert!(get_all_my_resources(&app.rita, Filter::all()).await.unwrap().is_empty());
        let report = bulk_update_status(&app.ed, &ids, ResourceStatus::Paused).await.unwrap();
        assert_eq!((report.matched, report.written), (3, 3));
        let paused = MyResource::filter(|r| r.status.eq(ResourceStatus::Paused));
        assert_eq!(get_all_my_resources(&app.ada, paused).await.unwrap().len(), 3);
        assert!(bulk_update_status(&app.vic, &ids, ResourceStatus::Active).await.unwrap_err().is_forbidden());
        let archived = archive_my_resource(&app.ed, &ids[1]).await.unwrap();
        assert!(archived.archived && archived.date_archived == Some(app.ed.now()));
        assert_eq!(get_my_resources_by_project(&app.vic, &app.project).await.unwrap().len(), 3);
        assert!(get_my_resource_by_id(&app.vic, &ids[0]).await.unwrap().is_none());
    }

    /// The dangerous verbs pass over permissions, not over the organization, and leave their reason.
    async fn bypass(app: App) {
        let made = dangerous_create_bypass_permission(&app.vic, "webhook", app.resource("Hooked")).await.unwrap();
        let patch = MyResourcePatch { description: Set("d".into()), ..Default::default() };
        let patched = dangerous_update_by_id_bypass_permission(&app.vic, "webhook", &made.id, patch.clone()).await.unwrap();
        assert_eq!(patched.description, "d");
        let foreign = dangerous_update_by_id_bypass_permission(&app.rita, "webhook", &made.id, patch).await;
        assert!(foreign.unwrap_err().is_not_found());
        let entries = app.ada.audit_log().of::<MyResource>(&made.id).await.unwrap();
        assert_eq!(entries.len(), 2);
        assert!(entries.iter().all(|entry| entry.actor.id == "vic" && entry.bypass_reason.as_deref() == Some("webhook")));
        assert!(app.vic.audit_log().await.unwrap_err().is_forbidden());
    }

    /// Guarded updates of today: nothing is lost, nothing is written where nothing is to do.
    async fn guarded_updates(app: App) {
        let resource = create_my_resource(&app.ed, app.resource("Resource")).await.unwrap();
        let writers: Vec<_> = (0..5).map(|n| {
            let (ctx, id) = (app.ed.clone(), resource.id.clone());
            tokio::spawn(async move { add_rule(&ctx, &id, &n.to_string()).await })
        }).collect();
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        let before = rename_rule(&app.ed, &resource.id, "3", "three").await.unwrap();
        assert!(before.rules.len() == 5 && before.rules.contains(&"three".to_owned()));
        let same = rename_rule(&app.ed, &resource.id, "3", "three").await.unwrap();
        assert_eq!(same.revision, before.revision);
        let first = take_snapshot(&app.ed, &resource, 1).await.unwrap();
        let again = take_snapshot(&app.ed, &same, 1).await.unwrap();
        assert_eq!((first.number, first.rules.len(), again.rules.len()), (again.number, 0, 5));
        assert_eq!(get_snapshot(&app.ed, &resource.id, 1).await.unwrap().unwrap().rules.len(), 5);
        assert!(get_snapshot(&app.rita, &resource.id, 1).await.unwrap().is_none());
    }

    /// migrate(): read in the present shape; the query by a new field is refused until the rest is migrated.
    async fn migration(app: App) {
        let date = bson::DateTime::from_millis(1_700_000_000_000);
        for (id, old) in [("res_a", Some("x")), ("res_b", None)] {
            let mut legacy = doc! {
                "_id": id, "organization": "acme", "project": "prj_abc123", "name": "Legacy", "description": "", "settings": {},
                "rules": [], "status": "active", "deprecatedProperty": 1, "computedField": "", "archived": false,
                "dateCreated": date, "dateUpdated": date,
            };
            legacy.extend(old.map(|old| ("oldField".to_owned(), old.into())));
            testing::store_raw(&app.db, "myresources", &legacy).await.unwrap();
        }
        let (a, b) = (Id::parse("res_a").unwrap(), Id::parse("res_b").unwrap());
        assert_eq!(get_my_resource_by_id(&app.vic, &a).await.unwrap().unwrap().new_field, "x");
        assert_eq!(get_my_resource_by_id(&app.vic, &b).await.unwrap().unwrap().new_field, "default");
        let by_new = || MyResource::filter(|r| r.new_field.eq("x"));
        assert!(get_all_my_resources(&app.vic, by_new()).await.unwrap_err().is_configuration());
        let job = app.ada.dangerously_bypass_permissions("release 2");
        assert!(MyResource::migrate_all(&job).await.unwrap().complete);
        assert_eq!(get_all_my_resources(&app.vic, by_new()).await.unwrap().len(), 1);
        let stored = app.stored("myresources").await;
        assert!(stored.iter().all(|d| !d.contains_key("oldField") && !d.contains_key("deprecatedProperty")));
    }

    /// A collection as GrowthBook has it: found by `id`, nulls are read as absent and stay, dates keep their names.
    async fn an_existing_collection(app: App) {
        let date = bson::DateTime::from_millis(1_700_000_000_000);
        let widget = doc! {
            "_id": ObjectId::from_bytes([7; 12]), "id": "wgt_123abc", "organization": "acme", "project": null,
            "name": "Existing", "description": null, "enabled": null, "dateCreated": date, "dateUpdated": date, "__v": 0,
        };
        testing::store_raw(&app.db, "existingwidgets", &widget).await.unwrap();
        let id = Id::parse("wgt_123abc").unwrap();
        let found = get_existing_widget(&app.vic, &id).await.unwrap().unwrap();
        assert!(found.description.is_none() && found.enabled.is_none() && found.project.is_none());
        assert!(get_existing_widget(&app.rita, &id).await.unwrap().is_none());
        let patch = ExistingWidgetPatch { enabled: Set(Some(true)), ..Default::default() };
        assert!(update_existing_widget(&app.ed, &id, patch.clone()).await.unwrap_err().is_forbidden());
        update_existing_widget(&app.ada, &id, patch).await.unwrap();
        let stored = app.stored("existingwidgets").await.remove(0);
        assert_eq!((stored.get("description"), stored.get("__v")), (Some(&Bson::Null), Some(&Bson::Int32(0))));
        assert_eq!((stored.get("dateCreated").unwrap(), stored.get("id").unwrap()), (&date.into(), &"wgt_123abc".into()));
        let new = NewExistingWidget { name: "N".into(), optional: Default::default() };
        let created = ExistingWidget::create(&app.ada, new).await.unwrap();
        assert!(created.id.to_string().starts_with("wgt_"));
        let json = serde_json::to_value(created.into_view(&app.ada)).unwrap();
        assert!(json["id"].as_str().unwrap().starts_with("wgt_") && json.get("project").is_none());
    }
}
