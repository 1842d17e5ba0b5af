//! One document of twelve fields, declared twice: as a model, and as the serde structs that one would write by hand.

#![allow(missing_docs, reason = "the fields stand for nothing but their types")]

use bson::oid::ObjectId;
use model_core::prelude::*;
use serde::{Deserialize, Serialize, Serializer};

/// The tenant of every document.
pub const TENANT: &str = "acme";
/// The instant of every date.
const INSTANT: &str = "2026-03-01T09:00:00.123Z";

/// Who acts. The policy admits everybody: what it costs to ask is part of the benchmark, what an application decides
/// is not.
#[derive(Debug)]
pub struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

/// The document as a model.
#[derive(Clone, Model)]
#[model(collection = "widgets")]
pub struct Widget {
    #[model(id)]
    pub id: Id<Widget>,
    #[model(tenant)]
    pub organization: TenantId,
    pub project: ObjectId,
    pub name: String,
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub limits: Limits,
    pub count: i64,
    pub score: f64,
    pub enabled: bool,
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub updated_at: DateTime<Utc>,
}

/// A document inside the document.
#[derive(Clone, Embedded)]
pub struct Limits {
    pub daily: i64,
    pub weekly: i64,
    pub label: String,
}

impl BaseModel for Widget {
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

/// The document as serde stores it, with the revision that a careful writer would guard its updates with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    #[serde(rename = "_id")]
    pub id: ObjectId,
    pub organization: String,
    pub project: ObjectId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub limits: RowLimits,
    pub count: i64,
    pub score: f64,
    pub enabled: bool,
    pub created_at: bson::DateTime,
    pub updated_at: bson::DateTime,
    #[serde(rename = "_rev")]
    pub revision: i64,
}

/// A document inside the document, in storage and in JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowLimits {
    pub daily: i64,
    pub weekly: i64,
    pub label: String,
}

/// The document as serde shows it to a client.
#[derive(Debug, Serialize)]
pub struct RowJson {
    #[serde(serialize_with = "hexadecimal")]
    pub id: ObjectId,
    pub organization: String,
    #[serde(serialize_with = "hexadecimal")]
    pub project: ObjectId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub limits: RowLimits,
    pub count: i64,
    pub score: f64,
    pub enabled: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

fn hexadecimal<S: Serializer>(id: &ObjectId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&id.to_hex())
}

fn instant() -> DateTime<Utc> {
    INSTANT.parse().unwrap()
}

fn object_id(number: u32) -> ObjectId {
    let [a, b, c, d] = number.to_be_bytes();
    ObjectId::from_bytes([0x65, 0x5c, 0x00, 0x00, 0xa1, 0xb2, 0xc3, 0xd4, a, b, c, d])
}

/// The `number`-th document.
pub fn row(number: u32) -> Row {
    let date = bson::DateTime::from_chrono(instant());
    Row {
        id: object_id(number),
        organization: TENANT.to_owned(),
        project: object_id(7),
        name: format!("Blue widget {number}"),
        note: Some("Ships on Tuesdays, unless it rains".to_owned()),
        tags: ["alpha", "beta", "release-candidate"].map(str::to_owned).to_vec(),
        limits: RowLimits {
            daily: 100,
            weekly: 500,
            label: "standard".to_owned(),
        },
        count: i64::from(number) << 33,
        score: f64::from(number) + 0.25,
        enabled: true,
        created_at: date,
        updated_at: date,
        revision: 1 << 33,
    }
}

impl Row {
    /// The same document as a model.
    pub fn into_model(self) -> Widget {
        Widget {
            id: Id::parse(&self.id.to_hex()).unwrap(),
            organization: TenantId::new(self.organization).unwrap(),
            project: self.project,
            name: self.name,
            note: self.note,
            tags: self.tags,
            limits: Limits {
                daily: self.limits.daily,
                weekly: self.limits.weekly,
                label: self.limits.label,
            },
            count: self.count,
            score: self.score,
            enabled: self.enabled,
            created_at: self.created_at.to_chrono(),
            updated_at: self.updated_at.to_chrono(),
        }
    }

    /// The same document for a client.
    pub fn into_json(self) -> RowJson {
        RowJson {
            id: self.id,
            organization: self.organization,
            project: self.project,
            name: self.name,
            note: self.note,
            tags: self.tags,
            limits: self.limits,
            count: self.count,
            score: self.score,
            enabled: self.enabled,
            created_at: self.created_at.to_chrono(),
            updated_at: self.updated_at.to_chrono(),
        }
    }

    /// The create input of the same document; id, tenant and dates are the pipeline's.
    pub fn into_new(self) -> NewWidget {
        NewWidget {
            project: self.project,
            name: self.name,
            tags: self.tags,
            limits: Limits {
                daily: self.limits.daily,
                weekly: self.limits.weekly,
                label: self.limits.label,
            },
            count: self.count,
            score: self.score,
            enabled: self.enabled,
            optional: NewWidgetOptional { note: self.note },
        }
    }
}
