//! The audit collection as the index plan sees it: what its history is read by.

use crate::schema::{
    EmbeddedSchema, FieldSchema, IdKind, IndexKey, IndexSpec, ModelSchema, Tenancy, TypeSchema,
};

use super::COLLECTION;

static ENTITY: EmbeddedSchema = EmbeddedSchema::new(
    "Entity",
    &[
        FieldSchema::new("type", "type", TypeSchema::String),
        FieldSchema::new("id", "id", TypeSchema::String),
    ],
);
static ACTOR: EmbeddedSchema =
    EmbeddedSchema::new("Actor", &[FieldSchema::new("id", "id", TypeSchema::String)]);
static LINK: EmbeddedSchema =
    EmbeddedSchema::new("Link", &[FieldSchema::new("number", "number", TypeSchema::Int64)]);

static FIELDS: [FieldSchema; 5] = [
    FieldSchema::new("tenant", "tenant", TypeSchema::TenantId),
    FieldSchema::new("at", "at", TypeSchema::Date),
    FieldSchema::new("entity", "entity", TypeSchema::Embedded(|| &ENTITY)),
    FieldSchema::new("actor", "actor", TypeSchema::Embedded(|| &ACTOR)),
    FieldSchema::new("chain", "chain", TypeSchema::Embedded(|| &LINK)),
];

static OF_ENTITY: [IndexKey; 3] = [
    IndexKey::ascending("entity.type"),
    IndexKey::ascending("entity.id"),
    IndexKey::descending("at"),
];
static BY_ACTOR: [IndexKey; 2] = [IndexKey::ascending("actor.id"), IndexKey::descending("at")];
static BY_TIME: [IndexKey; 1] = [IndexKey::descending("at")];
static IN_CHAIN: [IndexKey; 1] = [IndexKey::ascending("chain.number")];

const HISTORY: [IndexSpec; 3] = [
    IndexSpec::new(&OF_ENTITY),
    IndexSpec::new(&BY_ACTOR),
    IndexSpec::new(&BY_TIME),
];
static PLAIN: [IndexSpec; 3] = HISTORY;
static CHAINED: [IndexSpec; 4] = {
    let [entity, actor, time] = HISTORY;
    [entity, actor, time, IndexSpec::new(&IN_CHAIN)]
};

const TENANCY: Tenancy = Tenancy::Tenant { field: "tenant" };

static LOG: ModelSchema =
    ModelSchema::new("AuditEntry", COLLECTION, TENANCY, IdKind::ObjectId, &FIELDS).indexes(&PLAIN);
static CHAINED_LOG: ModelSchema =
    ModelSchema::new("AuditEntry", COLLECTION, TENANCY, IdKind::ObjectId, &FIELDS).indexes(&CHAINED);

/// The audit collection, with the index that the chain is followed by if there is one.
pub(crate) fn schema(chained: bool) -> &'static ModelSchema {
    if chained { &CHAINED_LOG } else { &LOG }
}
