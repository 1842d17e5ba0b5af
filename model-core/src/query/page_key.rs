//! One key of a page's order: what may stand there, and what comes after it.

use bson::Bson;

use super::filter::Test;
use crate::codec::{RawValue, tag};
use crate::error::{Error, Result};
use crate::schema::{Direction, IdKind, ModelSchema, TypeSchema, reserved};

/// One key of a page's order.
#[derive(Debug)]
pub(super) struct PageKey {
    ty: &'static TypeSchema,
    /// Its values may be "not a number", which sorts below all numbers and compares with none.
    may_be_nan: bool,
    /// It may be null or missing, which sorts below everything.
    may_be_null: bool,
}

impl PageKey {
    /// The key, if pages can be sorted by it.
    pub(super) fn new(schema: &ModelSchema, path: &str) -> Result<Self> {
        let refuse = |why: &'static str| Err(Error::violation(path, "page", why));
        if path == reserved::SCORE {
            return refuse(
                "no page continues by relevance: sort by a field before `search`, or use `skip` and `limit`",
            );
        }
        let mut fields = schema.fields;
        let mut found = None;
        // A document of an older version may lack any field but the id.
        let mut may_be_null = schema.version > 1 && path != schema.id_field;
        for name in path.split('.') {
            let Some(field) = fields.iter().find(|field| field.stored == name) else {
                return refuse("pages are sorted by declared fields only");
            };
            if field.hidden {
                return refuse(
                    "pages are not sorted by a hidden field: its values would stand in the cursor",
                );
            }
            may_be_null |= matches!(field.ty, TypeSchema::Optional(_));
            fields = field.ty.embedded().map_or(&[], |inner| inner.fields);
            found = Some(field.ty.required());
        }
        let may_be_nan = matches!(found, Some(TypeSchema::Double | TypeSchema::Decimal128));
        let Some(ty) = found.filter(|ty| may_be_nan || is_single_type(ty)) else {
            return refuse(
                "pages are sorted by single values: an array, a document or a dynamic value has no one place",
            );
        };
        Ok(Self {
            ty,
            may_be_nan,
            may_be_null,
        })
    }

    /// Lets it be absent.
    pub(super) fn admit_absent(&mut self) {
        self.may_be_null = true;
    }

    /// Whether a stored value has a place in the order.
    pub(super) fn admits(&self, value: RawValue<'_>) -> bool {
        value.is_null() || is_akin(self.ty, value.tag)
    }

    /// The tests that the values beyond `value` satisfy: each one range, in order.
    pub(super) fn beyond(&self, direction: Direction, value: &Bson) -> Vec<Test> {
        let nan = || Test::Eq(Bson::Double(f64::NAN));
        let mut tests = Vec::with_capacity(3);
        match direction {
            Direction::Ascending => match value {
                Bson::Null => tests.push(Test::Ne(Bson::Null)),
                value if is_nan(value) => tests.push(Test::Gte(Bson::Double(f64::NEG_INFINITY))),
                value => tests.push(Test::Gt(value.clone())),
            },
            Direction::Descending if *value == Bson::Null => {}
            Direction::Descending => {
                if !is_nan(value) {
                    tests.push(Test::Lt(value.clone()));
                    tests.extend(self.may_be_nan.then(nan));
                }
                tests.extend(self.may_be_null.then_some(Test::Eq(Bson::Null)));
            }
        }
        tests
    }
}

fn is_nan(value: &Bson) -> bool {
    match value {
        Bson::Double(number) => number.is_nan(),
        Bson::Decimal128(number) => number.to_string().ends_with("NaN"),
        _ => false,
    }
}

/// Whether all values of the type have one place each, and compare with each other.
fn is_single_type(ty: &TypeSchema) -> bool {
    match ty {
        TypeSchema::Enum(schema) => schema().variants.iter().all(|variant| variant.fields.is_empty()),
        ty => matches!(
            ty,
            TypeSchema::Bool
                | TypeSchema::Int16
                | TypeSchema::Uint16
                | TypeSchema::Int32
                | TypeSchema::Uint32
                | TypeSchema::Int64
                | TypeSchema::Uint64
                | TypeSchema::String
                | TypeSchema::ObjectId
                | TypeSchema::Uuid
                | TypeSchema::Date
                | TypeSchema::Binary
                | TypeSchema::Timestamp
                | TypeSchema::Id(_)
                | TypeSchema::Reference(..)
                | TypeSchema::TenantId
                | TypeSchema::Revision
        ),
    }
}

/// Whether a stored value compares with the values of the type.
fn is_akin(ty: &TypeSchema, stored: u8) -> bool {
    use TypeSchema::{Id, Reference};
    let own = match ty {
        TypeSchema::Bool => tag::BOOL,
        TypeSchema::Date => tag::DATE,
        TypeSchema::Timestamp => tag::TIMESTAMP,
        TypeSchema::ObjectId | Id(IdKind::ObjectId) | Reference(IdKind::ObjectId, _) => tag::OBJECT_ID,
        TypeSchema::Uuid | TypeSchema::Binary | Id(IdKind::Uuid) | Reference(IdKind::Uuid, _) => tag::BINARY,
        TypeSchema::String
        | TypeSchema::Enum(_)
        | Id(IdKind::String { .. })
        | Reference(IdKind::String { .. }, _) => tag::STRING,
        TypeSchema::TenantId => return matches!(stored, tag::STRING | tag::OBJECT_ID | tag::BINARY),
        _ => return matches!(stored, tag::INT32 | tag::INT64 | tag::DOUBLE | tag::DECIMAL128),
    };
    stored == own
}
