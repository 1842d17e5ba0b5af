//! A model with a field of every type, and what the `bson` crate is to write for it.

use std::collections::{BTreeMap, HashMap};

use bson::oid::ObjectId;
use bson::{Bson, Decimal128, Document, Regex, Timestamp};
use model_core::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Nobody in particular.
#[derive(Clone)]
pub(crate) struct Nobody;

impl Actor for Nobody {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("nobody")
    }
}

/// One field of each type, in every container.
#[derive(Clone, Model)]
#[model(collection = "everything", validator)]
pub(crate) struct Everything {
    #[model(id)]
    pub(crate) id: Id<Everything>,
    #[model(tenant)]
    pub(crate) tenant: TenantId,
    pub(crate) flag: bool,
    pub(crate) small: i16,
    pub(crate) port: u16,
    pub(crate) int: i32,
    pub(crate) count: u32,
    pub(crate) long: i64,
    pub(crate) big: u64,
    pub(crate) single: f32,
    pub(crate) double: f64,
    pub(crate) text: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) oid: ObjectId,
    pub(crate) uuid: Uuid,
    pub(crate) decimal: Decimal128,
    pub(crate) stamp: Timestamp,
    pub(crate) bytes: Bytes,
    pub(crate) regex: Regex,
    pub(crate) any: Bson,
    pub(crate) note: Option<String>,
    pub(crate) maybe: Option<i64>,
    pub(crate) list: Vec<String>,
    pub(crate) holes: Vec<Option<i32>>,
    pub(crate) rows: Vec<Vec<u32>>,
    pub(crate) sorted: BTreeMap<String, i64>,
    pub(crate) hashed: HashMap<String, Option<f64>>,
    pub(crate) nested: Nested,
    pub(crate) other: Option<Nested>,
    pub(crate) many: Vec<Nested>,
    pub(crate) by_name: BTreeMap<String, Nested>,
    pub(crate) status: Status,
    pub(crate) shape: Shape,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) email: Email,
    pub(crate) foreign: Foreign<Outer>,
    #[model(created_at)]
    pub(crate) created: DateTime<Utc>,
    #[model(updated_at)]
    pub(crate) updated: Option<DateTime<Utc>>,
    #[model(revision)]
    pub(crate) revision: Revision,
}

impl BaseModel for Everything {
    type Actor = Nobody;

    fn can_read(&self, _ctx: &Context<Nobody>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &Context<Nobody>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Context<Nobody>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Context<Nobody>) -> bool {
        true
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outer {
    pub(crate) name: String,
    pub(crate) pair: (i32, f64),
    pub(crate) more: BTreeMap<String, Vec<i64>>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub(crate) struct Nested {
    pub(crate) max_size: u32,
    pub(crate) label_text: Option<String>,
    #[model(default)]
    pub(crate) parts: Vec<Option<Part>>,
}

#[derive(Clone, Embedded)]
pub(crate) struct Part {
    pub(crate) weight: f64,
    pub(crate) at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    InReview,
    #[model(rename = "gone")]
    Deleted,
}

#[derive(Clone, Embedded)]
#[model(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Shape {
    Nothing,
    Circle { radius: f64, note: Option<String> },
    Tagged(Vec<String>),
}

#[derive(Clone, Embedded)]
pub(crate) struct Email(pub(crate) String);

/// The document that the `bson` crate is given, by the rules of ARCHITECTURE.md: declared order, absence for none,
/// null for an element that is none, dates as dates, 16- and 32-bit integers as int32, the others as int64.
pub(crate) fn expected(model: &Everything) -> Document {
    let mut out = Document::new();
    out.insert("_id", model.id.to_bson());
    out.insert("tenant", model.tenant.to_string());
    out.insert("flag", model.flag);
    out.insert("small", i32::from(model.small));
    out.insert("port", i32::from(model.port));
    out.insert("int", model.int);
    out.insert("count", i64::from(model.count));
    out.insert("long", model.long);
    out.insert("big", i64::try_from(model.big).unwrap());
    out.insert("single", f64::from(model.single));
    out.insert("double", model.double);
    out.insert("text", &model.text);
    out.insert("at", date(model.at));
    out.insert("oid", model.oid);
    out.insert("uuid", bson::Uuid::from_bytes(*model.uuid.as_bytes()));
    out.insert("decimal", model.decimal);
    out.insert("stamp", model.stamp);
    out.insert(
        "bytes",
        bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: model.bytes.0.clone(),
        },
    );
    out.insert("regex", model.regex.clone());
    out.insert("any", model.any.clone());
    if let Some(note) = &model.note {
        out.insert("note", note);
    }
    if let Some(maybe) = model.maybe {
        out.insert("maybe", maybe);
    }
    out.insert("list", model.list.clone());
    let holes: Vec<Bson> = model
        .holes
        .iter()
        .map(|hole| hole.map_or(Bson::Null, Bson::Int32))
        .collect();
    out.insert("holes", holes);
    let row =
        |row: &Vec<u32>| Bson::Array(row.iter().map(|number| Bson::Int64(i64::from(*number))).collect());
    out.insert("rows", model.rows.iter().map(row).collect::<Vec<_>>());
    out.insert("sorted", map(model.sorted.iter(), |number| Bson::Int64(*number)));
    let hashed: BTreeMap<_, _> = model.hashed.iter().collect();
    out.insert(
        "hashed",
        map(hashed.into_iter(), |number| {
            number.map_or(Bson::Null, Bson::Double)
        }),
    );
    out.insert("nested", nested(&model.nested));
    if let Some(other) = &model.other {
        out.insert("other", nested(other));
    }
    out.insert("many", model.many.iter().map(nested).collect::<Vec<_>>());
    out.insert("by_name", map(model.by_name.iter(), |value| nested(value).into()));
    let status = match model.status {
        Status::Active => "active",
        Status::InReview => "in_review",
        Status::Deleted => "gone",
    };
    out.insert("status", status);
    out.insert("shape", shape(&model.shape));
    out.insert("shapes", model.shapes.iter().map(shape).collect::<Vec<_>>());
    out.insert("email", &model.email.0);
    out.insert("foreign", bson::serialize_to_bson(&model.foreign.0).unwrap());
    out.insert("created", date(model.created));
    if let Some(updated) = model.updated {
        out.insert("updated", date(updated));
    }
    out
}

fn date(date: DateTime<Utc>) -> bson::DateTime {
    bson::DateTime::from_chrono(date)
}

fn map<'a, T: 'a>(
    entries: impl Iterator<Item = (&'a String, &'a T)>,
    value: impl Fn(&T) -> Bson,
) -> Document {
    entries.map(|(key, entry)| (key.clone(), value(entry))).collect()
}

fn nested(nested: &Nested) -> Document {
    let mut out = Document::new();
    out.insert("maxSize", i64::from(nested.max_size));
    if let Some(label) = &nested.label_text {
        out.insert("labelText", label);
    }
    let part = |part: &Option<Part>| match part {
        None => Bson::Null,
        Some(part) => {
            let mut out = Document::new();
            out.insert("weight", part.weight);
            if let Some(at) = part.at {
                out.insert("at", date(at));
            }
            out.into()
        }
    };
    out.insert("parts", nested.parts.iter().map(part).collect::<Vec<_>>());
    out
}

fn shape(shape: &Shape) -> Bson {
    match shape {
        Shape::Nothing => "nothing".into(),
        Shape::Circle { radius, note } => {
            let mut out = Document::new();
            out.insert("kind", "circle");
            out.insert("radius", *radius);
            if let Some(note) = note {
                out.insert("note", note);
            }
            out.into()
        }
        Shape::Tagged(names) => {
            let mut out = Document::new();
            out.insert("kind", "tagged");
            out.insert("value", names.clone());
            out.into()
        }
    }
}
