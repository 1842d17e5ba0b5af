//! Two tenants, users with roles, and every promise of the crate shown by doing it.
//!
//! `cargo run -p quickstart` runs on the embedded store; with `MONGODB_URI` set, the same runs on that server, in a
//! database of its own that is dropped at the end.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the output is what this program is for"
)]

mod models;
mod show;

use bson::doc;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, SyncOptions};

use models::{Limits, LimitsPatch, NewProject, NewWidget, Project, User, Widget, WidgetPatch};
use show::{heading, line, raw, refused};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::var("MONGODB_URI") {
        Ok(uri) => {
            let client = mongodb::Client::with_uri_str(uri).await?;
            let name = format!("model_core_quickstart_{}", std::process::id());
            eprintln!("store: MongoDB, database {name}, dropped at the end");
            let database = client.database(&name);
            let result = tour(Db::mongo(database.clone())).await;
            database.drop().await?;
            result?;
        }
        Err(_) => {
            eprintln!("store: embedded, in memory (set MONGODB_URI to run on MongoDB)");
            tour(Db::memory()).await?;
        }
    }
    Ok(())
}

/// What the stops of the tour share.
struct Tour {
    db: Db,
    clock: FixedClock,
    admin: Context<User>,
    editor: Context<User>,
    viewer: Context<User>,
    rival: Context<User>,
    project: Id<Project>,
}

async fn tour(builder: DbBuilder) -> Result<()> {
    // A clock and keys of the tests, on MongoDB too, so that the tour says the same each time. A service gives neither a
    // clock nor these keys: it has a `Keyring` of its own.
    let clock = FixedClock::at("2026-03-01T09:00:00Z");
    let db = builder
        .keys(testing::keyring()?)
        .clock(clock.clone())
        .model::<Project>()
        .model::<Widget>()
        .build_lazy()?;
    indexes(&db).await?;

    let project = Id::parse("prj_apollo")?;
    let user = |name, admin, editor| User {
        name,
        admin,
        editor,
        projects: vec![project.clone()],
    };
    let acme = TenantId::new("acme")?;
    let tour = Tour {
        admin: db.context(acme.clone(), user("ada", true, true)),
        editor: db.context(acme.clone(), user("ed", false, true)),
        viewer: db.context(acme, user("vic", false, false)),
        rival: db.context(TenantId::new("globex")?, user("rita", true, true)),
        db,
        clock,
        project,
    };
    let widget = tour.create().await?;
    tour.permissions(&widget).await?;
    tour.tenants(&widget).await?;
    tour.secrets(&widget).await?;
    let widget = tour.update(&widget).await?;
    tour.input(&widget).await?;
    tour.migration().await?;
    tour.delete(&widget).await?;
    tour.audit_log().await
}

async fn indexes(db: &Db) -> Result<()> {
    heading("Indexes: a plan, then the same plan after sync");
    println!("{}", db.plan_indexes().await?);
    db.sync_indexes(SyncOptions::default()).await?;
    let after = db.plan_indexes().await?;
    line(&format!(
        "after sync: {}",
        if after.is_empty() {
            "nothing to do"
        } else {
            "drift"
        }
    ));
    Ok(())
}

impl Tour {
    async fn create(&self) -> Result<Widget> {
        heading("Create: tenant, id, timestamps and defaults are not the caller's to forget");
        Project::create_with_id(
            &self.admin,
            self.project.clone(),
            NewProject {
                name: "Apollo".into(),
            },
        )
        .await?;
        let new = NewWidget {
            project: self.project.clone(),
            name: "  Blue widget ".into(),
            limits: Limits {
                daily: 50,
                weekly: 200,
            },
            token: Secret::from("tok_live_4242"),
            optional: models::NewWidgetOptional {
                note: Some("first of its kind".into()),
                ..Default::default()
            },
        };
        let widget = Widget::create_with_id(&self.editor, Id::parse("wgt_blue")?, new).await?;
        line(&format!(
            "ed created {} for {}: name {:?}, enabled {}, created {}",
            widget.id, widget.organization, widget.name, widget.enabled, widget.created_at
        ));
        Ok(widget)
    }

    async fn permissions(&self, widget: &Widget) -> Result<()> {
        heading("Permissions: asked in every operation, on what is stored and on what it is to become");
        let patch = WidgetPatch {
            enabled: Set(true),
            ..Default::default()
        };
        refused(
            "vic may read but not edit",
            Widget::update(&self.viewer, &widget.id, patch).await,
        )?;
        refused(
            "ed may edit but not delete",
            Widget::delete(&self.editor, &widget.id).await,
        )?;
        let nobody = User {
            name: "nemo",
            admin: false,
            editor: false,
            projects: vec![],
        };
        let nobody = self.db.context(self.editor.tenant().clone(), nobody);
        line(&format!(
            "nemo, in no project, sees {} widgets",
            Widget::query(&nobody).count().await?
        ));
        line(&format!(
            "and gets {:?} by its id",
            Widget::get(&nobody, &widget.id).await?.map(|w| w.name)
        ));
        Ok(())
    }

    async fn tenants(&self, widget: &Widget) -> Result<()> {
        heading("Tenants: another tenant's document does not exist");
        line(&format!(
            "rita of globex, an admin, gets {:?}",
            Widget::get(&self.rival, &widget.id).await?.map(|w| w.name)
        ));
        let patch = WidgetPatch {
            note: Set(None),
            ..Default::default()
        };
        refused(
            "rita updates it",
            Widget::update(&self.rival, &widget.id, patch).await,
        )?;
        line(&format!(
            "rita deletes it: {}",
            Widget::delete(&self.rival, &widget.id).await?
        ));
        let everything = Widget::filter(|w| w.organization.eq(self.editor.tenant())) | Filter::all();
        line(&format!(
            "rita asks for everything: {} widgets",
            Widget::query(&self.rival).matching(everything).count().await?
        ));
        Ok(())
    }

    async fn secrets(&self, widget: &Widget) -> Result<()> {
        heading("Secrets: what the API shows, and what a backup shows");
        let json = serde_json::to_string_pretty(&widget.clone().into_view(&self.editor));
        println!("{}", json.unwrap_or_default());
        raw(&testing::stored(&self.db, "widgets").await?);
        line(&format!("Debug: {widget:?}"));
        let token = widget.token.reveal(&self.editor).await?;
        line(&format!(
            "ed reveals a token of {} characters",
            token.expose().len()
        ));
        refused(
            "rita reveals the same value",
            widget.token.reveal(&self.rival).await,
        )
    }

    async fn update(&self, widget: &Widget) -> Result<Widget> {
        heading("Update: only what changed is sent, and audited");
        self.clock.advance(chrono::TimeDelta::minutes(5));
        let same = WidgetPatch {
            name: Set("Blue widget".into()),
            ..Default::default()
        };
        let unchanged = Widget::update(&self.editor, &widget.id, same).await?;
        line(&format!(
            "a patch that changes nothing leaves updated_at at {}",
            unchanged.updated_at
        ));
        let patch = WidgetPatch {
            note: Set(None),
            enabled: Set(true),
            limits: Merge(LimitsPatch {
                daily: Set(75),
                ..Default::default()
            }),
            token: Set(Secret::from("tok_live_4343")),
            ..Default::default()
        };
        let updated = Widget::update(&self.editor, &widget.id, patch).await?;
        line(&format!(
            "now enabled {}, note {:?}, limits {}/{}, updated {}",
            updated.enabled, updated.note, updated.limits.daily, updated.limits.weekly, updated.updated_at
        ));
        let enabled = Widget::enabled_in(&self.viewer, &self.project).await?;
        line(&format!("vic finds {} enabled widget", enabled.len()));
        Ok(updated)
    }

    async fn input(&self, widget: &Widget) -> Result<()> {
        heading("Input: JSON becomes a typed patch, or an error with every path");
        let bad = r#"{"nam": "x", "organization": "globex", "limits": {"daily": "many"}, "enabled": null}"#;
        refused("a bad patch", WidgetPatch::from_json(bad).map(|_| ()))?;
        let moved = WidgetPatch::from_json(r#"{"project": "prj_other", "name": "Green widget"}"#)?;
        refused(
            "a read-only field",
            Widget::update(&self.editor, &widget.id, moved).await,
        )?;
        let short = WidgetPatch::from_json(r#"{"name": " x ", "limits": {"daily": 5000}}"#)?;
        refused("rules", Widget::update(&self.editor, &widget.id, short).await)
    }

    async fn migration(&self) -> Result<()> {
        heading("Migration: a document of version 1, as another program left it");
        let old = doc! {
            "_id": "wgt_old", "organization": "acme", "project": "prj_apollo", "title": "Old widget",
            "enabled": false, "internal_score": 1.5, "legacy": "kept",
            "token": testing::stored(&self.db, "widgets").await?.first().and_then(|d| d.get("token").cloned()),
            "created_at": bson::DateTime::from_millis(0), "updated_at": bson::DateTime::from_millis(0),
        };
        testing::store_raw(&self.db, "widgets", &old).await?;
        let id = Id::parse("wgt_old")?;
        let widget = Widget::fetch(&self.editor, &id).await?;
        line(&format!(
            "read: name {:?}, limits {}/{}",
            widget.name, widget.limits.daily, widget.limits.weekly
        ));
        refused(
            "its token was copied from another document",
            widget.token.reveal(&self.editor).await,
        )?;
        let patch = WidgetPatch {
            token: Set(Secret::from("tok_live_1")),
            ..Default::default()
        };
        Widget::update(&self.editor, &id, patch).await?;
        line("the next update writes the new shape back, and keeps what the model does not know:");
        let documents = testing::stored(&self.db, "widgets").await?;
        raw(&documents
            .into_iter()
            .filter(|d| d.get_str("_id").is_ok_and(|id| id == "wgt_old"))
            .collect::<Vec<_>>());
        Ok(())
    }

    async fn delete(&self, widget: &Widget) -> Result<()> {
        heading("Delete: a hook may refuse");
        refused(
            "the widget is enabled",
            Widget::delete(&self.admin, &widget.id).await,
        )?;
        let job = self.editor.dangerously_bypass_permissions("nightly cleanup");
        let patch = WidgetPatch {
            enabled: Set(false),
            ..Default::default()
        };
        Widget::update(&job, &widget.id, patch).await?;
        line(&format!(
            "ada deletes it: {}",
            Widget::delete(&self.admin, &widget.id).await?
        ));
        line(&format!(
            "and once more: {}",
            Widget::delete(&self.admin, &widget.id).await?
        ));
        Ok(())
    }

    async fn audit_log(&self) -> Result<()> {
        heading("Audit: written with each change, secrets only as \"changed\"");
        show::audit(&testing::stored(&self.db, "audit_log").await?);
        Ok(())
    }
}
