//! What there is to say of models.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::plan::Described;
use super::super::{declared, forms, plan};
use crate::schema::{
    BlindSpec, FieldRole, FieldSchema, IdKind, ModelSchema, Normaliser, Rule, Tenancy, TypeSchema,
};

/// The facts of all models, by path.
pub(super) fn all(schemas: &[&'static ModelSchema]) -> BTreeMap<String, Value> {
    let mut facts = Facts::default();
    for schema in schemas {
        // Models of different modules may have one name; collections are one model's.
        let twins = schemas.iter().filter(|other| other.name == schema.name).count();
        let name = if twins > 1 {
            format!("{}@{}", schema.name, schema.collection.replace('.', "/"))
        } else {
            schema.name.to_owned()
        };
        facts.model(&name, schema);
    }
    facts.all
}

#[derive(Default)]
struct Facts {
    all: BTreeMap<String, Value>,
    /// The derived types on the way: one that contains itself is not entered again.
    open: Vec<*const ()>,
}

impl Facts {
    fn say(&mut self, path: String, value: impl Into<Value>) {
        self.all.insert(path, value.into());
    }

    fn model(&mut self, name: &str, schema: &'static ModelSchema) {
        self.say(format!("{name}.collection"), schema.collection);
        let named = if schema.has_id() {
            id(schema.id)
        } else {
            "none: named by its key".into()
        };
        self.say(format!("{name}.id"), named);
        self.say(format!("{name}.version"), schema.version);
        let tenancy = match schema.tenancy {
            Tenancy::Tenant { field } => format!("tenant in {field}"),
            Tenancy::Global => "global".to_owned(),
        };
        self.say(format!("{name}.tenancy"), tenancy);
        if let Some(audit) = schema.audit {
            let events = [audit.create, audit.update, audit.delete];
            self.say(
                format!("{name}.audit"),
                format!("{}: {}", audit.entity, events.join(", ")),
            );
        }
        let kinds = [
            ("soft_delete", schema.soft_delete),
            ("append_only", schema.append_only),
            ("singleton", schema.singleton),
            ("outbox", schema.has_outbox()),
            ("watch", schema.watch),
        ];
        for (kind, _) in kinds.iter().filter(|(_, is_on)| *is_on) {
            self.say(format!("{name}.{kind}"), true);
        }
        if let Some(seal) = schema.seal {
            self.say(format!("{name}.seal"), seal.fields.to_vec());
        }
        if !schema.virtuals.is_empty() {
            self.say(format!("{name}.virtuals"), schema.virtuals.to_vec());
        }
        if let Some(validator) = schema.validator {
            let (level, action) = (validator.level.as_str(), validator.action.as_str());
            self.say(
                format!("{name}.validator"),
                format!("level {level}, action {action}"),
            );
        }
        if let Some(form) = schema.form {
            self.say(format!("{name}.form"), forms::options(form).to_string());
        }
        if !schema.shard_key.is_empty() {
            self.say(
                format!("{name}.shard_key"),
                declared::shard_key(schema).to_string(),
            );
        }
        for index in declared::describe_all(schema) {
            let path = format!("{name}.indexes.{}", plan::name_of(&index));
            self.say(path, Described(&index).to_string());
        }
        self.fields(&format!("{name}.fields"), schema.fields, "");
    }

    /// Fields by stored path; `within` says what has to be the case for them to be there.
    fn fields(&mut self, path: &str, fields: &'static [FieldSchema], within: &str) {
        for field in fields {
            let path = format!("{path}{within}.{}", field.stored);
            let mut said = json!({ "name": field.name, "type": type_name(&field.ty) });
            if let Some(said) = said.as_object_mut() {
                let may_be_absent =
                    matches!(field.ty, TypeSchema::Optional(_)) || field.role == FieldRole::Revision;
                let flags = [
                    ("required", !may_be_absent),
                    ("hidden", field.hidden),
                    ("readonly", field.readonly),
                    ("default", field.has_default),
                    ("skip_updated_at", field.skip_updated_at),
                    ("skip_audit", field.skip_audit),
                    ("sortable", field.sortable),
                    ("pii", field.pii.is_some()),
                    ("subject", field.subject),
                    ("legacy_plaintext", field.legacy_plaintext.is_some()),
                ];
                for (flag, _) in flags.iter().filter(|(_, is_on)| *is_on) {
                    said.insert((*flag).to_owned(), true.into());
                }
                if field.json != field.stored {
                    said.insert("json".to_owned(), field.json.into());
                }
                if field.role != FieldRole::Plain {
                    said.insert("role".to_owned(), format!("{:?}", field.role).into());
                }
                if field.since > 1 {
                    said.insert("since".to_owned(), field.since.into());
                }
                if let Some(external) = field.external {
                    let asked = format!("{:?}", external.comparisons).to_lowercase();
                    said.insert("filterable".to_owned(), asked.into());
                }
                if let Some(blind) = field.blind {
                    said.insert("blind_index".to_owned(), blind_index(blind).into());
                }
                if let Some(bytes) = field.pad {
                    said.insert("pad".to_owned(), bytes.get().into());
                }
                let rules: Vec<String> = field
                    .normalise
                    .iter()
                    .copied()
                    .map(step)
                    .chain(field.rules.iter().map(rule))
                    .collect();
                if let Some(rule) = field.on_delete {
                    said.insert("on_delete".to_owned(), rule.as_str().into());
                }
                if !rules.is_empty() {
                    said.insert("rules".to_owned(), rules.into());
                }
            }
            self.say(path.clone(), said);
            self.inside(&path, &field.ty);
        }
    }

    /// The fields inside a type. Of a secret, only the name is told.
    fn inside(&mut self, path: &str, ty: &'static TypeSchema) {
        match ty {
            TypeSchema::Optional(inner) => self.inside(path, inner),
            TypeSchema::Array(inner) => self.inside(&format!("{path}[]"), inner),
            TypeSchema::Map(inner) => self.inside(&format!("{path}{{}}"), inner),
            TypeSchema::Embedded(schema) => {
                let schema = schema();
                self.enter(std::ptr::from_ref(schema).cast(), |facts| {
                    facts.fields(path, schema.fields, "");
                });
            }
            TypeSchema::Enum(schema) | TypeSchema::Flat(_, schema) => {
                let schema = schema();
                self.enter(std::ptr::from_ref(schema).cast(), |facts| {
                    for variant in schema.variants {
                        facts.fields(path, variant.fields, &format!("<{}>", variant.stored));
                    }
                });
            }
            _ => {}
        }
    }

    fn enter(&mut self, place: *const (), tell: impl FnOnce(&mut Self)) {
        if !self.open.contains(&place) {
            self.open.push(place);
            tell(self);
            self.open.pop();
        }
    }
}

fn type_name(ty: &TypeSchema) -> String {
    match ty {
        TypeSchema::Optional(inner) => format!("{}?", type_name(inner)),
        TypeSchema::Array(inner) => format!("[{}]", type_name(inner)),
        TypeSchema::Map(inner) => format!("{{{}}}", type_name(inner)),
        TypeSchema::Embedded(_) => "document".to_owned(),
        TypeSchema::Enum(schema) | TypeSchema::Flat(_, schema) => {
            let names: Vec<&str> = schema().variants.iter().map(|variant| variant.stored).collect();
            let flat = if let TypeSchema::Flat(..) = ty {
                "flat "
            } else {
                ""
            };
            format!("{flat}enum {}", names.join("|"))
        }
        TypeSchema::Encrypted(_) => "encrypted".to_owned(),
        TypeSchema::PasswordHash => "password".to_owned(),
        // A reference is stored as the bare id: to declare one changes nothing that is stored.
        TypeSchema::Id(kind) | TypeSchema::Reference(kind, _) => format!("id ({})", id(*kind)),
        TypeSchema::Vector(numbers) => format!("vector of {numbers}"),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn blind_index(blind: BlindSpec) -> String {
    let unique = if blind.unique { "unique " } else { "" };
    let scope = if blind.global { " over all tenants" } else { "" };
    format!("{unique}{:?}{scope}", blind.normalise).to_lowercase()
}

fn id(kind: IdKind) -> String {
    match kind {
        IdKind::ObjectId => "object_id".to_owned(),
        IdKind::Uuid => "uuid".to_owned(),
        IdKind::String { prefix: "" } => "string".to_owned(),
        IdKind::String { prefix } => format!("string {prefix}"),
    }
}

fn step(step: Normaliser) -> String {
    format!("{step:?}").to_lowercase()
}

fn rule(rule: &Rule) -> String {
    fn range<T: std::fmt::Display>(name: &str, min: Option<T>, max: Option<T>) -> String {
        let text = |bound: Option<T>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        let (min, max) = (text(min), text(max));
        let equals = if max.is_empty() { "" } else { "=" };
        format!("{name}({min}..{equals}{max})")
    }
    match rule {
        Rule::Len { min, max } => range("len", *min, *max),
        Rule::Items { min, max } => range("items", *min, *max),
        Rule::Range { min, max } => range("range", *min, *max),
        Rule::Pattern(pattern) => format!("pattern {}", pattern.source()),
        Rule::Email => "email".to_owned(),
        Rule::Url => "url".to_owned(),
        Rule::OneOf(allowed) => format!("one_of {}", allowed.join("|")),
    }
}
