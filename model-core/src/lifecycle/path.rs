//! Stored paths, and what a schema says of them.

use crate::schema::{FieldSchema, TypeSchema};

/// What a dotted path leads to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The type at its end, without the options around it.
    pub(super) ty: &'static TypeSchema,
    /// A document may lack it: some step on the way is optional, in a map, or in one variant of an enum only.
    pub(super) optional: bool,
    /// The path of the innermost array on the way, itself included; none if there is no array.
    pub(super) array: Option<String>,
}

/// Follows `path` from `fields`; none if it leads nowhere.
pub(super) fn resolve(fields: &'static [FieldSchema], path: &str) -> Option<Target> {
    let mut steps = path.split('.');
    let mut walk = Walk {
        at: String::new(),
        optional: false,
        array: None,
    };
    let first = steps.next()?;
    let mut ty = walk.field(fields, first)?;
    for step in steps {
        ty = walk.step(ty, step)?;
    }
    Some(Target {
        ty,
        optional: walk.optional,
        array: walk.array,
    })
}

struct Walk {
    at: String,
    optional: bool,
    array: Option<String>,
}

impl Walk {
    fn field(&mut self, fields: &'static [FieldSchema], step: &str) -> Option<&'static TypeSchema> {
        let own = fields.iter().find(|field| field.stored == step);
        let field = own.or_else(|| {
            // What one variant of a flat enum has.
            let choices = fields.iter().filter_map(|field| field.ty.flat());
            let mut parts = choices
                .flat_map(|choice| choice.variants)
                .flat_map(|variant| variant.fields);
            self.optional = true;
            parts.find(|field| field.stored == step)
        })?;
        self.enter(step);
        Some(self.open(&field.ty))
    }

    fn enter(&mut self, step: &str) {
        if !self.at.is_empty() {
            self.at.push('.');
        }
        self.at.push_str(step);
    }

    /// Looks through options and arrays: a path passes them without a step of its own.
    fn open(&mut self, mut ty: &'static TypeSchema) -> &'static TypeSchema {
        loop {
            match ty {
                TypeSchema::Optional(inner) => {
                    self.optional = true;
                    ty = inner;
                }
                TypeSchema::Array(inner) => {
                    self.array = Some(self.at.clone());
                    ty = inner;
                }
                other => return other,
            }
        }
    }

    fn step(&mut self, ty: &'static TypeSchema, step: &str) -> Option<&'static TypeSchema> {
        match ty {
            TypeSchema::Embedded(schema) => self.field(schema().fields, step),
            TypeSchema::Enum(schema) => {
                self.optional = true;
                let schema = schema();
                if schema.tag == step {
                    self.enter(step);
                    return Some(&TypeSchema::String);
                }
                schema
                    .variants
                    .iter()
                    .find_map(|variant| self.field(variant.fields, step))
            }
            TypeSchema::Map(inner) => {
                self.optional = true;
                self.enter(step);
                Some(self.open(inner))
            }
            TypeSchema::Dynamic | TypeSchema::Foreign => {
                self.optional = true;
                self.enter(step);
                Some(ty)
            }
            _ => None,
        }
    }
}
