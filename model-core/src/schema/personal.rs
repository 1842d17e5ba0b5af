//! Which fields of a model are personal data.

use super::field::{FieldSchema, TypeSchema};
use super::{ModelSchema, beside};

impl ModelSchema {
    /// The stored paths of personal data, with `[]` and `{}` for the steps into arrays and maps.
    pub fn personal(&self) -> Vec<String> {
        fn fields(fields: &[FieldSchema], base: &str, open: &mut Vec<*const ()>, found: &mut Vec<String>) {
            for field in fields {
                let path = if base.is_empty() {
                    field.stored.to_owned()
                } else {
                    format!("{base}.{}", field.stored)
                };
                if field.pii.is_some() {
                    found.push(path);
                } else {
                    inside(&field.ty, path, open, found);
                }
            }
        }
        fn inside(ty: &TypeSchema, mut path: String, open: &mut Vec<*const ()>, found: &mut Vec<String>) {
            let (place, parts): (*const (), Vec<&[FieldSchema]>) = match ty {
                TypeSchema::Optional(inner) => return inside(inner, path, open, found),
                TypeSchema::Array(inner) => return inside(inner, format!("{path}.[]"), open, found),
                TypeSchema::Map(inner) => return inside(inner, format!("{path}.{{}}"), open, found),
                TypeSchema::Embedded(schema) => {
                    let schema = schema();
                    (std::ptr::from_ref(schema).cast(), vec![schema.fields])
                }
                TypeSchema::Enum(schema) | TypeSchema::Flat(_, schema) => {
                    let schema = schema();
                    let variants = schema.variants.iter().map(|variant| variant.fields);
                    (std::ptr::from_ref(schema).cast(), variants.collect())
                }
                _ => return,
            };
            if let TypeSchema::Flat(..) = ty {
                path.truncate(beside(&path).len());
            }
            // A type that contains itself is not entered again.
            if !open.contains(&place) {
                open.push(place);
                for part in parts {
                    fields(part, &path, open, found);
                }
                open.pop();
            }
        }
        let mut found = Vec::new();
        fields(self.fields, "", &mut Vec::new(), &mut found);
        found
    }
}
