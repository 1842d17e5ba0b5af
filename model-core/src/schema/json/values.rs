//! Plain values: what their rules say in JSON Schema.

use serde_json::{Map, Value, json};

use super::super::{FieldSchema, IdKind, Normaliser, Number, Rule};
use super::types::Side;

/// What the declaration of a field says of its values, wherever they stand in its type.
#[derive(Clone, Copy)]
pub(super) struct Said {
    rules: &'static [Rule],
    normalise: &'static [Normaliser],
}

impl Said {
    /// Views show what is stored, whoever has stored it.
    pub(super) fn of(field: &'static FieldSchema, side: Side) -> Self {
        let rules = if side == Side::View { &[] } else { field.rules };
        Self {
            rules,
            normalise: field.normalise,
        }
    }

    /// Whether text is compared as it comes.
    fn is_verbatim(self) -> bool {
        self.normalise.is_empty()
    }

    /// Whether text is at least as long as what becomes of it.
    fn is_never_longer(self) -> bool {
        self.normalise.iter().all(|step| *step == Normaliser::Trim)
    }
}

pub(super) fn id(kind: IdKind) -> Value {
    match kind {
        IdKind::ObjectId => json!({ "type": "string", "pattern": "^[0-9a-fA-F]{24}$" }),
        IdKind::Uuid => json!({ "type": "string", "format": "uuid" }),
        IdKind::String { prefix } => json!({ "type": "string", "pattern": format!("^{prefix}") }),
    }
}

pub(super) fn secret(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("writeOnly".to_owned(), true.into());
    }
    schema
}

pub(super) fn nullable(mut schema: Value) -> Value {
    let Some(keys) = schema.as_object_mut() else {
        return schema;
    };
    match keys.get("type").cloned() {
        None if keys.is_empty() => return schema,
        None => return json!({ "anyOf": [schema, { "type": "null" }] }),
        Some(own) => keys.insert("type".to_owned(), json!([own, "null"])),
    };
    if let Some(allowed) = keys.get_mut("enum").and_then(Value::as_array_mut) {
        allowed.push(Value::Null);
    }
    schema
}

pub(super) fn integer(min: i64, max: i64, said: Said) -> Value {
    bounded(json!({ "type": "integer", "minimum": min, "maximum": max }), said)
}

/// With the declared bounds, where they are within those of the type.
#[allow(clippy::cast_precision_loss)] // bounds are compared, not stored
pub(super) fn bounded(mut schema: Value, said: Said) -> Value {
    let as_f64 = |number: Number| match number {
        Number::Int(number) => number as f64,
        Number::Float(number) => number,
    };
    let as_json = |number: Number| match number {
        Number::Int(number) => json!(number),
        Number::Float(number) => json!(number),
    };
    let Some(keys) = schema.as_object_mut() else {
        return schema;
    };
    for rule in said.rules {
        let Rule::Range { min, max } = rule else { continue };
        for (name, bound, sign) in [("minimum", *min, 1.0), ("maximum", *max, -1.0)] {
            let own = keys.get(name).and_then(Value::as_f64);
            if let Some(bound) = bound
                && own.is_none_or(|own| (as_f64(bound) - own) * sign > 0.0)
            {
                keys.insert(name.to_owned(), as_json(bound));
            }
        }
    }
    schema
}

pub(super) fn text(said: Said) -> Value {
    let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
    let mut set = |name: &str, value: Value| drop(schema.insert(name.to_owned(), value));
    for rule in said.rules {
        match rule {
            Rule::Len { min, max } => {
                if let Some(min) = min.filter(|_| said.is_never_longer()) {
                    set("minLength", min.into());
                }
                if let Some(max) = max.filter(|_| said.is_verbatim()) {
                    set("maxLength", max.into());
                }
            }
            Rule::Pattern(pattern) if said.is_verbatim() => {
                if let Some(pattern) = pattern.for_json_schema() {
                    set("pattern", pattern.into());
                }
            }
            Rule::OneOf(allowed) if said.is_verbatim() => set("enum", json!(allowed)),
            Rule::Email => set("format", "email".into()),
            _ => {}
        }
    }
    Value::Object(schema)
}

pub(super) fn counted(mut schema: Value, said: Said, least: &str, most: &str) -> Value {
    for rule in said.rules {
        if let (Rule::Items { min, max }, Some(keys)) = (rule, schema.as_object_mut()) {
            for (name, bound) in [(least, min), (most, max)] {
                if let Some(bound) = bound {
                    keys.insert(name.to_owned(), (*bound).into());
                }
            }
        }
    }
    schema
}
