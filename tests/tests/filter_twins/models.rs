//! Two models of the same documents: one with a handle of every shape, whose documents are only counted, and one that
//! reads whatever is stored.

use bson::oid::ObjectId;
use bson::{Bson, Decimal128};
use model_core::prelude::*;
use uuid::Uuid;

/// Nobody in particular.
#[derive(Clone)]
pub(crate) struct Nobody;

impl Actor for Nobody {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("nobody")
    }
}

macro_rules! open {
    ($($model:ty),*) => {$(
        impl BaseModel for $model {
            type Actor = Nobody;

            // The server counts: nothing is decoded.
            const READ_SCOPE: ReadScope = ReadScope::Exact;

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
    )*};
}

open!(Typed, Loose);

/// A handle of every shape that can be filtered on.
#[derive(Clone, Model)]
#[model(collection = "shapes", id = string)]
pub(crate) struct Typed {
    #[model(id)]
    pub(crate) id: Id<Typed>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) int: i32,
    pub(crate) long: Option<i64>,
    pub(crate) big: u64,
    pub(crate) small: Option<u16>,
    pub(crate) double: f64,
    pub(crate) single: Option<f32>,
    pub(crate) decimal: Decimal128,
    pub(crate) text: String,
    #[model(trim, lowercase)]
    pub(crate) code: Option<String>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) oid: ObjectId,
    pub(crate) uuid: Option<Uuid>,
    pub(crate) link: Option<Id<Typed>>,
    pub(crate) flag: bool,
    pub(crate) bytes: Bytes,
    pub(crate) status: Status,
    pub(crate) email: Email,
    pub(crate) any: Bson,
    pub(crate) ints: Vec<i32>,
    pub(crate) texts: Vec<String>,
    pub(crate) holes: Option<Vec<Option<i64>>>,
    pub(crate) rows: Vec<Vec<i32>>,
    pub(crate) anys: Vec<Bson>,
    pub(crate) nested: Nested,
    pub(crate) maybe: Option<Nested>,
    pub(crate) many: Vec<Nested>,
}

#[derive(Clone, Embedded)]
pub(crate) struct Nested {
    pub(crate) max: i32,
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) parts: Vec<Part>,
    /// Below an array, its path is a position too.
    #[model(rename = "0")]
    pub(crate) zero: Option<i32>,
    /// And this is never one.
    #[model(rename = "01")]
    pub(crate) one: Option<Bson>,
}

#[derive(Clone, Embedded)]
pub(crate) struct Part {
    pub(crate) n: i64,
    pub(crate) label: String,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    Gone,
}

#[derive(Clone, Embedded)]
pub(crate) struct Email(pub(crate) String);

/// The same documents, of which everything decodes.
#[derive(Clone, Model)]
#[model(collection = "loose", id = string)]
pub(crate) struct Loose {
    #[model(id)]
    pub(crate) id: Id<Loose>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) int: Option<Bson>,
    pub(crate) text: Option<Bson>,
    pub(crate) any: Option<Bson>,
    pub(crate) ints: Option<Bson>,
    pub(crate) nested: Option<Bson>,
    pub(crate) many: Option<Bson>,
}
