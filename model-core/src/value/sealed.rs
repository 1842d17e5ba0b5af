//! A sealed value as it is stored: kept, written back, and opened when somebody asks.

use std::sync::Arc;

use super::secret::OpenSecrets;
use crate::codec::{
    DecodeCx, DecodeError, DocOrigin, Elements, FieldValue, RawValue, Typed, Writer, plaintext, tag,
};
use crate::crypto::{self, Plaintext};
use crate::error::{Error, ErrorKind};
use crate::schema::ModelSchema;

/// The BSON binary subtype of envelopes: "sensitive".
pub(super) const SUBTYPE: u8 = 8;

/// An envelope and what it is bound to.
///
/// Most reads never open it, so it costs about what a binary value does: a small document is kept as it came, once for all of
/// its secrets, and its identity is looked for when one of them is opened.
#[derive(Clone)]
pub(super) struct Sealed {
    schema: &'static ModelSchema,
    bytes: Arc<[u8]>,
    /// How long the envelope is. A document has at most 16 MiB.
    length: u32,
    /// Where it stands in a document that is kept.
    start: u16,
    kept: Kept,
}

/// What the bytes are.
#[derive(Clone, Copy)]
enum Kept {
    /// The document.
    Document,
    /// The envelope, and then what it is bound to.
    Alone,
}

impl Sealed {
    pub(super) fn read(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        if value.tag != tag::BINARY {
            return Err(DecodeError::wrong_type(
                "a sealed value (binary), not plaintext",
                value.tag,
            ));
        }
        let (subtype, envelope) = value.binary()?;
        if subtype != SUBTYPE {
            return Err(DecodeError::new(
                "expected a sealed value (binary subtype 8), found another subtype",
            ));
        }
        crypto::shape(envelope).map_err(|error| DecodeError::new(error.to_string()))?;
        let Some(doc) = cx.doc() else {
            return Err(unknown());
        };
        let length = u32::try_from(envelope.len());
        let length = length.map_err(|_| DecodeError::new("the document is too large"))?;
        let schema = doc.schema;
        if cx.is_top_level()
            && let Some((bytes, start)) = doc.keep(envelope)
        {
            return Ok(Self {
                schema,
                bytes,
                length,
                start,
                kept: Kept::Document,
            });
        }
        let origin = origin(cx)?.unwrap_or_default();
        Ok(Self {
            schema,
            bytes: [envelope, &origin].concat().into(),
            length,
            start: 0,
            kept: Kept::Alone,
        })
    }

    /// The envelope.
    pub(super) fn envelope(&self) -> &[u8] {
        let start = usize::from(self.start);
        self.bytes.get(start..start + self.length()).unwrap_or_default()
    }

    fn length(&self) -> usize {
        usize::try_from(self.length).unwrap_or_default()
    }

    /// What it is bound to.
    pub(super) fn origin(&self) -> Result<Vec<u8>, DecodeError> {
        match self.kept {
            Kept::Document => {
                let doc = DocOrigin::of(self.schema, &self.bytes)?.ok_or_else(unknown)?;
                Ok(doc.bind(self.path()?, doc.id))
            }
            Kept::Alone => Ok(self.bytes.get(self.length()..).unwrap_or_default().to_vec()),
        }
    }

    /// The path, in a document that is kept: the key of the field that the envelope is the value of.
    fn path(&self) -> Result<&str, DecodeError> {
        let envelope = self.envelope().as_ptr_range();
        let mut fields = Elements::new(&self.bytes)?;
        while let Some((key, value)) = fields.next()? {
            if value.bytes.as_ptr_range().contains(&envelope.start) {
                return Ok(key);
            }
        }
        Err(unknown())
    }

    /// Writes the envelope as it is, if it belongs where it is written.
    pub(super) fn write(&self, out: &mut Writer<'_>, key: &str) {
        match out.origin(key) {
            // Noted already.
            None if out.can_seal() => {}
            Some(here) if !self.origin().is_ok_and(|origin| origin == here) => {
                out.reject(
                    key,
                    "sealed",
                    "was sealed for another document or field: reveal it and set it anew",
                );
            }
            _ => out.binary(key, SUBTYPE, self.envelope()),
        }
    }

    pub(super) async fn open(&self, keys: &impl OpenSecrets) -> Result<Plaintext, Error> {
        let origin = self.origin().map_err(DecodeError::into_error)?;
        keys.open_sealed(&origin, self.envelope()).await
    }
}

/// What a value that stands here is bound to; none if its document is not known.
pub(super) fn origin(cx: &DecodeCx<'_>) -> Result<Option<Vec<u8>>, DecodeError> {
    let Some(doc) = cx.doc() else { return Ok(None) };
    let doc = doc.origin()?.ok_or_else(unknown)?;
    let place = cx.place()?;
    let (tag, id): Typed<'_> = place.bound_id(doc.id);
    Ok(Some(doc.bind(&place.path, (tag, &id))))
}

fn unknown() -> DecodeError {
    DecodeError::new("a sealed value is read without its document's identity")
}

/// Seals `value` as the document `{v: value}`, which keeps its BSON type.
pub(super) fn seal_value<T: FieldValue>(value: &T, out: &mut Writer<'_>, key: &str) {
    match plaintext(|plain, v| value.encode_item(plain, v)) {
        Ok(plain) => {
            if let Some(envelope) = out.seal(key, &plain) {
                out.binary(key, SUBTYPE, &envelope);
            }
        }
        Err(_) => out.reject(key, "encrypted", "the value cannot be stored"),
    }
}

/// Reads the document `{v: value}` strictly: one key, nothing else. The cause is dropped, since it may tell of the value.
pub(super) fn open_value<T: FieldValue>(plain: &[u8]) -> Result<T, Error> {
    let failed = || {
        Error::new(
            ErrorKind::Crypto,
            "the sealed value is of another type than the field",
        )
    };
    let mut elements = Elements::new(plain).map_err(|_| failed())?;
    match (elements.next(), elements.next()) {
        (Ok(Some(("v", value))), Ok(None)) => T::decode(value, &DecodeCx::root(None)).map_err(|_| failed()),
        _ => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Encrypted, PasswordHash};

    /// A list of ten thousand documents is as large as their fields are.
    #[test]
    fn a_document_has_little_room_for_it() {
        assert!(size_of::<Encrypted<String>>() <= 32 && size_of::<PasswordHash>() <= 40);
    }
}
