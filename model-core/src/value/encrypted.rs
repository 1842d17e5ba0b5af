//! A field that is encrypted at rest.

use std::fmt;

use serde_json::Value;

use super::old::{self, Before, Legacy, Old};
use super::sealed::{Sealed, open_value, seal_value};
use super::secret::{OpenSecrets, Secret};
use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Visitor,
    Writer, tag,
};
use crate::error::Error;
use crate::schema::TypeSchema;

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
    /// Stored in the clear, before the field was encrypted: sealed by the next write. In a box, as the next: both are rare,
    /// and every document has the room of the largest.
    Legacy(Box<(Secret<T>, Legacy)>),
    /// Stored as another system encrypted it: sealed by the next write.
    Old(Box<Old>),
}

impl<T: FieldValue> Encrypted<T> {
    /// A value that the next write seals.
    pub fn new(secret: impl Into<Secret<T>>) -> Self {
        Self(State::Plain(secret.into()))
    }

    /// Opens the value.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto): the key is unknown, disabled, destroyed or of another tenant, or the stored bytes
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
            State::Plain(secret) => Ok(secret.clone()),
            State::Legacy(legacy) => Ok(legacy.0.clone()),
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
            State::Legacy(legacy) => State::Legacy(legacy.clone()),
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
    const INERT: bool = T::INERT;
    type Input = Secret<T>;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Hidden;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.inexact();
        match &self.0 {
            State::Plain(secret) => seal_value(secret.expose(), out, key),
            State::Sealed(sealed) => sealed.write(out, key),
            State::Legacy(legacy) if out.can_seal() => seal_value(legacy.0.expose(), out, key),
            State::Legacy(legacy) => out.raw(key, legacy.1.tag, &legacy.1.bytes),
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
        // A binary that does not open is never taken for what was before.
        if value.tag != tag::BINARY
            && let Some(before) = old::read(value, cx)?
        {
            return Ok(Self(match before {
                Before::Plain(secret, stored) => State::Legacy(Box::new((secret, stored))),
                Before::Old(old) => State::Old(Box::new(old)),
            }));
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
