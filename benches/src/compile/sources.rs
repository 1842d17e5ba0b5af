//! The two crates that are compiled.

use std::fmt::Write as _;

/// The manifest of one of them.
pub(super) fn manifest(side: &str) -> String {
    // The driver by itself asks `bson` for less than this workspace does.
    let dependencies: &[&str] = match side {
        "ours" => &["model-core.workspace = true"],
        _ => &[
            "bson = { version = \"3\", features = [\"serde\"] }",
            "mongodb.workspace = true",
            "serde.workspace = true",
        ],
    };
    let mut text =
        format!("[package]\nname = \"{side}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n");
    for dependency in dependencies {
        let _ = writeln!(text, "{dependency}");
    }
    text
}

/// Models and their verbs.
pub(super) fn ours(models: usize) -> String {
    each(
        "use std::pin::Pin;
use model_core::prelude::*;

pub struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(\"ada\")
    }
}
",
        "
#[derive(Clone, Model)]
#[model(collection = \"m@\")]
pub struct M@ {
    #[model(id)]
    pub id: Id<M@>,
    #[model(tenant)]
    pub organization: TenantId,
    pub name: String,
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub count: i64,
    pub score: f64,
    pub enabled: bool,
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for M@ {
    type Actor = User;
    fn can_read(&self, _ctx: &Context<User>) -> bool { true }
    fn can_create(&self, _ctx: &Context<User>) -> bool { true }
    fn can_update(&self, _ctx: &Context<User>, _after: &Self) -> bool { true }
    fn can_delete(&self, _ctx: &Context<User>) -> bool { true }
}

async fn create@(ctx: &Context<User>, name: &str) -> Result<M@> {
    let new = NewM@ {
        name: name.to_owned(), tags: Vec::new(), count: 1, score: 0.5, enabled: true, optional: Default::default(),
    };
    M@::create(ctx, new).await
}

async fn get@(ctx: &Context<User>, id: &Id<M@>) -> Result<Option<M@>> {
    M@::get(ctx, id).await
}

async fn update@(ctx: &Context<User>, id: &Id<M@>, count: i64) -> Result<M@> {
    M@::update(ctx, id, M@Patch { count: Set(count), ..Default::default() }).await
}

async fn delete@(ctx: &Context<User>, id: &Id<M@>) -> Result<bool> {
    M@::delete(ctx, id).await
}

async fn verbs@(ctx: &Context<User>) -> Result<bool> {
    let made = create@(ctx, \"a\").await?;
    let found = get@(ctx, &made.id).await?;
    let count = found.map_or(0, |found| found.count);
    let changed = update@(ctx, &made.id, count + 1).await?;
    delete@(ctx, &changed.id).await
}

pub fn all@<'a>(ctx: &'a Context<User>) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>> {
    Box::pin(verbs@(ctx))
}
",
        models,
    )
}

/// Serde structs and the driver's calls.
pub(super) fn bare(models: usize) -> String {
    each(
        "use std::pin::Pin;
use bson::{DateTime, doc, oid::ObjectId};
use mongodb::{Database, error::Result};
use serde::{Deserialize, Serialize};
",
        "
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct M@ {
    #[serde(rename = \"_id\")]
    pub id: ObjectId,
    pub organization: String,
    pub name: String,
    #[serde(skip_serializing_if = \"Option::is_none\")]
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub count: i64,
    pub score: f64,
    pub enabled: bool,
    pub created_at: DateTime,
    pub updated_at: DateTime,
    #[serde(rename = \"_rev\")]
    pub revision: i64,
}

async fn create@(db: &Database, organization: &str, name: &str) -> Result<M@> {
    let now = DateTime::now();
    let new = M@ {
        id: ObjectId::new(), organization: organization.to_owned(), name: name.to_owned(), note: None,
        tags: Vec::new(), count: 1, score: 0.5, enabled: true, created_at: now, updated_at: now, revision: 1,
    };
    db.collection::<M@>(\"m@\").insert_one(&new).await?;
    Ok(new)
}

async fn get@(db: &Database, organization: &str, id: ObjectId) -> Result<Option<M@>> {
    db.collection::<M@>(\"m@\").find_one(doc! { \"_id\": id, \"organization\": { \"$eq\": organization } }).await
}

async fn update@(db: &Database, organization: &str, id: ObjectId, count: i64) -> Result<Option<M@>> {
    let Some(mut found) = get@(db, organization, id).await? else { return Ok(None) };
    let guarded = doc! { \"_id\": id, \"organization\": { \"$eq\": organization }, \"_rev\": found.revision };
    found.count = count;
    found.updated_at = DateTime::now();
    found.revision += 1;
    let set = doc! { \"$set\": { \"count\": count, \"updated_at\": found.updated_at, \"_rev\": found.revision } };
    let result = db.collection::<M@>(\"m@\").update_one(guarded, set).await?;
    Ok((result.matched_count == 1).then_some(found))
}

async fn delete@(db: &Database, organization: &str, id: ObjectId) -> Result<bool> {
    let Some(found) = get@(db, organization, id).await? else { return Ok(false) };
    let guarded = doc! { \"_id\": id, \"organization\": { \"$eq\": organization }, \"_rev\": found.revision };
    let result = db.collection::<M@>(\"m@\").delete_one(guarded).await?;
    Ok(result.deleted_count == 1)
}

async fn verbs@(db: &Database) -> Result<bool> {
    let made = create@(db, \"acme\", \"a\").await?;
    let found = get@(db, \"acme\", made.id).await?;
    let count = found.map_or(0, |found| found.count);
    let changed = update@(db, \"acme\", made.id, count + 1).await?;
    delete@(db, \"acme\", changed.map_or(made.id, |changed| changed.id)).await
}

pub fn all@<'a>(db: &'a Database) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>> {
    Box::pin(verbs@(db))
}
",
        models,
    )
}

/// `head`, and `model` so many times with its number for each `@`.
fn each(head: &str, model: &str, models: usize) -> String {
    let mut text = head.to_owned();
    for number in 0..models {
        text.push_str(&model.replace('@', &number.to_string()));
    }
    text
}
