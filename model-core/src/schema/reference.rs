//! Which models refer to which: the graph of the registered models is made of these.

use std::fmt;

use super::field::{FieldSchema, TypeSchema};
use super::{EmbeddedSchema, EnumSchema, ModelSchema};

/// What becomes of a document when one that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteRule {
    /// It is deleted too.
    Cascade,
    /// It stands in the way: the other one is not deleted.
    Restrict,
    /// The field becomes absent.
    Nullify,
    /// The reference is taken out of the array.
    Pull,
}

impl DeleteRule {
    /// Its name, as attributes and manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cascade => "cascade",
            Self::Restrict => "restrict",
            Self::Nullify => "nullify",
            Self::Pull => "pull",
        }
    }
}

/// A field, at any depth, that refers to documents of a model.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reference {
    /// The stored path, dotted.
    pub path: String,
    /// The model that it refers to.
    pub to: &'static ModelSchema,
    /// What becomes of the referring document when the other one is deleted; nothing, if nothing is declared.
    pub on_delete: Option<DeleteRule>,
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference")
            .field("path", &self.path)
            .field("to", &self.to.name)
            .field("on_delete", &self.on_delete)
            .finish()
    }
}

impl TypeSchema {
    /// The model that a value of this type refers to, inside options and arrays too.
    pub fn target(&self) -> Option<&'static ModelSchema> {
        match self {
            Self::Reference(_, to) => Some(to()),
            Self::Optional(inner) | Self::Array(inner) => inner.target(),
            _ => None,
        }
    }
}

impl ModelSchema {
    /// The references of the model, those inside of embedded types too.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        walk(self.fields, "", &mut Vec::new(), &mut found);
        found
    }
}

fn walk(fields: &[FieldSchema], base: &str, open: &mut Vec<*const ()>, found: &mut Vec<Reference>) {
    for field in fields {
        let path = if base.is_empty() {
            field.stored.to_owned()
        } else {
            format!("{base}.{}", field.stored)
        };
        inside(&field.ty, &path, field.on_delete, open, found);
    }
}

/// A path through a map names no field that could be asked for, so references in maps are not in the graph.
fn inside(
    ty: &TypeSchema,
    path: &str,
    on_delete: Option<DeleteRule>,
    open: &mut Vec<*const ()>,
    found: &mut Vec<Reference>,
) {
    match ty {
        TypeSchema::Reference(_, to) => found.push(Reference {
            path: path.to_owned(),
            to: to(),
            on_delete,
        }),
        TypeSchema::Optional(inner) | TypeSchema::Array(inner) => {
            inside(inner, path, on_delete, open, found);
        }
        TypeSchema::Embedded(schema) => {
            let schema: &'static EmbeddedSchema = schema();
            enter(std::ptr::from_ref(schema).cast(), open, |open| {
                walk(schema.fields, path, open, found);
            });
        }
        TypeSchema::Enum(schema) => {
            let schema: &'static EnumSchema = schema();
            enter(std::ptr::from_ref(schema).cast(), open, |open| {
                for variant in schema.variants {
                    walk(variant.fields, path, open, found);
                }
            });
        }
        _ => {}
    }
}

/// A type that contains itself is not entered again.
fn enter(place: *const (), open: &mut Vec<*const ()>, walk: impl FnOnce(&mut Vec<*const ()>)) {
    if !open.contains(&place) {
        open.push(place);
        walk(open);
        open.pop();
    }
}
