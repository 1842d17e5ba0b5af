//! Models, fields, references and indexes as a drawing.

use std::fmt;

use crate::schema::{
    DeleteRule, FieldRole, FieldSchema, IdKind, IndexSpec, KeyForm, ModelSchema, TenantPrefix, TypeSchema,
    beside,
};

/// What is drawn. It prints as Mermaid.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) models: Vec<Drawn>,
    pub(super) references: Vec<Reference>,
}

/// One model.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) name: &'static str,
    pub(super) collection: &'static str,
    pub(super) version: u32,
    pub(super) fields: Vec<String>,
    pub(super) indexes: Vec<String>,
}

/// A field that names another document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) from: &'static str,
    pub(super) field: String,
    pub(super) to: &'static str,
    pub(super) bond: Bond,
}

/// How much is known of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bond {
    /// It is declared, perhaps with what becomes of the document when the other one is deleted.
    Declared(Option<DeleteRule>),
    /// The prefix of its ids tells whose they are.
    Guessed,
}

impl Reference {
    /// What stands at the arrow.
    pub(super) fn label(&self) -> String {
        match self.bond {
            Bond::Declared(Some(rule)) => format!("{}, {}", self.field, rule.as_str()),
            _ => self.field.clone(),
        }
    }
}

impl Graph {
    pub(super) fn of(schemas: &[&'static ModelSchema]) -> Self {
        let mut references = Vec::new();
        for schema in schemas {
            let declared = schema.references().into_iter();
            let known = declared.filter(|one| schemas.iter().any(|schema| schema.name == one.to.name));
            references.extend(known.map(|one| Reference {
                from: schema.name,
                field: one.path,
                to: one.to.name,
                bond: Bond::Declared(one.on_delete),
            }));
            let mut walk = Walk {
                schemas,
                from: schema.name,
                entered: Vec::new(),
                found: &mut references,
            };
            for field in schema.fields.iter().filter(|field| field.role != FieldRole::Id) {
                walk.enter(field.stored.to_owned(), &field.ty);
            }
        }
        Self {
            models: schemas.iter().map(|schema| Drawn::of(schema)).collect(),
            references,
        }
    }
}

impl Drawn {
    fn of(schema: &'static ModelSchema) -> Self {
        Self {
            name: schema.name,
            collection: schema.collection,
            version: schema.version,
            fields: schema.fields.iter().map(field).collect(),
            indexes: schema
                .all_indexes()
                .iter()
                .map(|spec| index(schema, spec))
                .collect(),
        }
    }
}

fn field(field: &'static FieldSchema) -> String {
    let mut text = format!("{}: {}", field.stored, ty(&field.ty));
    if field.hidden {
        text.push_str(", hidden");
    }
    if field.since > 1 {
        text.push_str(&format!(", since {}", field.since));
    }
    text
}

fn ty(schema: &TypeSchema) -> String {
    match schema {
        TypeSchema::Optional(inner) => format!("optional {}", ty(inner)),
        TypeSchema::Array(inner) => format!("list of {}", ty(inner)),
        TypeSchema::Map(inner) => format!("map of {}", ty(inner)),
        TypeSchema::Embedded(schema) => schema().name.to_owned(),
        TypeSchema::Enum(schema) | TypeSchema::Flat(_, schema) => schema().name.to_owned(),
        TypeSchema::Encrypted(inner) => format!("encrypted {}", ty(inner)),
        TypeSchema::PasswordHash => "password".to_owned(),
        TypeSchema::TokenDigest => "token".to_owned(),
        TypeSchema::TenantId => "tenant".to_owned(),
        TypeSchema::Id(IdKind::String { prefix }) => format!("id {prefix}"),
        TypeSchema::Id(_) => "id".to_owned(),
        TypeSchema::Reference(_, to) => format!("ref {}", to().name),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn index(schema: &ModelSchema, spec: &IndexSpec) -> String {
    let tenant = schema
        .tenant_field()
        .filter(|_| spec.tenant == TenantPrefix::First);
    let own = spec.keys.iter().map(|key| match key.form {
        KeyForm::Ordered(crate::schema::Direction::Descending) => format!("{} desc", key.path),
        KeyForm::Ordered(_) => key.path.to_owned(),
        form => format!("{} {}", key.path, word(form)),
    });
    let keys: Vec<String> = tenant.map(str::to_owned).into_iter().chain(own).collect();
    let unique = if spec.unique { "unique" } else { "index" };
    format!("{unique}({})", keys.join(", "))
}

fn word(form: KeyForm) -> &'static str {
    match form {
        KeyForm::Text { .. } => "text",
        KeyForm::Hashed => "hashed",
        KeyForm::Sphere => "sphere",
        KeyForm::Wildcard => "wildcard",
        KeyForm::Ordered(_) => "",
    }
}

/// Looks for plain ids of other models: those with a prefix tell whose they are.
struct Walk<'a> {
    schemas: &'a [&'static ModelSchema],
    from: &'static str,
    entered: Vec<&'static str>,
    found: &'a mut Vec<Reference>,
}

impl Walk<'_> {
    fn enter(&mut self, path: String, ty: &'static TypeSchema) {
        match ty {
            TypeSchema::Optional(inner) | TypeSchema::Array(inner) | TypeSchema::Map(inner) => {
                self.enter(path, inner);
            }
            TypeSchema::Embedded(schema) => self.fields(schema().name, &path, schema().fields),
            TypeSchema::Enum(schema) => {
                for variant in schema().variants {
                    self.fields(variant.stored, &path, variant.fields);
                }
            }
            TypeSchema::Flat(_, schema) => {
                for variant in schema().variants {
                    self.fields(variant.stored, beside(&path), variant.fields);
                }
            }
            TypeSchema::Id(IdKind::String { prefix }) if !prefix.is_empty() => {
                let kind = IdKind::String { prefix };
                for to in self.schemas.iter().filter(|schema| schema.id == kind) {
                    self.found.push(Reference {
                        from: self.from,
                        field: path.clone(),
                        to: to.name,
                        bond: Bond::Guessed,
                    });
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, name: &'static str, path: &str, fields: &'static [FieldSchema]) {
        if self.entered.contains(&name) {
            return;
        }
        self.entered.push(name);
        for field in fields {
            let dot = if path.is_empty() { "" } else { "." };
            self.enter(format!("{path}{dot}{}", field.stored), &field.ty);
        }
        self.entered.pop();
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("classDiagram\n")?;
        for model in &self.models {
            writeln!(f, "    class {} {{", model.name)?;
            writeln!(f, "        <<{}, version {}>>", model.collection, model.version)?;
            for line in model.fields.iter().chain(&model.indexes) {
                writeln!(f, "        {line}")?;
            }
            f.write_str("    }\n")?;
        }
        for reference in &self.references {
            let Reference { from, to, bond, .. } = reference;
            let arrow = match bond {
                Bond::Declared(_) => "-->",
                Bond::Guessed => "..>",
            };
            writeln!(f, "    {from} {arrow} {to} : {}", reference.label())?;
        }
        Ok(())
    }
}
