//! The `$jsonSchema` of a model: what its codec writes passes, and what it cannot read does not.
//!
//! Where the server's dialect and ours part (white space and digits in regular expressions, e-mail addresses), the
//! document passes: the server is the second line, and must never refuse what the first one has let through.

use bson::{Bson, Document, doc};

use crate::schema::{
    EmbeddedSchema, EnumSchema, FieldRole, FieldSchema, IdKind, ModelSchema, Number, Rule, TypeSchema,
    VariantSchema, reserved,
};

/// The schema of a model's stored documents.
pub(super) fn json_schema(schema: &ModelSchema) -> Document {
    let mut types = Types { open: Vec::new() };
    let mut whole = types.object(schema.fields);
    if let Ok(properties) = whole.get_document_mut("properties") {
        if schema.has_id() {
            properties.insert(schema.id_field, id(schema.id));
        }
        properties.insert(reserved::REVISION, whole_number(None));
        properties.insert(reserved::SCHEMA_VERSION, whole_number(None));
    }
    whole
}

fn id(kind: IdKind) -> Document {
    match kind {
        IdKind::ObjectId => doc! { "bsonType": "objectId" },
        IdKind::Uuid => doc! { "bsonType": "binData" },
        // A prefix consists of letters, digits, `_` and `-`.
        IdKind::String { prefix } => doc! { "bsonType": "string", "pattern": format!("^{prefix}") },
    }
}

/// A whole number of any numeric type, as other writers have it.
fn whole_number(range: Option<(i64, i64)>) -> Document {
    let mut number = doc! { "bsonType": ["int", "long", "double"], "multipleOf": 1 };
    if let Some((min, max)) = range {
        number.insert("minimum", min);
        number.insert("maximum", max);
    }
    number
}

struct Types {
    /// The derived types that are being described: one that contains itself is not entered again.
    open: Vec<*const ()>,
}

impl Types {
    fn object(&mut self, fields: &'static [FieldSchema]) -> Document {
        let required: Vec<Bson> = fields
            .iter()
            .filter(|field| !may_be_absent(field))
            .map(|field| field.stored.into())
            .collect();
        let properties: Document = fields
            .iter()
            .map(|field| {
                // Until all of it is sealed, it may be anything that was stored before.
                let described = if field.legacy_plaintext.is_some() || field.old_format.is_some() {
                    Document::new()
                } else {
                    self.ty(&field.ty, field.rules)
                };
                (field.stored.to_owned(), described.into())
            })
            .collect();
        let mut object = doc! { "bsonType": "object" };
        // The server takes no empty list.
        if !required.is_empty() {
            object.insert("required", required);
        }
        object.insert("properties", properties);
        let flat: Vec<Document> = fields.iter().filter_map(|field| self.flat(&field.ty)).collect();
        match <[Document; 1]>::try_from(flat) {
            Ok([only]) => object.extend(only),
            Err(several) if several.is_empty() => {}
            Err(several) => object.extend(doc! { "allOf": several }),
        }
        object
    }

    /// What the variants of a flat enum say of the document around them.
    fn flat(&mut self, ty: &'static TypeSchema) -> Option<Document> {
        let choice = ty.flat()?;
        let mut forms: Vec<Document> = choice
            .variants
            .iter()
            .map(|variant| self.variant(choice.tag, variant))
            .collect();
        if let TypeSchema::Optional(_) = ty {
            forms.push(doc! { "properties": { choice.tag: { "bsonType": "null" } } });
        }
        Some(doc! { "anyOf": forms })
    }

    fn ty(&mut self, ty: &'static TypeSchema, rules: &'static [Rule]) -> Document {
        match ty {
            TypeSchema::Bool => doc! { "bsonType": "bool" },
            TypeSchema::Int16 => ranged(whole_number(Some((-0x8000, 0x7FFF))), rules),
            TypeSchema::Uint16 => ranged(whole_number(Some((0, 0xFFFF))), rules),
            TypeSchema::Int32 => ranged(
                whole_number(Some((i64::from(i32::MIN), i64::from(i32::MAX)))),
                rules,
            ),
            TypeSchema::Uint32 => ranged(whole_number(Some((0, i64::from(u32::MAX)))), rules),
            TypeSchema::Int64 => ranged(whole_number(None), rules),
            TypeSchema::Uint64 => ranged(whole_number(Some((0, i64::MAX))), rules),
            TypeSchema::Revision => whole_number(None),
            // A bound is met as the number prints, and the server has the double next to it.
            TypeSchema::Single => doc! { "bsonType": ["double", "int", "long"] },
            TypeSchema::Double => ranged(doc! { "bsonType": ["double", "int", "long"] }, rules),
            TypeSchema::Decimal128 => doc! { "bsonType": "decimal" },
            TypeSchema::String => text(rules),
            TypeSchema::ObjectId => doc! { "bsonType": "objectId" },
            TypeSchema::Uuid | TypeSchema::Binary | TypeSchema::Encrypted(_) | TypeSchema::TokenDigest => {
                doc! { "bsonType": "binData" }
            }
            TypeSchema::Vector(_) => doc! { "bsonType": ["binData", "array"] },
            TypeSchema::Date => doc! { "bsonType": "date" },
            TypeSchema::Timestamp => doc! { "bsonType": "timestamp" },
            TypeSchema::Regex => doc! { "bsonType": "regex" },
            TypeSchema::Id(kind) | TypeSchema::Reference(kind, _) => id(*kind),
            TypeSchema::TenantId => doc! { "bsonType": ["objectId", "binData", "string"] },
            TypeSchema::PasswordHash => doc! { "anyOf": [
                { "bsonType": "binData" },
                { "bsonType": "string", "pattern": "^\\$" },
            ] },
            TypeSchema::Optional(inner) => nullable(self.ty(inner, rules)),
            TypeSchema::Array(inner) => {
                let mut array = doc! { "bsonType": "array", "items": self.ty(inner, rules) };
                counted(&mut array, rules, "minItems", "maxItems");
                array
            }
            TypeSchema::Map(inner) => {
                let mut map = doc! { "bsonType": "object", "additionalProperties": self.ty(inner, rules) };
                counted(&mut map, rules, "minProperties", "maxProperties");
                map
            }
            TypeSchema::Embedded(schema) => self.embedded(schema()),
            TypeSchema::Enum(schema) => self.choice(schema()),
            TypeSchema::Flat(_, schema) => {
                let names: Vec<Bson> = schema()
                    .variants
                    .iter()
                    .map(|variant| variant.stored.into())
                    .collect();
                doc! { "bsonType": "string", "enum": names }
            }
            TypeSchema::Dynamic | TypeSchema::Foreign => Document::new(),
        }
    }

    fn embedded(&mut self, schema: &'static EmbeddedSchema) -> Document {
        let place = std::ptr::from_ref(schema).cast();
        if self.open.contains(&place) {
            return doc! { "bsonType": "object" };
        }
        self.open.push(place);
        let object = self.object(schema.fields);
        self.open.pop();
        object
    }

    fn choice(&mut self, schema: &'static EnumSchema) -> Document {
        let place = std::ptr::from_ref(schema).cast();
        if self.open.contains(&place) {
            return doc! { "bsonType": ["string", "object"] };
        }
        self.open.push(place);
        let is_unit = |variant: &&VariantSchema| variant.fields.is_empty();
        let names: Vec<Bson> = schema
            .variants
            .iter()
            .filter(is_unit)
            .map(|variant| variant.stored.into())
            .collect();
        let mut forms: Vec<Document> = schema
            .variants
            .iter()
            .filter(|variant| !is_unit(variant))
            .map(|variant| self.variant(schema.tag, variant))
            .collect();
        self.open.pop();
        if !names.is_empty() {
            forms.insert(0, doc! { "bsonType": "string", "enum": names });
        }
        match <[Document; 1]>::try_from(forms) {
            Ok([only]) => only,
            Err(forms) => doc! { "anyOf": forms },
        }
    }

    fn variant(&mut self, tag: &'static str, variant: &'static VariantSchema) -> Document {
        let mut object = self.object(variant.fields);
        if let Ok(properties) = object.get_document_mut("properties") {
            properties.insert(tag, doc! { "enum": [variant.stored] });
        }
        let mut required = object.get_array("required").cloned().unwrap_or_default();
        required.push(tag.into());
        object.insert("required", required);
        object
    }
}

/// Documents of other writers have no revision.
fn may_be_absent(field: &FieldSchema) -> bool {
    field.role == FieldRole::Revision || matches!(field.ty, TypeSchema::Optional(_) | TypeSchema::Revision)
}

/// None is stored as absence, and read of null too.
fn nullable(mut schema: Document) -> Document {
    let types = match schema.get("bsonType") {
        None if schema.is_empty() => return schema,
        None => return doc! { "anyOf": [schema, { "bsonType": "null" }] },
        Some(Bson::Array(types)) => types.iter().cloned().chain([Bson::from("null")]).collect(),
        Some(one) => vec![one.clone(), "null".into()],
    };
    schema.insert("bsonType", types);
    if let Ok(allowed) = schema.get_array_mut("enum")
        && !allowed.contains(&Bson::Null)
    {
        allowed.push(Bson::Null);
    }
    schema
}

fn ranged(mut schema: Document, rules: &[Rule]) -> Document {
    let bson = |number: Number| match number {
        Number::Int(number) => Bson::Int64(number),
        Number::Float(number) => Bson::Double(number),
    };
    for rule in rules {
        if let Rule::Range { min, max } = rule {
            // A declared bound lies within that of the type, or says nothing.
            if let Some(min) = min.filter(|min| tighter(schema.get("minimum"), *min, |own, new| new > own)) {
                schema.insert("minimum", bson(min));
            }
            if let Some(max) = max.filter(|max| tighter(schema.get("maximum"), *max, |own, new| new < own)) {
                schema.insert("maximum", bson(max));
            }
        }
    }
    schema
}

#[allow(clippy::cast_precision_loss)] // bounds are compared, not stored
fn tighter(own: Option<&Bson>, new: Number, is_tighter: impl Fn(f64, f64) -> bool) -> bool {
    let new = match new {
        Number::Int(number) => number as f64,
        Number::Float(number) => number,
    };
    own.and_then(Bson::as_i64)
        .is_none_or(|own| is_tighter(own as f64, new))
}

fn text(rules: &[Rule]) -> Document {
    let mut schema = doc! { "bsonType": "string" };
    for rule in rules {
        match rule {
            Rule::Len { min, max } => {
                bound(&mut schema, "minLength", *min);
                bound(&mut schema, "maxLength", *max);
            }
            Rule::Pattern(pattern) => {
                if let Some(pattern) = pattern.for_server() {
                    schema.insert("pattern", pattern);
                }
            }
            Rule::OneOf(allowed) => {
                let allowed: Vec<Bson> = allowed.iter().map(|text| (*text).into()).collect();
                schema.insert("enum", allowed);
            }
            _ => {}
        }
    }
    schema
}

fn counted(schema: &mut Document, rules: &[Rule], least: &str, most: &str) {
    for rule in rules {
        if let Rule::Items { min, max } = rule {
            bound(schema, least, *min);
            bound(schema, most, *max);
        }
    }
}

fn bound(schema: &mut Document, name: &str, count: Option<usize>) {
    if let Some(count) = count.and_then(|count| i64::try_from(count).ok()) {
        schema.insert(name, count);
    }
}
