//! Which models refer to which: the graph of the registered models is made of these.

use std::fmt;

use super::ModelSchema;
use super::field::{FieldSchema, TypeSchema};

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

/// One step of the way from a document to a reference inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the field stored under this name.
    Field(&'static str),
    /// To each element of an array.
    Elements,
    /// To each value of a map.
    Values,
    /// Nowhere, but in a document of this variant of an enum.
    Variant {
        /// The key that names the variant.
        tag: &'static str,
        /// Its stored name.
        name: &'static str,
    },
}

/// A field, at any depth, that refers to documents of a model.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reference {
    /// The stored path, dotted; a step into a map is `{}`.
    pub path: String,
    /// The model that it refers to.
    pub to: &'static ModelSchema,
    /// What becomes of the referring document when the other one is deleted; nothing, if nothing is declared.
    pub on_delete: Option<DeleteRule>,
    /// Whether it names the person whose data the document is.
    pub subject: bool,
    /// The way to it.
    pub(crate) steps: Vec<Step>,
    /// It, or something that it lies in, is set at create only.
    pub(crate) readonly: bool,
    /// It lies in a type that contains itself: there are more of it, at any depth.
    pub(crate) endless: bool,
}

impl Reference {
    /// Whether a document may hold several of it, each in an element of its own.
    pub(crate) fn is_in_elements(&self) -> bool {
        let many = |step: &Step| matches!(step, Step::Elements | Step::Values);
        self.steps.iter().any(many)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference")
            .field("path", &self.path)
            .field("to", &self.to.name)
            .field("on_delete", &self.on_delete)
            .finish_non_exhaustive()
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
    /// The references of the model, those inside of embedded types and maps too.
    pub fn references(&self) -> Vec<Reference> {
        let mut walk = Walk::default();
        walk.fields(self.fields, false);
        let Walk { circles, found, .. } = walk;
        let endless = |within: &[*const ()]| within.iter().any(|ty| circles.contains(ty));
        found
            .into_iter()
            .map(|(reference, within)| Reference {
                endless: endless(&within),
                ..reference
            })
            .collect()
    }
}

/// A walk over the types of a model.
#[derive(Default)]
struct Walk {
    steps: Vec<Step>,
    /// The derived types on the way.
    open: Vec<*const ()>,
    /// Those that contain themselves: they are not entered again.
    circles: Vec<*const ()>,
    /// What was found, with the derived types that it lies in.
    found: Vec<(Reference, Vec<*const ()>)>,
}

impl Walk {
    fn fields(&mut self, fields: &'static [FieldSchema], readonly: bool) {
        for field in fields {
            let readonly = readonly || field.readonly;
            self.at(Step::Field(field.stored), |walk| {
                walk.ty(field, &field.ty, readonly);
            });
        }
    }

    fn ty(&mut self, field: &'static FieldSchema, ty: &'static TypeSchema, readonly: bool) {
        match ty {
            TypeSchema::Reference(_, to) => self.note(field, to(), readonly),
            TypeSchema::Optional(inner) => self.ty(field, inner, readonly),
            TypeSchema::Array(inner) => self.at(Step::Elements, |walk| walk.ty(field, inner, readonly)),
            TypeSchema::Map(inner) => self.at(Step::Values, |walk| walk.ty(field, inner, readonly)),
            TypeSchema::Embedded(schema) => {
                let schema = schema();
                self.enter(std::ptr::from_ref(schema).cast(), |walk| {
                    walk.fields(schema.fields, readonly);
                });
            }
            TypeSchema::Enum(schema) => {
                let schema = schema();
                self.enter(std::ptr::from_ref(schema).cast(), |walk| {
                    for variant in schema.variants {
                        let (tag, name) = (schema.tag, variant.stored);
                        walk.at(Step::Variant { tag, name }, |walk| {
                            walk.fields(variant.fields, readonly);
                        });
                    }
                });
            }
            // What it has stands in the same document as its name.
            TypeSchema::Flat(tag, schema) => {
                let field = self.steps.pop();
                let schema = schema();
                self.enter(std::ptr::from_ref(schema).cast(), |walk| {
                    for variant in schema.variants {
                        let name = variant.stored;
                        walk.at(Step::Variant { tag, name }, |walk| {
                            walk.fields(variant.fields, readonly);
                        });
                    }
                });
                self.steps.extend(field);
            }
            _ => {}
        }
    }

    fn note(&mut self, field: &'static FieldSchema, to: &'static ModelSchema, readonly: bool) {
        let names = self.steps.iter().filter_map(|step| match step {
            Step::Field(name) => Some(*name),
            Step::Values => Some("{}"),
            Step::Elements | Step::Variant { .. } => None,
        });
        let reference = Reference {
            path: names.collect::<Vec<_>>().join("."),
            to,
            on_delete: field.on_delete,
            subject: field.subject,
            steps: self.steps.clone(),
            readonly,
            endless: false,
        };
        self.found.push((reference, self.open.clone()));
    }

    fn at(&mut self, step: Step, walk: impl FnOnce(&mut Self)) {
        self.steps.push(step);
        walk(self);
        self.steps.pop();
    }

    fn enter(&mut self, ty: *const (), walk: impl FnOnce(&mut Self)) {
        if self.open.contains(&ty) {
            self.circles.push(ty);
            return;
        }
        self.open.push(ty);
        walk(self);
        self.open.pop();
    }
}
