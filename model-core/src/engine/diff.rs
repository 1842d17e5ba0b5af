//! What differs between a stored document and what it is to become, path by path.

use bson::Bson;

use crate::codec::{Elements, RawValue, Writer, read_bson, tag};
use crate::error::Result;
use crate::schema::{FieldRole, FieldSchema, TypeSchema};

/// A path whose value differs. Values are borrowed from the two documents, but for arrays that were merged.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    /// The stored path, dotted.
    pub(super) path: String,
    /// The field at the top level that it lies in.
    pub(super) field: &'static FieldSchema,
    /// Whether the values are to be kept out of the audit log.
    pub(super) redacted: bool,
    pub(super) before: Option<RawValue<'a>>,
    pub(super) after: Option<Value<'a>>,
}

/// A value of the document that is to become.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Raw(RawValue<'a>),
    /// An array in which equal elements keep their stored form.
    Merged(Vec<u8>),
}

impl Value<'_> {
    pub(super) fn raw(&self) -> RawValue<'_> {
        match self {
            Self::Raw(value) => *value,
            Self::Merged(bytes) => RawValue {
                tag: tag::ARRAY,
                bytes,
            },
        }
    }
}

/// A value for the audit log.
pub(super) fn to_bson(value: Option<RawValue<'_>>) -> Option<Bson> {
    value.and_then(|value| read_bson(value).ok())
}

type Entries<'a> = Vec<(&'a str, RawValue<'a>)>;

fn entries(document: &[u8]) -> Result<Entries<'_>> {
    let mut elements = Elements::new(document).map_err(crate::codec::DecodeError::into_error)?;
    let mut entries = Vec::with_capacity(16);
    while let Some(entry) = elements.next().map_err(crate::codec::DecodeError::into_error)? {
        entries.push(entry);
    }
    Ok(entries)
}

fn get<'a>(entries: &Entries<'a>, key: &str) -> Option<RawValue<'a>> {
    entries
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, value)| *value)
}

/// An empty document: what is before a create, and after a delete.
pub(super) const EMPTY: &[u8] = &[5, 0, 0, 0, 0];

/// The differences in the declared fields. Fields that no schema knows are nobody's business: they stay.
pub(super) fn diff<'a>(
    fields: &'static [FieldSchema],
    before: &'a [u8],
    after: &'a [u8],
) -> Result<Vec<Difference<'a>>> {
    let mut walk = Walk { found: Vec::new() };
    let (before, after) = (entries(before)?, entries(after)?);
    // The revision differs by nature: the pipeline itself moves it.
    for field in fields.iter().filter(|field| field.role != FieldRole::Revision) {
        let place = Place {
            field,
            redacted: field.hidden,
            path: field.stored.to_owned(),
        };
        walk.value(
            &place,
            &field.ty,
            get(&before, field.stored),
            get(&after, field.stored),
        )?;
    }
    Ok(walk.found)
}

struct Place {
    field: &'static FieldSchema,
    redacted: bool,
    path: String,
}

impl Place {
    fn below(&self, key: &str, hidden: bool) -> Self {
        Self {
            field: self.field,
            redacted: self.redacted || hidden,
            path: format!("{}.{key}", self.path),
        }
    }
}

struct Walk<'a> {
    found: Vec<Difference<'a>>,
}

impl<'a> Walk<'a> {
    fn value(
        &mut self,
        place: &Place,
        ty: &TypeSchema,
        before: Option<RawValue<'a>>,
        after: Option<RawValue<'a>>,
    ) -> Result<()> {
        if same_option(ty, before, after) {
            return Ok(());
        }
        if let (Some(old), Some(new)) = (before, after) {
            match ty.required() {
                TypeSchema::Embedded(schema) if both(tag::DOCUMENT, old, new) => {
                    return self.embedded(place, schema().fields, old, new);
                }
                TypeSchema::Map(inner) if both(tag::DOCUMENT, old, new) && keys_are_paths(old)? => {
                    return self.map(place, inner, old, new);
                }
                TypeSchema::Array(inner) if both(tag::ARRAY, old, new) => {
                    return self.array(place, inner, old, new);
                }
                _ => {}
            }
        }
        self.found.push(Difference {
            path: place.path.clone(),
            field: place.field,
            redacted: place.redacted || shows_secrets(ty),
            before,
            after: after.map(Value::Raw),
        });
        Ok(())
    }

    fn embedded(
        &mut self,
        place: &Place,
        fields: &'static [FieldSchema],
        before: RawValue<'a>,
        after: RawValue<'a>,
    ) -> Result<()> {
        let (before, after) = (entries(before.bytes)?, entries(after.bytes)?);
        for field in fields {
            let below = place.below(field.stored, field.hidden);
            self.value(
                &below,
                &field.ty,
                get(&before, field.stored),
                get(&after, field.stored),
            )?;
        }
        Ok(())
    }

    fn map(
        &mut self,
        place: &Place,
        ty: &TypeSchema,
        before: RawValue<'a>,
        after: RawValue<'a>,
    ) -> Result<()> {
        let (before, after) = (entries(before.bytes)?, entries(after.bytes)?);
        for (key, value) in &before {
            self.value(&place.below(key, false), ty, Some(*value), get(&after, key))?;
        }
        for (key, value) in after.iter().filter(|(key, _)| get(&before, key).is_none()) {
            self.value(&place.below(key, false), ty, None, Some(*value))?;
        }
        Ok(())
    }

    /// Arrays of one length are compared element by element; others are set whole, with equal elements as stored, so
    /// that what other writers put into an element is not lost.
    fn array(
        &mut self,
        place: &Place,
        ty: &TypeSchema,
        before: RawValue<'a>,
        after: RawValue<'a>,
    ) -> Result<()> {
        let (old, new) = (entries(before.bytes)?, entries(after.bytes)?);
        if old.len() == new.len() && ty.embedded().is_some() {
            for ((index, old), (_, new)) in old.iter().zip(&new) {
                self.value(&place.below(index, false), ty, Some(*old), Some(*new))?;
            }
            return Ok(());
        }
        let mut spare: Vec<_> = old.iter().map(|(_, value)| *value).collect();
        let mut out = Writer::new();
        for (index, value) in &new {
            let stored = spare.iter().position(|stored| same(ty, *stored, *value));
            let value = stored.map_or(*value, |position| spare.swap_remove(position));
            out.raw(index, value.tag, value.bytes);
        }
        self.found.push(Difference {
            path: place.path.clone(),
            field: place.field,
            redacted: place.redacted || shows_secrets(ty),
            before: Some(before),
            after: Some(Value::Merged(out.finish()?)),
        });
        Ok(())
    }
}

/// Whether the audit log must not repeat values of this type: a secret or hidden field lies in it.
fn shows_secrets(ty: &TypeSchema) -> bool {
    match ty {
        TypeSchema::Optional(inner) | TypeSchema::Array(inner) | TypeSchema::Map(inner) => {
            shows_secrets(inner)
        }
        TypeSchema::Embedded(_) | TypeSchema::Enum(_) => ty.has_secret_parts(),
        other => other.is_secret(),
    }
}

fn both(tag: u8, a: RawValue<'_>, b: RawValue<'_>) -> bool {
    a.tag == tag && b.tag == tag
}

/// Whether every key of a stored map can be part of a dotted path. Other writers may have stored any key.
fn keys_are_paths(map: RawValue<'_>) -> Result<bool> {
    let fits = |key: &str| !key.is_empty() && !key.starts_with('$') && !key.contains('.');
    Ok(entries(map.bytes)?.iter().all(|(key, _)| fits(key)))
}

/// Null is how other writers store absence.
fn same_option(ty: &TypeSchema, a: Option<RawValue<'_>>, b: Option<RawValue<'_>>) -> bool {
    let present = |value: Option<RawValue<'_>>| !value.is_none_or(RawValue::is_null);
    match (a, b) {
        (Some(a), Some(b)) => same(ty, a, b),
        (a, b) => !present(a) && !present(b),
    }
}

/// Whether a stored value and an encoded one mean the same, although another writer may have chosen another number
/// type, another order of keys, or keys of its own.
fn same(ty: &TypeSchema, stored: RawValue<'_>, encoded: RawValue<'_>) -> bool {
    if stored.tag == encoded.tag && stored.bytes == encoded.bytes {
        return true;
    }
    match ty.required() {
        TypeSchema::Int32 | TypeSchema::Int64 | TypeSchema::Revision => {
            matches!((stored.i64(), encoded.i64()), (Ok(a), Ok(b)) if a == b)
        }
        #[allow(clippy::float_cmp)] // the same number, or not
        TypeSchema::Double => matches!((stored.f64(), encoded.f64()), (Ok(a), Ok(b)) if a == b),
        TypeSchema::Embedded(schema) if both(tag::DOCUMENT, stored, encoded) => {
            same_fields(schema().fields, stored.bytes, encoded.bytes)
        }
        TypeSchema::Array(inner) if both(tag::ARRAY, stored, encoded) => {
            same_entries(inner, stored.bytes, encoded.bytes, true)
        }
        TypeSchema::Map(inner) if both(tag::DOCUMENT, stored, encoded) => {
            same_entries(inner, stored.bytes, encoded.bytes, false)
        }
        _ => false,
    }
}

fn same_fields(fields: &'static [FieldSchema], stored: &[u8], encoded: &[u8]) -> bool {
    let (Ok(stored), Ok(encoded)) = (entries(stored), entries(encoded)) else {
        return false;
    };
    fields
        .iter()
        .all(|field| same_option(&field.ty, get(&stored, field.stored), get(&encoded, field.stored)))
}

fn same_entries(ty: &TypeSchema, stored: &[u8], encoded: &[u8], ordered: bool) -> bool {
    let (Ok(stored), Ok(encoded)) = (entries(stored), entries(encoded)) else {
        return false;
    };
    stored.len() == encoded.len()
        && encoded.iter().enumerate().all(|(position, (key, value))| {
            let other = if ordered {
                stored.get(position).map(|(_, value)| *value)
            } else {
                get(&stored, key)
            };
            other.is_some_and(|other| same(ty, other, *value))
        })
}
