//! A field that is encrypted at rest.

use std::fmt;

use serde_json::Value;

use super::old::{self, Before, Legacy, Old};
use super::secret::{OpenSecrets, Secret};
use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Visitor,
    Writer, tag,
};
use crate::crypto::{self, Origin};
use crate::error::{Error, ErrorKind};
use crate::schema::TypeSchema;

/// The BSON binary subtype of envelopes: "sensitive".
pub(super) const SUBTYPE: u8 = 8;

/// A value of type `T` that is sealed in storage, bound to its collection, tenant, document and path.
///
/// A read checks only the shape of the envelope; [`reveal`](Self::reveal) opens it. No view shows it, and no filter,
/// sort or index reaches it.
pub struct Encrypted<T: FieldValue>(State<T>);

enum State<T: FieldValue> {
    /// Given by the caller, sealed by the next write.
    Plain(Secret<T>),
    /// As stored.
    Sealed(Sealed),
    /// Stored in the clear, before the field was encrypted: sealed by the next write.
    Legacy(Secret<T>, Legacy),
    /// Stored as another system encrypted it: sealed by the next write.
    Old(Old),
}

/// An envelope and what it is bound to.
#[derive(Clone)]
pub(super) struct Sealed {
    /// The length of the origin, the origin, the envelope: one allocation, since most reads never open it.
    bytes: Box<[u8]>,
    origin: usize,
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
        let mut bytes = Vec::with_capacity(160 + envelope.len());
        if !write_origin(cx, &mut bytes)? {
            return Err(DecodeError::new(
                "a sealed value is read without its document's identity",
            ));
        }
        let origin = bytes.len();
        bytes.extend_from_slice(envelope);
        Ok(Self {
            bytes: bytes.into(),
            origin,
        })
    }

    /// What it is bound to, and the envelope.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at_checked(self.origin).unwrap_or_default()
    }

    /// Writes the envelope as it is, if it belongs where it is written.
    pub(super) fn write(&self, out: &mut Writer<'_>, key: &str) {
        let (origin, envelope) = self.parts();
        match out.origin(key) {
            // Noted already.
            None if out.can_seal() => {}
            Some(here) if here != origin => {
                out.reject(
                    key,
                    "sealed",
                    "was sealed for another document or field: reveal it and set it anew",
                );
            }
            _ => out.binary(key, SUBTYPE, envelope),
        }
    }

    pub(super) async fn open(&self, keys: &impl OpenSecrets) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
        let (origin, envelope) = self.parts();
        keys.open_sealed(origin, envelope).await
    }
}

/// Writes what a value that stands here is bound to; false if its document is not known.
pub(super) fn write_origin(cx: &DecodeCx<'_>, out: &mut Vec<u8>) -> Result<bool, DecodeError> {
    let Some(doc) = cx.doc() else { return Ok(false) };
    let place = cx.place()?;
    let (tag, id) = place.bound_id(doc.id);
    Origin {
        collection: doc.collection,
        path: &place.path,
        tenant: doc.tenant,
        id: (tag, &id),
    }
    .encode_into(out);
    Ok(true)
}

/// Seals `value` as the document `{v: value}`, which keeps its BSON type.
pub(super) fn seal_value<T: FieldValue>(value: &T, out: &mut Writer<'_>, key: &str) {
    let mut plain = Writer::new();
    value.encode_item(&mut plain, "v");
    match plain.finish() {
        Ok(plain) => {
            let plain = zeroize::Zeroizing::new(plain);
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

impl<T: FieldValue> Encrypted<T> {
    /// A value that the next write seals.
    pub fn new(secret: impl Into<Secret<T>>) -> Self {
        Self(State::Plain(secret.into()))
    }

    /// Opens the value.
    ///
    /// # Errors
    /// [`Crypto`](ErrorKind::Crypto): the key is unknown, disabled, destroyed or of another tenant, or the stored bytes
    /// were tampered with.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let mut new = note("Alarm");
    /// new.optional.pin = Some(Secret::from("4242"));
    /// let created = Note::create(&ctx, new).await?;
    /// let pin = created.pin.as_ref().unwrap().reveal(&ctx).await?;
    /// assert_eq!(pin.expose(), "4242");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reveal(&self, ctx: &impl OpenSecrets) -> Result<Secret<T>, Error>
    where
        T: Clone,
    {
        match &self.0 {
            State::Plain(secret) | State::Legacy(secret, _) => Ok(secret.clone()),
            State::Sealed(sealed) => open_value(&sealed.open(ctx).await?).map(Secret::new),
            State::Old(old) => old.value(ctx.open_old(old.format, &old.text)).map(Secret::new),
        }
    }
}

impl<T: FieldValue> From<Secret<T>> for Encrypted<T> {
    fn from(secret: Secret<T>) -> Self {
        Self(State::Plain(secret))
    }
}

impl<T: FieldValue + Clone> Clone for Encrypted<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            State::Plain(secret) => State::Plain(secret.clone()),
            State::Sealed(sealed) => State::Sealed(sealed.clone()),
            State::Legacy(secret, stored) => State::Legacy(secret.clone(), stored.clone()),
            State::Old(old) => State::Old(old.clone()),
        })
    }
}

impl<T: FieldValue> fmt::Debug for Encrypted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[ENCRYPTED]")
    }
}

impl<T: FieldValue + Clone> FieldValue for Encrypted<T> {
    const TYPE: TypeSchema = TypeSchema::Encrypted(&T::TYPE);
    type Input = Secret<T>;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Hidden;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.inexact();
        match &self.0 {
            State::Plain(secret) => seal_value(secret.expose(), out, key),
            State::Sealed(sealed) => sealed.write(out, key),
            State::Legacy(secret, _) if out.can_seal() => seal_value(secret.expose(), out, key),
            State::Legacy(_, stored) => out.raw(key, stored.tag, &stored.bytes),
            State::Old(old) => {
                let opened = out
                    .open_old(old.format, &old.text)
                    .map(|opened| old.value::<T>(opened));
                match opened {
                    Some(Ok(value)) => seal_value(Secret::new(value).expose(), out, key),
                    // The write is about something else, and the reader of the value will be told.
                    Some(Err(_)) | None => out.string(key, &old.text),
                }
            }
        }
    }

    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        match old::read(value, cx)? {
            Some(Before::Plain(secret, stored)) => return Ok(Self(State::Legacy(secret, stored))),
            Some(Before::Old(old)) => return Ok(Self(State::Old(old))),
            None => {}
        }
        Sealed::read(value, cx).map(|sealed| Self(State::Sealed(sealed)))
    }

    /// Rules hold for what is about to be sealed; what is sealed already was checked when it came.
    fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
        if let State::Plain(secret) = &mut self.0 {
            secret.expose_mut().visit(constraints, visitor);
        }
    }

    fn from_input(input: Secret<T>) -> Self {
        input.into()
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Secret<T>> {
        T::parse(value, cx).map(|input| Secret::new(T::from_input(input)))
    }

    fn into_view(self) -> Hidden {
        Hidden
    }
}

/// What a view shows of a secret: no key at all.
#[derive(Debug, Clone, Copy)]
pub struct Hidden;

impl serde::Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl ViewValue for Hidden {
    fn is_absent(&self) -> bool {
        true
    }
}
