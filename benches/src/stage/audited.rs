//! The verbs of a model that is audited, against the transaction that one would write by hand: document, entry, commit.

use bson::oid::ObjectId;
use bson::{Bson, doc};
use model_core::prelude::*;
use mongodb::ClientSession;
use serde::Serialize;

use super::plain::own;
use super::{MANY, Stage};
use crate::document::{Limits, Row, TENANT, User, row};

/// The document as an audited model.
#[derive(Clone, Model)]
#[model(collection = "audited", audit)]
pub(super) struct Audited {
    #[model(id)]
    id: Id<Audited>,
    #[model(tenant)]
    organization: TenantId,
    project: ObjectId,
    name: String,
    note: Option<String>,
    tags: Vec<String>,
    limits: Limits,
    count: i64,
    score: f64,
    enabled: bool,
    #[model(created_at)]
    created_at: DateTime<Utc>,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
}

impl BaseModel for Audited {
    type Actor = User;

    fn can_read(&self, _ctx: &Context<User>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &Context<User>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Context<User>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Context<User>) -> bool {
        true
    }
}

/// The audit entry as serde stores it.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    #[serde(rename = "_id")]
    id: ObjectId,
    tenant: &'static str,
    actor: Actor_,
    event: &'static str,
    entity: Entity,
    changes: Vec<Change>,
    metadata: Metadata,
    at: bson::DateTime,
}

#[derive(Debug, Serialize)]
struct Actor_ {
    kind: &'static str,
    id: &'static str,
}

#[derive(Debug, Serialize)]
struct Entity {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

#[derive(Debug, Serialize)]
struct Change {
    path: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Bson>,
    after: Bson,
}

#[derive(Debug, Serialize)]
struct Metadata {
    duration_ms: i64,
    success: bool,
}

fn numbered(number: u32) -> NewAudited {
    let row = row(number);
    NewAudited {
        project: row.project,
        name: row.name,
        tags: row.tags,
        limits: Limits {
            daily: row.limits.daily,
            weekly: row.limits.weekly,
            label: row.limits.label,
        },
        count: row.count,
        score: row.score,
        enabled: row.enabled,
        optional: NewAuditedOptional { note: row.note },
    }
}

impl Stage {
    pub(super) async fn create_audited(&self) {
        let new = numbered(self.next());
        Audited::create(&self.ctx, new).await.unwrap();
    }

    pub(super) async fn bare_create_audited(&self) {
        let row = self.new_row();
        let entry = self.entry("audited.create", row.id, created(&row));
        let insert = async |session: &mut ClientSession| {
            self.audited.insert_one(&row).session(&mut *session).await?;
            self.log.insert_one(&entry).session(session).await?;
            Ok(())
        };
        self.transaction(insert).await;
    }

    pub(super) async fn create_many_audited(&self) {
        let first = self.next();
        let new = (first..first.wrapping_add(MANY)).map(numbered);
        let made = Audited::create_many(&self.ctx, new).await.unwrap();
        assert_eq!(made.len(), MANY as usize);
    }

    pub(super) async fn bare_create_many_audited(&self) {
        let rows: Vec<Row> = (0..MANY).map(|_| self.new_row()).collect();
        let entry = |row: &Row| self.entry("audited.create", row.id, created(row));
        let entries: Vec<Entry> = rows.iter().map(entry).collect();
        let insert = async |session: &mut ClientSession| {
            self.audited.insert_many(&rows).session(&mut *session).await?;
            self.log.insert_many(&entries).session(session).await?;
            Ok(())
        };
        self.transaction(insert).await;
    }

    pub(super) async fn update_audited(&self) {
        let patch = AuditedPatch {
            count: Set(i64::from(self.next())),
            ..Default::default()
        };
        let id = &self.some().audited;
        Audited::update(&self.ctx, id, patch).await.unwrap();
    }

    pub(super) async fn bare_update_audited(&self) {
        let (count, id) = (i64::from(self.next()), self.some().bare);
        let row = self.audited.find_one(own(id)).await.unwrap().unwrap();
        let (guarded, set) = self.change(&row, count);
        let change = |path, before, after| Change {
            path,
            before: Some(before),
            after,
        };
        let now = bson::DateTime::from_chrono(self.ctx.now());
        let changes = vec![
            change("count", row.count.into(), count.into()),
            change("updated_at", row.updated_at.into(), now.into()),
        ];
        let entry = self.entry("audited.update", id, changes);
        let change = async |session: &mut ClientSession| {
            let update = self.audited.update_one(guarded.clone(), set.clone());
            assert_eq!(update.session(&mut *session).await?.matched_count, 1);
            self.log.insert_one(&entry).session(session).await?;
            Ok(())
        };
        self.transaction(change).await;
    }

    /// A transaction as a careful writer has it: begun anew where it ran into another.
    pub(super) async fn transaction(
        &self,
        work: impl AsyncFnMut(&mut ClientSession) -> mongodb::error::Result<()>,
    ) {
        let mut session = self.database.client().start_session().await.unwrap();
        session.start_transaction().and_run2(work).await.unwrap();
    }

    fn entry(&self, event: &'static str, entity: ObjectId, changes: Vec<Change>) -> Entry {
        #[allow(clippy::disallowed_methods, reason = "what a user of the bare driver calls")]
        let id = ObjectId::new();
        Entry {
            id,
            tenant: TENANT,
            actor: Actor_ {
                kind: "user",
                id: "ada",
            },
            event,
            entity: Entity {
                kind: "audited",
                id: entity.to_hex(),
            },
            changes,
            metadata: Metadata {
                duration_ms: 0,
                success: true,
            },
            at: bson::DateTime::from_chrono(self.ctx.now()),
        }
    }
}

/// What a create tells: each field that has a value.
fn created(row: &Row) -> Vec<Change> {
    let limits = doc! { "daily": row.limits.daily, "weekly": row.limits.weekly, "label": &row.limits.label };
    let values = [
        ("project", Bson::from(row.project)),
        ("name", Bson::from(row.name.clone())),
        ("note", Bson::from(row.note.clone())),
        ("tags", Bson::from(row.tags.clone())),
        ("limits", Bson::from(limits)),
        ("count", Bson::from(row.count)),
        ("score", Bson::from(row.score)),
        ("enabled", Bson::from(row.enabled)),
        ("created_at", Bson::from(row.created_at)),
        ("updated_at", Bson::from(row.updated_at)),
    ];
    let change = |(path, after)| Change {
        path,
        before: None,
        after,
    };
    values.into_iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, doc};
    use futures_util::TryStreamExt;
    use mongodb::Database;

    use super::super::{Databases, Side, Stage, Verb};

    /// The paths of what an entry holds.
    fn paths(prefix: &str, document: &Document) -> Vec<String> {
        let mut found = Vec::new();
        for (key, value) in document {
            let path = format!("{prefix}{key}");
            match value {
                Bson::Document(inner) => found.extend(paths(&format!("{path}."), inner)),
                Bson::Array(changes) if key == "changes" => {
                    let change =
                        |change: &Bson| change.as_document().unwrap().get_str("path").unwrap().to_owned();
                    found.extend(changes.iter().map(change));
                }
                _ => found.push(path),
            }
        }
        found.sort();
        found
    }

    async fn entries(database: &Database) -> Vec<Document> {
        let log = database.collection::<Document>("audit_log");
        let found = log.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
        found.try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn both_sides_write_the_same_entries() {
        let databases = Databases::new().await;
        for verb in [Verb::CreateAudited, Verb::UpdateAudited] {
            let stage = Stage::new(databases.of(verb).clone()).await;
            stage.run(verb, Side::Ours, 1).await;
            stage.run(verb, Side::Bare, 1).await;
            let entries = entries(databases.of(verb)).await;
            assert_eq!(entries.len(), 2, "{verb:?}");
            assert_eq!(
                paths("", &entries[0]),
                paths("", &entries[1]),
                "{verb:?}: {entries:#?}"
            );
        }
        databases.drop().await;
    }
}
