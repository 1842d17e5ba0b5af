//! What differs between a document before and after, path by path.

mod fields;
mod variants;

use std::borrow::Cow;

use bson::Bson;

use self::fields::Unlike;
use self::variants::{Whole, fields_of};
use crate::codec::{DecodeError, Elements, RawValue, Writer, read_bson, tag};
use crate::error::{Error, Result};
use crate::schema::{FieldRole, FieldSchema, TypeSchema};
use crate::value::bad_map_key;

/// A path whose value differs. Values are borrowed from the two documents, but for arrays that were merged.
#[derive(Debug)]
pub(in crate::engine) struct Difference<'a> {
    /// The stored path, dotted.
    pub(in crate::engine) path: Cow<'static, str>,
    /// The field at the top level that it lies in.
    pub(in crate::engine) field: &'static FieldSchema,
    /// Whether the values are to be kept out of the audit log.
    pub(in crate::engine) redacted: bool,
    /// Whether a field on the way to it is set at create only. An element of an array is a value of its own: where
    /// elements come and go, nothing tells which is which.
    pub(in crate::engine) readonly: bool,
    pub(in crate::engine) before: Option<RawValue<'a>>,
    pub(in crate::engine) after: Option<Value<'a>>,
}

/// A value of the document that is to become.
#[derive(Debug)]
pub(in crate::engine) enum Value<'a> {
    Raw(RawValue<'a>),
    /// An array in which equal elements keep their stored form.
    Merged(Vec<u8>),
}

impl Value<'_> {
    pub(in crate::engine) fn raw(&self) -> RawValue<'_> {
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
pub(in crate::engine) fn to_bson(value: Option<RawValue<'_>>) -> Option<Bson> {
    value.and_then(|value| read_bson(value).ok())
}

type Entries<'a> = Vec<(&'a str, RawValue<'a>)>;

fn entries(document: &[u8]) -> Result<Entries<'_>> {
    let mut elements = Elements::new(document).map_err(DecodeError::into_error)?;
    let mut entries = Vec::with_capacity(16);
    while let Some(entry) = elements.next().map_err(DecodeError::into_error)? {
        entries.push(entry);
    }
    Ok(entries)
}

/// The value of `key`, which stands at `index` in a document that is complete and in the order of its fields.
fn get<'a>(entries: &Entries<'a>, key: &str, index: usize) -> Option<RawValue<'a>> {
    let named = |(name, _): &&(&str, RawValue<'a>)| *name == key;
    entries
        .get(index)
        .filter(named)
        .or_else(|| entries.iter().find(named))
        .map(|(_, value)| *value)
}

/// An empty document: what is before a create, and after a delete.
pub(in crate::engine) const EMPTY: &[u8] = &[5, 0, 0, 0, 0];

/// The differences in the declared fields. Fields that no schema knows are nobody's business: they stay.
///
/// `before` and `after` are both written by this crate, so equal values have equal bytes. `stored` is the document as it
/// lies in the store, which another writer may have written in its own way: what is not changed is left in that form,
/// the elements of a changed array too.
pub(in crate::engine) fn diff<'a>(
    schema: &'static [FieldSchema],
    stored: &'a [u8],
    before: &'a [u8],
    after: &'a [u8],
) -> Result<Vec<Difference<'a>>> {
    let mut walk = Walk { found: Vec::new() };
    // Read when a value has parts that may stay as they are.
    let mut as_stored = None;
    for Unlike { index, before, after } in fields::unlike(schema, before, after)? {
        let Some(field) = schema.get(index) else { continue };
        // The revision differs by nature: the pipeline itself moves it.
        if field.role == FieldRole::Revision {
            continue;
        }
        let stored = match (&mut as_stored, has_parts(&field.ty)) {
            (_, false) => None,
            (Some(stored), true) => fields::value(stored, index),
            (none, true) => fields::value(none.insert(fields::by_field(schema, stored)?), index),
        };
        let place = Place::top(field);
        let sides = Sides {
            stored,
            before,
            after,
        };
        walk.value(&place, &field.ty, sides)?;
    }
    if schema.iter().any(|field| field.ty.flat_key().is_some()) {
        walk.flat(None, schema, &Whole::of(stored, before, after)?)?;
    }
    Ok(walk.found)
}

/// One value in the three documents.
#[derive(Clone, Copy)]
struct Sides<'a> {
    stored: Option<RawValue<'a>>,
    before: Option<RawValue<'a>>,
    after: Option<RawValue<'a>>,
}

struct Place {
    field: &'static FieldSchema,
    redacted: bool,
    readonly: bool,
    /// Inside an element of an array or map, where nothing is set once and for all.
    element: bool,
    path: Cow<'static, str>,
}

impl Place {
    fn top(field: &'static FieldSchema) -> Self {
        Self {
            field,
            redacted: withheld(field),
            readonly: field.readonly,
            element: false,
            path: Cow::Borrowed(field.stored),
        }
    }

    fn below(&self, key: &str, field: Option<&FieldSchema>) -> Self {
        Self {
            field: self.field,
            redacted: self.redacted || field.is_some_and(withheld),
            readonly: self.readonly || (!self.element && field.is_some_and(|field| field.readonly)),
            element: self.element || field.is_none(),
            path: format!("{}.{key}", self.path).into(),
        }
    }
}

/// Whether its values are not to be repeated. Those of personal data would outlive an erasure.
fn withheld(field: &FieldSchema) -> bool {
    field.hidden || field.pii.is_some()
}

struct Walk<'a> {
    found: Vec<Difference<'a>>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, place: &Place, ty: &TypeSchema, sides: Sides<'a>) -> Result<()> {
        let Sides {
            stored,
            before,
            after,
        } = sides;
        let foreign = matches!(ty.required(), TypeSchema::Foreign);
        if equal(before, after) || (foreign && equal_in_any_order(before, after)) {
            return Ok(());
        }
        if let (Some(old), Some(new)) = (before, after) {
            match ty.required() {
                TypeSchema::Embedded(schema) if both(tag::DOCUMENT, old, new) => {
                    return self.embedded(place, schema().fields, stored, old, new);
                }
                TypeSchema::Enum(schema) if both(tag::DOCUMENT, old, new) => {
                    let names = (entries(old.bytes)?, entries(new.bytes)?);
                    let (old_name, new_name) =
                        (get(&names.0, schema().tag, 0), get(&names.1, schema().tag, 0));
                    if equal(old_name, new_name) {
                        let fields = fields_of(schema(), new_name);
                        return self.embedded(place, fields, stored, old, new);
                    }
                }
                TypeSchema::Map(inner) if both(tag::DOCUMENT, old, new) && keys_are_paths(old)? => {
                    return self.map(place, inner, stored, old, new);
                }
                TypeSchema::Array(inner) if both(tag::ARRAY, old, new) => {
                    return self.array(place, inner, stored, old, new);
                }
                _ => {}
            }
        }
        if let (TypeSchema::Map(_), Some(new)) = (ty.required(), after) {
            new_keys(place, before, new)?;
        }
        self.note(place, ty, before, after.map(Value::Raw));
        Ok(())
    }

    fn note(
        &mut self,
        place: &Place,
        ty: &TypeSchema,
        before: Option<RawValue<'a>>,
        after: Option<Value<'a>>,
    ) {
        let takes_away = before.is_some() && after.is_none() && !place.element && has_readonly(ty);
        self.found.push(Difference {
            path: place.path.clone(),
            field: place.field,
            redacted: place.redacted || shows_secrets(ty),
            readonly: place.readonly || takes_away,
            before,
            after,
        });
    }

    fn embedded(
        &mut self,
        place: &Place,
        fields: &'static [FieldSchema],
        stored: Option<RawValue<'a>>,
        before: RawValue<'a>,
        after: RawValue<'a>,
    ) -> Result<()> {
        let whole = Whole {
            stored: inner(stored)?,
            before: entries(before.bytes)?,
            after: entries(after.bytes)?,
        };
        for (index, field) in fields.iter().enumerate() {
            let key = field.stored;
            self.value(&place.below(key, Some(field)), &field.ty, whole.sides(key, index))?;
        }
        self.flat(Some(place), fields, &whole)
    }

    /// Key by key.
    fn map(
        &mut self,
        place: &Place,
        ty: &TypeSchema,
        stored: Option<RawValue<'a>>,
        before: RawValue<'a>,
        after: RawValue<'a>,
    ) -> Result<()> {
        let (stored, before, after) = (inner(stored)?, entries(before.bytes)?, entries(after.bytes)?);
        for (index, (key, old)) in before.iter().enumerate() {
            let sides = Sides {
                stored: get(&stored, key, index),
                before: Some(*old),
                after: get(&after, key, index),
            };
            self.value(&place.below(key, None), ty, sides)?;
        }
        for (key, new) in after.iter().filter(|(key, _)| get(&before, key, 0).is_none()) {
            check_key(place, key)?;
            self.note(&place.below(key, None), ty, None, Some(Value::Raw(*new)));
        }
        Ok(())
    }

    /// Arrays of one length are compared element by element; others are set whole, with equal elements as stored, so
    /// that what other writers put into an element is not lost.
    fn array(
        &mut self,
        place: &Place,
        ty: &TypeSchema,
        stored: Option<RawValue<'a>>,
        before: RawValue<'a>,
        after: RawValue<'a>,
    ) -> Result<()> {
        let (kept, old, new) = (inner(stored)?, entries(before.bytes)?, entries(after.bytes)?);
        if old.len() == new.len() && ty.embedded().is_some() {
            for (position, ((index, old), (_, new))) in old.iter().zip(&new).enumerate() {
                let stored = kept.get(position).map(|(_, value)| *value);
                let sides = Sides {
                    stored,
                    before: Some(*old),
                    after: Some(*new),
                };
                self.value(&place.below(index, None), ty, sides)?;
            }
            return Ok(());
        }
        let mut spare: Vec<_> = old
            .iter()
            .zip(&kept)
            .map(|((_, old), (_, kept))| (*old, *kept))
            .collect();
        let mut out = Writer::new();
        for (index, value) in &new {
            let same = spare.iter().position(|(old, _)| equal(Some(*old), Some(*value)));
            let value = same.map_or(*value, |position| spare.swap_remove(position).1);
            out.raw(index, value.tag, value.bytes);
        }
        let merged = Value::Merged(out.finish()?);
        self.note(place, ty, Some(before), Some(merged));
        Ok(())
    }
}

/// Whether a value of this type is compared part by part.
fn has_parts(ty: &TypeSchema) -> bool {
    matches!(
        ty.required(),
        TypeSchema::Embedded(_) | TypeSchema::Enum(_) | TypeSchema::Map(_) | TypeSchema::Array(_)
    )
}

/// The entries of a stored document or array; none of what is stored as something else.
fn inner(stored: Option<RawValue<'_>>) -> Result<Entries<'_>> {
    match stored {
        Some(value) if matches!(value.tag, tag::DOCUMENT | tag::ARRAY) => entries(value.bytes),
        _ => Ok(Vec::new()),
    }
}

fn equal(a: Option<RawValue<'_>>, b: Option<RawValue<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.tag == b.tag && a.bytes == b.bytes,
        (None, None) => true,
        _ => false,
    }
}

/// A foreign type may hold a hash map, which writes itself in another order each time.
fn equal_in_any_order(a: Option<RawValue<'_>>, b: Option<RawValue<'_>>) -> bool {
    let (Some(a), Some(b)) = (a, b) else {
        return a.is_none() && b.is_none();
    };
    if a.tag != b.tag || !matches!(a.tag, tag::DOCUMENT | tag::ARRAY) {
        return equal(Some(a), Some(b));
    }
    let (Ok(a), Ok(b)) = (entries(a.bytes), entries(b.bytes)) else {
        return false;
    };
    a.len() == b.len()
        && a.iter()
            .all(|(key, value)| equal_in_any_order(Some(*value), get(&b, key, 0)))
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

/// Whether an embedded struct has a part that is set at create only.
fn has_readonly(ty: &TypeSchema) -> bool {
    ty.embedded().is_some_and(|schema| {
        schema
            .fields
            .iter()
            .any(|field| field.readonly || has_readonly(&field.ty))
    })
}

fn both(tag: u8, a: RawValue<'_>, b: RawValue<'_>) -> bool {
    a.tag == tag && b.tag == tag
}

/// Refuses the keys that are new in a map and cannot be keys. What another writer has stored already is kept.
fn new_keys(place: &Place, before: Option<RawValue<'_>>, after: RawValue<'_>) -> Result<()> {
    let before = match before {
        Some(before) if before.tag == tag::DOCUMENT => entries(before.bytes)?,
        _ => Vec::new(),
    };
    let after = entries(after.bytes)?;
    let mut new = after.iter().filter(|(key, _)| get(&before, key, 0).is_none());
    new.try_for_each(|(key, _)| check_key(place, key))
}

fn check_key(place: &Place, key: &str) -> Result<()> {
    match bad_map_key(key) {
        Some(problem) => Err(Error::violation(&*place.path, "key", problem)),
        None => Ok(()),
    }
}

/// Whether every key of a stored map can be part of a dotted path. Other writers may have stored any key.
fn keys_are_paths(map: RawValue<'_>) -> Result<bool> {
    let fits = |key: &str| !key.is_empty() && !key.starts_with('$') && !key.contains('.');
    Ok(entries(map.bytes)?.iter().all(|(key, _)| fits(key)))
}
