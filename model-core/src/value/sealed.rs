//! A sealed value as it is stored: kept, written back, and opened when somebody asks.

use zeroize::Zeroizing;

use super::secret::OpenSecrets;
use crate::codec::{DecodeCx, DecodeError, DocOrigin, FieldValue, RawValue, Typed, Writer, tag};
use crate::crypto::{self, Origin};
use crate::error::{Error, ErrorKind};
use crate::schema::ModelSchema;

/// The BSON binary subtype of envelopes: "sensitive".
pub(super) const SUBTYPE: u8 = 8;

/// An envelope and what it is bound to.
///
/// Most reads never open it, so it costs what a binary value does: one allocation of the exact size. What all documents
/// of a model share is pointed to.
#[derive(Clone)]
pub(super) struct Sealed {
    schema: &'static ModelSchema,
    /// The path, of a field of the document's own.
    path: &'static str,
    /// The rest of the origin, then the envelope.
    bytes: Box<[u8]>,
    /// Where the envelope begins.
    envelope: u32,
    rest: Rest,
}

/// What of an origin stands in front of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Tenant and id: the path is static.
    Identity,
    /// All of it: the value stands inside of another, or in an element.
    Whole,
}

impl Sealed {
    pub(super) fn read(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let (subtype, envelope) = match value.tag {
            tag::BINARY => value.binary()?,
            other => {
                return Err(DecodeError::wrong_type(
                    "a sealed value (binary), not plaintext",
                    other,
                ));
            }
        };
        if subtype != SUBTYPE {
            return Err(DecodeError::new(
                "expected a sealed value (binary subtype 8), found another subtype",
            ));
        }
        crypto::shape(envelope).map_err(|error| DecodeError::new(error.to_string()))?;
        let Some(doc) = cx.doc() else {
            return Err(DecodeError::new(
                "a sealed value is read without its document's identity",
            ));
        };
        let (path, rest, mut bytes, start) = match cx.top_level() {
            Some(path) => {
                let origin = origin_at(doc, path, doc.id);
                let start = origin.identity_len();
                let mut bytes = Vec::with_capacity(start + envelope.len());
                origin.encode_identity_into(&mut bytes);
                (path, Rest::Identity, bytes, start)
            }
            None => {
                let mut bytes = origin(cx)?.unwrap_or_default();
                let start = bytes.len();
                bytes.reserve_exact(envelope.len());
                ("", Rest::Whole, bytes, start)
            }
        };
        bytes.extend_from_slice(envelope);
        Ok(Self {
            schema: doc.schema,
            path,
            bytes: bytes.into_boxed_slice(),
            // A document has at most 16 MiB.
            envelope: u32::try_from(start).unwrap_or(u32::MAX),
            rest,
        })
    }

    /// The envelope.
    pub(super) fn envelope(&self) -> &[u8] {
        self.parts().1
    }

    /// What it is bound to.
    pub(super) fn origin(&self) -> Vec<u8> {
        let (rest, _) = self.parts();
        match self.rest {
            Rest::Whole => rest.to_vec(),
            Rest::Identity => Origin::encode_around(self.schema.collection, self.path, rest),
        }
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        let at = usize::try_from(self.envelope).unwrap_or(usize::MAX);
        self.bytes.split_at_checked(at).unwrap_or_default()
    }

    /// Writes the envelope as it is, if it belongs where it is written.
    pub(super) fn write(&self, out: &mut Writer<'_>, key: &str) {
        match out.origin(key) {
            // Noted already.
            None if out.can_seal() => {}
            Some(here) if here != self.origin() => {
                out.reject(
                    key,
                    "sealed",
                    "was sealed for another document or field: reveal it and set it anew",
                );
            }
            _ => out.binary(key, SUBTYPE, self.envelope()),
        }
    }

    pub(super) async fn open(&self, keys: &impl OpenSecrets) -> Result<Zeroizing<Vec<u8>>, Error> {
        keys.open_sealed(&self.origin(), self.envelope()).await
    }
}

/// What a value that stands here is bound to; none if its document is not known.
pub(super) fn origin(cx: &DecodeCx<'_>) -> Result<Option<Vec<u8>>, DecodeError> {
    let Some(doc) = cx.doc() else { return Ok(None) };
    let place = cx.place()?;
    let (tag, id): Typed<'_> = place.bound_id(doc.id);
    Ok(Some(origin_at(doc, &place.path, (tag, &id)).encode()))
}

fn origin_at<'a>(doc: &DocOrigin<'a>, path: &'a str, id: (u8, &'a [u8])) -> Origin<'a> {
    Origin {
        collection: doc.schema.collection,
        path,
        tenant: doc.tenant,
        id,
    }
}

/// Seals `value` as the document `{v: value}`, which keeps its BSON type.
pub(super) fn seal_value<T: FieldValue>(value: &T, out: &mut Writer<'_>, key: &str) {
    let mut plain = Writer::new();
    value.encode_item(&mut plain, "v");
    match plain.finish() {
        Ok(plain) => {
            let plain = Zeroizing::new(plain);
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
    let mut elements = crate::codec::Elements::new(plain).map_err(|_| failed())?;
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
        assert!(size_of::<Encrypted<String>>() <= 48 && size_of::<PasswordHash>() <= 48);
    }
}
