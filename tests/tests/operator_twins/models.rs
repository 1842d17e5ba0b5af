//! A model with a field for every kind of operator.

use std::collections::BTreeMap;

use bson::{Bson, Decimal128};
use model_core::prelude::*;

/// Nobody in particular.
#[derive(Clone)]
pub(crate) struct Nobody;

impl Actor for Nobody {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("nobody")
    }
}

#[derive(Clone, Model)]
#[model(collection = "twins", id = string, global)]
pub(crate) struct Twin {
    #[model(id)]
    pub(crate) id: Id<Twin>,
    pub(crate) int: i32,
    pub(crate) maybe_int: Option<i32>,
    pub(crate) long: i64,
    pub(crate) maybe_long: Option<i64>,
    pub(crate) short: i16,
    pub(crate) wide: u32,
    pub(crate) double: f64,
    pub(crate) maybe_double: Option<f64>,
    pub(crate) text: String,
    pub(crate) maybe_text: Option<String>,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) flag: bool,
    pub(crate) decimal: Option<Decimal128>,
    pub(crate) any: Option<Bson>,
    pub(crate) ints: Vec<i32>,
    pub(crate) longs: Option<Vec<i64>>,
    pub(crate) doubles: Vec<f64>,
    pub(crate) texts: Vec<String>,
    pub(crate) rows: Vec<Vec<i32>>,
    pub(crate) parts: Vec<Part>,
    pub(crate) nested: Nested,
    pub(crate) small: Option<Small>,
    pub(crate) counts: BTreeMap<String, i64>,
    pub(crate) lists: BTreeMap<String, Vec<i32>>,
}

#[derive(Clone, Embedded)]
pub(crate) struct Part {
    pub(crate) n: i64,
    pub(crate) label: String,
    pub(crate) note: Option<String>,
    pub(crate) marks: Vec<i32>,
}

#[derive(Clone, Embedded)]
pub(crate) struct Nested {
    pub(crate) max: i32,
    pub(crate) limit: Option<i64>,
    pub(crate) small: Option<Small>,
}

/// It can be made of nothing.
#[derive(Clone, Embedded)]
pub(crate) struct Small {
    pub(crate) a: Option<i32>,
    pub(crate) b: Option<String>,
    pub(crate) list: Option<Vec<i32>>,
}

impl BaseModel for Twin {
    type Actor = Nobody;

    fn can_read(&self, _ctx: &GlobalContext<Nobody>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &GlobalContext<Nobody>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &GlobalContext<Nobody>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &GlobalContext<Nobody>) -> bool {
        true
    }
}
