//! One type after another.

use serde_json::{Map, Value, json};

use super::super::{
    EmbeddedSchema, EnumSchema, FieldRole, FieldSchema, IdKind, ModelSchema, TypeSchema, VariantSchema,
};
use super::values::{Said, bounded, counted, id, integer, nullable, secret, text};

/// Which JSON is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    View,
    Create,
    Patch,
}

impl Side {
    pub(super) fn title(self, name: &str) -> String {
        match self {
            Self::View => name.to_owned(),
            Self::Create => format!("New{name}"),
            Self::Patch => format!("{name}Patch"),
        }
    }

    /// Elements are given whole, in a patch as well.
    fn inside(self) -> Self {
        match self {
            Self::View => Self::View,
            Self::Create | Self::Patch => Self::Create,
        }
    }
}

/// The derived types that were met, each described once.
pub(super) struct Types {
    /// Where in the document the definitions are.
    place: &'static str,
    names: Vec<(*const (), Side, String)>,
    definitions: Map<String, Value>,
}

impl Types {
    pub(super) fn new(place: &'static str) -> Self {
        Self {
            place,
            names: Vec::new(),
            definitions: Map::new(),
        }
    }

    pub(super) fn definitions(self) -> Map<String, Value> {
        self.definitions
    }

    /// Defines what goes in and out of these models. Their names are taken first: a type of the same name gets a number.
    pub(super) fn models(&mut self, models: &[&ModelSchema]) {
        let mut named = Vec::with_capacity(models.len() * 3);
        for model in models {
            for side in [Side::View, Side::Create, Side::Patch] {
                let name = self.take(std::ptr::from_ref(*model).cast(), model.name, side);
                named.push((*model, side, name));
            }
        }
        for (model, side, name) in named {
            let schema = self.whole(model, side);
            self.definitions.insert(name, schema);
        }
    }

    /// The schema of a model, whose types are defined apart.
    pub(super) fn whole(&mut self, schema: &ModelSchema, side: Side) -> Value {
        let mut whole = self.object(schema.fields, schema.virtuals, Some(schema.id), side);
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("title".to_owned(), side.title(schema.name).into());
            if !schema.doc.is_empty() {
                whole.insert("description".to_owned(), schema.doc.into());
            }
        }
        whole
    }

    pub(super) fn object(
        &mut self,
        fields: &'static [FieldSchema],
        virtuals: &'static [&'static str],
        own_id: Option<IdKind>,
        side: Side,
    ) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in fields {
            let Some((mut schema, is_required)) = self.field(field, own_id, side) else {
                continue;
            };
            if let Some(schema) = schema.as_object_mut() {
                if !field.doc.is_empty() {
                    schema.insert("description".to_owned(), field.doc.into());
                }
                if field.pii.is_some() {
                    schema.insert("x-pii".to_owned(), true.into());
                }
            }
            properties.insert(field.json.to_owned(), schema);
            if is_required {
                required.push(Value::from(field.json));
            }
        }
        if side == Side::View {
            properties.extend(virtuals.iter().map(|name| ((*name).to_owned(), json!({}))));
        }
        let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let Some(object) = object.as_object_mut()
            && !required.is_empty()
        {
            object.insert("required".to_owned(), required.into());
        }
        object
    }

    /// The schema of a field, and whether its key has to be there; none if it has no key.
    fn field(
        &mut self,
        field: &'static FieldSchema,
        own_id: Option<IdKind>,
        side: Side,
    ) -> Option<(Value, bool)> {
        let said = Said::of(field, side);
        let is_secret = field.ty.is_secret();
        let is_withheld = field.hidden && !is_secret;
        let is_optional = matches!(field.ty, TypeSchema::Optional(_));
        match side {
            Side::View if field.hidden || is_secret => None,
            Side::View => {
                let schema = match (field.role, own_id) {
                    (FieldRole::Id, Some(kind)) => id(kind),
                    _ => self.ty(field.ty.required_static(), said, side),
                };
                Some((schema, !is_optional))
            }
            Side::Create if field.role != FieldRole::Plain => None,
            // Only the application itself can give it, so that no JSON input is complete.
            Side::Create if is_withheld && !is_optional && !field.has_default => Some((json!(false), true)),
            Side::Create if is_withheld => None,
            Side::Create => Some((self.ty(&field.ty, said, side), !is_optional && !field.has_default)),
            Side::Patch if field.role == FieldRole::Tenant => None,
            Side::Patch if field.role != FieldRole::Plain || field.readonly => {
                Some((json!({ "readOnly": true }), false))
            }
            Side::Patch if is_withheld => None,
            Side::Patch if field.ty.replaces_guarded_parts() => Some((json!(false), false)),
            Side::Patch => Some((self.ty(&field.ty, said, side), false)),
        }
    }

    fn ty(&mut self, ty: &'static TypeSchema, said: Said, side: Side) -> Value {
        match ty {
            TypeSchema::Bool => json!({ "type": "boolean" }),
            TypeSchema::Int16 => integer(i16::MIN.into(), i16::MAX.into(), said),
            TypeSchema::Uint16 => integer(0, u16::MAX.into(), said),
            TypeSchema::Int32 => integer(i32::MIN.into(), i32::MAX.into(), said),
            TypeSchema::Uint32 => integer(0, u32::MAX.into(), said),
            TypeSchema::Int64 => integer(i64::MIN, i64::MAX, said),
            TypeSchema::Uint64 => integer(0, i64::MAX, said),
            // A bound is met as the number prints, which is not the number that was sent.
            TypeSchema::Single => json!({ "type": "number", "minimum": f32::MIN, "maximum": f32::MAX }),
            TypeSchema::Double => bounded(json!({ "type": "number" }), said),
            TypeSchema::String => text(said),
            TypeSchema::Decimal128 | TypeSchema::Regex | TypeSchema::TenantId => json!({ "type": "string" }),
            TypeSchema::ObjectId => id(IdKind::ObjectId),
            TypeSchema::Uuid => id(IdKind::Uuid),
            TypeSchema::Id(kind) | TypeSchema::Reference(kind, _) => id(*kind),
            TypeSchema::Revision => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
            TypeSchema::Date => json!({ "type": "string", "format": "date-time" }),
            TypeSchema::Binary => json!({ "type": "string", "contentEncoding": "base64" }),
            TypeSchema::Vector(numbers) => json!({
                "type": "array", "items": { "type": "number", "minimum": f32::MIN, "maximum": f32::MAX },
                "minItems": numbers, "maxItems": numbers,
            }),
            TypeSchema::Timestamp => {
                let part = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
                json!({
                    "type": "object",
                    "properties": { "time": part, "increment": part },
                    "required": ["time", "increment"],
                })
            }
            TypeSchema::Optional(inner) => nullable(self.ty(inner, said, side)),
            TypeSchema::Array(inner) => {
                let items = self.ty(inner, said, side.inside());
                counted(
                    json!({ "type": "array", "items": items }),
                    said,
                    "minItems",
                    "maxItems",
                )
            }
            TypeSchema::Map(inner) => {
                let values = self.ty(inner, said, side.inside());
                let keys = json!({ "maxLength": 256, "pattern": "^[^$.\u{0}][^.\u{0}]*$", "not": { "const": "__proto__" } });
                let map = match side {
                    Side::View => json!({ "type": "object", "additionalProperties": values }),
                    _ => json!({
                        "type": "object", "additionalProperties": values, "propertyNames": keys, "maxProperties": 1000,
                    }),
                };
                counted(map, said, "minProperties", "maxProperties")
            }
            TypeSchema::Embedded(schema) => self.embedded(schema(), side),
            TypeSchema::Enum(schema) | TypeSchema::Flat(_, schema) => self.choice(schema(), side),
            TypeSchema::Encrypted(inner) => secret(self.ty(inner, said, side.inside())),
            TypeSchema::PasswordHash | TypeSchema::TokenDigest => secret(json!({ "type": "string" })),
            TypeSchema::Dynamic | TypeSchema::Foreign => json!({}),
        }
    }

    fn embedded(&mut self, schema: &'static EmbeddedSchema, side: Side) -> Value {
        self.define(std::ptr::from_ref(schema).cast(), schema.name, side, |types| {
            types.object(schema.fields, schema.virtuals, None, side)
        })
    }

    fn choice(&mut self, schema: &'static EnumSchema, side: Side) -> Value {
        // What has no parts is given whole.
        let has_parts = schema.variants.iter().any(|variant| !variant.fields.is_empty());
        let side = if has_parts { side } else { side.inside() };
        self.define(std::ptr::from_ref(schema).cast(), schema.name, side, |types| {
            let (units, rest): (Vec<_>, Vec<_>) = schema
                .variants
                .iter()
                .partition(|variant| variant.fields.is_empty());
            let names: Vec<&str> = units.iter().map(|variant| variant.stored).collect();
            let mut forms: Vec<Value> = rest
                .into_iter()
                .map(|variant| types.variant(schema.tag, variant, side))
                .collect();
            if !names.is_empty() {
                forms.insert(0, json!({ "type": "string", "enum": names }));
            }
            match <[Value; 1]>::try_from(forms) {
                Ok([only]) => only,
                Err(forms) => json!({ "oneOf": forms }),
            }
        })
    }

    fn variant(&mut self, tag: &'static str, variant: &'static VariantSchema, side: Side) -> Value {
        let mut object = self.object(variant.fields, &[], None, side);
        if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(tag.to_owned(), json!({ "const": variant.stored }));
        }
        if let Some(object) = object.as_object_mut()
            && let Some(required) = object
                .entry("required")
                .or_insert_with(|| json!([]))
                .as_array_mut()
        {
            required.push(tag.into());
        }
        object
    }

    /// A reference to the definition, which is made at the first one.
    fn define(
        &mut self,
        place: *const (),
        name: &str,
        side: Side,
        make: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let known = self
            .names
            .iter()
            .find(|(known, of, _)| *known == place && *of == side);
        let name = match known {
            Some((_, _, name)) => name.clone(),
            None => {
                // Taken at once, for what the type holds of its own kind.
                let name = self.take(place, name, side);
                let schema = make(self);
                self.definitions.insert(name.clone(), schema);
                name
            }
        };
        json!({ "$ref": format!("{}{name}", self.place) })
    }

    /// Takes a name for a definition. Two types of different modules may have one name.
    fn take(&mut self, place: *const (), name: &str, side: Side) -> String {
        let title = side.title(name);
        let numbered = (2_u32..).map(|number| format!("{title}{number}"));
        let name = std::iter::once(title.clone())
            .chain(numbered)
            .find(|name| !self.definitions.contains_key(name))
            .unwrap_or_default();
        self.names.push((place, side, name.clone()));
        self.definitions.insert(name.clone(), Value::Null);
        name
    }
}
