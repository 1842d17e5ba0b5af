//! The sealed values of a stored document, found by its schema.

use super::keys::keyring;
use crate::codec::{
    DecodeError, DocOrigin, Elements, Place, RawValue, Typed, element_id, key_id, old_value, plaintext, tag,
};
use crate::crypto::{CryptoError, KeyId, Plaintext, shape};
use crate::engine::ports::Ports;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{FieldSchema, ModelSchema, Term, TypeSchema};

/// A value that is sealed, or should be.
pub(in crate::engine) struct Found<'a> {
    /// The stored path, dotted, with the positions in arrays.
    pub(in crate::engine) path: String,
    /// What it is bound to.
    place: Place<'static>,
    pub(in crate::engine) ty: &'static TypeSchema,
    pub(in crate::engine) value: RawValue<'a>,
}

impl<'a> Found<'a> {
    /// What the envelope is bound to, in the document that it was found in.
    pub(in crate::engine) fn origin(&self, document: DocOrigin<'_>) -> Vec<u8> {
        let (tag, id) = self.place.bound_id(document.id);
        document.bind(&self.place.path, (tag, &id))
    }

    /// What stands there in the place of an envelope, as `{v: value}`, where reads take it: plaintext and old formats as
    /// the field declares them, and a hash from before there was a keyring. So to seal it vouches for nothing that was
    /// not before; other plaintext may be planted.
    ///
    /// # Errors
    /// Its time has ended, or it does not open.
    pub(in crate::engine) fn before(&self, schema: &ModelSchema, ports: &Ports) -> Result<Option<Plaintext>> {
        if matches!(self.ty, TypeSchema::PasswordHash) {
            return (self.value.tag == tag::STRING)
                .then(|| self.wrapped())
                .transpose();
        }
        let Some(field) = self.field(schema).filter(|_| self.value.tag != tag::BINARY) else {
            return Ok(None);
        };
        let check = |term: Term| {
            if term.is_over(ports.now()) {
                Err(Error::new(ErrorKind::Decode, term.ended()))
            } else {
                Ok(())
            }
        };
        if let (Some(old), tag::STRING) = (field.old_format, self.value.tag) {
            check(old.term)?;
            let text = self.value.str().map_err(DecodeError::into_error)?;
            if let Some(text) = keyring(ports)?.open_old(old.name, text)? {
                let no_json = || Error::new(ErrorKind::Decode, "the value of an old format is no JSON");
                let TypeSchema::Encrypted(ty) = self.ty else {
                    return Ok(None);
                };
                return old_value(ty, &text).map(Some).ok_or_else(no_json);
            }
        }
        match field.legacy_plaintext {
            Some(term) => check(term).and_then(|()| self.wrapped().map(Some)),
            None => Ok(None),
        }
    }

    /// Whether another system may have encrypted it: a text, where the field takes that.
    pub(in crate::engine) fn is_old(&self, schema: &ModelSchema, ports: &Ports) -> bool {
        let format = self.field(schema).and_then(|field| field.old_format);
        let decoder = format.zip(ports.keyring.as_ref());
        let decoder = decoder.and_then(|(old, keyring)| keyring.old_format(old.name));
        let text = (self.value.tag == tag::STRING).then(|| self.value.str().ok());
        decoder.is_some_and(|decoder| text.flatten().is_some_and(|text| decoder.is(text)))
    }

    fn wrapped(&self) -> Result<Plaintext> {
        plaintext(|plain, v| plain.raw(v, self.value.tag, self.value.bytes))
    }

    /// The field that it is a value of.
    pub(in crate::engine) fn field(&self, schema: &ModelSchema) -> Option<&'static FieldSchema> {
        schema.field_at(&self.place.path)
    }

    /// The envelope and the id of its key; none if the value is in the clear.
    ///
    /// # Errors
    /// The shape of the envelope is wrong.
    pub(in crate::engine) fn envelope(&self) -> Option<Result<(KeyId, &'a [u8]), CryptoError>> {
        if self.value.tag != tag::BINARY {
            return None;
        }
        let (_, envelope) = self.value.binary().ok()?;
        Some(shape(envelope).map(|id| (id, envelope)))
    }
}

/// The values of a document that are sealed, or should be.
pub(in crate::engine) fn sealed<'a>(
    schema: &'static ModelSchema,
    document: &'a [u8],
) -> Result<Vec<Found<'a>>> {
    let mut walk = Walk {
        path: Vec::new(),
        bound: Vec::new(),
        elements: Vec::new(),
        found: Vec::new(),
    };
    if schema.has_encrypted() {
        walk.fields(schema.fields, document)
            .map_err(DecodeError::into_error)?;
    }
    Ok(walk.found)
}

struct Walk<'a> {
    path: Vec<&'a str>,
    /// The path with `[]` and `{}`.
    bound: Vec<&'a str>,
    elements: Vec<Typed<'static>>,
    found: Vec<Found<'a>>,
}

impl<'a> Walk<'a> {
    fn fields(&mut self, fields: &'static [FieldSchema], document: &'a [u8]) -> Result<(), DecodeError> {
        let mut elements = Elements::new(document)?;
        while let Some((key, value)) = elements.next()? {
            if let Some(field) = fields.iter().find(|field| field.stored == key) {
                self.step(key, key, None, &field.ty, value)?;
            }
        }
        Ok(())
    }

    /// One step down: into a field, or into an element with its id.
    fn step(
        &mut self,
        key: &'a str,
        bound: &'a str,
        element: Option<Typed<'static>>,
        ty: &'static TypeSchema,
        value: RawValue<'a>,
    ) -> Result<(), DecodeError> {
        let depth = self.elements.len();
        self.path.push(key);
        self.bound.push(bound);
        self.elements.extend(element);
        let done = self.value(ty.required(), value);
        self.elements.truncate(depth);
        self.bound.pop();
        self.path.pop();
        done
    }

    fn value(&mut self, ty: &'static TypeSchema, value: RawValue<'a>) -> Result<(), DecodeError> {
        match ty {
            _ if value.is_null() => {}
            TypeSchema::Encrypted(_) | TypeSchema::PasswordHash => self.found.push(Found {
                path: self.path.join("."),
                place: Place {
                    path: self.bound.join("."),
                    elements: self.elements.clone(),
                },
                ty,
                value,
            }),
            TypeSchema::Embedded(schema) if value.tag == tag::DOCUMENT => {
                self.fields(schema().fields, value.bytes)?;
            }
            TypeSchema::Array(inner) if value.tag == tag::ARRAY && inner.has_encrypted() => {
                let mut items = value.array()?;
                while let Some((index, item)) = items.next()? {
                    let first = item.document().and_then(|mut fields| fields.next());
                    // An element without an id holds no value that this crate has sealed.
                    if let Some(id) = element_id(first.ok().flatten()) {
                        self.step(index, "[]", Some(id), inner, item)?;
                    }
                }
            }
            TypeSchema::Map(inner) if value.tag == tag::DOCUMENT && inner.has_encrypted() => {
                let mut entries = value.document()?;
                while let Some((key, item)) = entries.next()? {
                    self.step(key, "{}", Some(key_id(key)), inner, item)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
