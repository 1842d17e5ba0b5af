//! What the variants of enums have: of the same one field by field, of a flat one beside its name.

use super::{Entries, Place, Sides, Value, Walk, entries, equal, get, new_keys};
use crate::codec::RawValue;
use crate::error::Result;
use crate::schema::{EnumSchema, FieldSchema, TypeSchema, beside};

/// The entries of the three documents.
pub(super) struct Whole<'a> {
    pub(super) stored: Entries<'a>,
    pub(super) before: Entries<'a>,
    pub(super) after: Entries<'a>,
}

impl<'a> Whole<'a> {
    pub(super) fn of(stored: &'a [u8], before: &'a [u8], after: &'a [u8]) -> Result<Self> {
        Ok(Self {
            stored: entries(stored)?,
            before: entries(before)?,
            after: entries(after)?,
        })
    }

    /// The value of `key`, which stands at `index` in a complete document.
    pub(super) fn sides(&self, key: &str, index: usize) -> Sides<'a> {
        Sides {
            stored: get(&self.stored, key, index),
            before: get(&self.before, key, index),
            after: get(&self.after, key, index),
        }
    }
}

impl Place {
    /// Of a part of the flat enum here, which stands beside its name.
    fn beside(&self, part: &FieldSchema) -> Self {
        let path = match beside(&self.path) {
            "" => part.stored.to_owned(),
            parent => format!("{parent}.{}", part.stored),
        };
        Self {
            path: path.into(),
            ..self.below(part.stored, Some(part))
        }
    }
}

impl<'a> Walk<'a> {
    /// What the variants of flat enums have beside their names, in one document.
    pub(super) fn flat(
        &mut self,
        within: Option<&Place>,
        fields: &'static [FieldSchema],
        whole: &Whole<'a>,
    ) -> Result<()> {
        for (index, field) in fields.iter().enumerate() {
            let Some(choice) = field.ty.flat() else { continue };
            let place = match within {
                Some(outer) => outer.below(field.stored, Some(field)),
                None => Place::top(field),
            };
            let name = whole.sides(field.stored, index);
            let (old, new) = (fields_of(choice, name.before), fields_of(choice, name.after));
            let is_same = equal(name.before, name.after);
            let gone = old
                .iter()
                .filter(|part| !is_same && new.iter().all(|new| new.stored != part.stored));
            for part in new.iter().chain(gone) {
                let (place, sides) = (place.beside(part), whole.sides(part.stored, 0));
                if is_same {
                    self.value(&place, &part.ty, sides)?;
                } else if !equal(sides.before, sides.after) {
                    // Under one name, another variant may have something else.
                    if let (TypeSchema::Map(_), Some(after)) = (part.ty.required(), sides.after) {
                        new_keys(&place, None, after)?;
                    }
                    self.note(&place, &part.ty, sides.before, sides.after.map(Value::Raw));
                }
            }
        }
        Ok(())
    }
}

/// The fields of the variant that is called so.
pub(super) fn fields_of(choice: &'static EnumSchema, name: Option<RawValue<'_>>) -> &'static [FieldSchema] {
    let name = name.and_then(|name| name.str().ok());
    let mut variants = choice.variants.iter();
    let found = variants.find(|variant| name == Some(variant.stored));
    found.map_or(&[], |variant| variant.fields)
}
