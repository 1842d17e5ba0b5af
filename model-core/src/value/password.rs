//! A password, stored as its hash.

use std::borrow::Cow;
use std::fmt;

use bson::{Binary, Bson};
use serde_json::Value;

use super::encrypted::Hidden;
use super::sealed::{SUBTYPE, Sealed, open_value, origin, seal_value};
use super::secret::OpenSecrets;
use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, Visitor, Writer, tag,
};
use crate::crypto::NewPassword;
use crate::error::Error;
use crate::schema::TypeSchema;

/// The hash of a password: Argon2id (RFC 9106) as a PHC string, sealed where the database handle has a keyring.
///
/// It is given as a [`NewPassword`], which the write hashes; it is verified through the context. It has no view, no
/// comparison and no text form.
#[derive(Clone)]
pub struct PasswordHash(State);

#[derive(Clone)]
enum State {
    /// Given by the caller, hashed by the next write.
    Pending(NewPassword),
    /// Hashed, not yet stored.
    Hashed(String),
    /// Stored as a plain PHC string: there was no keyring. With what it would be bound to.
    Plain(String, Box<[u8]>),
    /// Stored sealed.
    Sealed(Sealed),
}

impl PasswordHash {
    /// The PHC string; none while the password is not hashed yet.
    pub(crate) async fn phc(&self, keys: &impl OpenSecrets) -> Result<Option<String>, Error> {
        match &self.0 {
            State::Pending(_) => Ok(None),
            State::Hashed(phc) | State::Plain(phc, _) => Ok(Some(phc.clone())),
            State::Sealed(sealed) => open_value(&sealed.open(keys).await?).map(Some),
        }
    }

    /// What it is bound to, and the value as it is stored; none if it is not stored yet.
    pub(crate) fn stored(&self) -> Option<(Cow<'_, [u8]>, Bson)> {
        match &self.0 {
            State::Pending(_) | State::Hashed(_) => None,
            State::Plain(phc, origin) => Some((Cow::Borrowed(origin), Bson::String(phc.clone()))),
            State::Sealed(sealed) => {
                let stored = Binary {
                    subtype: SUBTYPE.into(),
                    bytes: sealed.envelope().to_vec(),
                };
                Some((
                    Cow::Owned(sealed.origin().unwrap_or_default()),
                    Bson::Binary(stored),
                ))
            }
        }
    }
}

impl From<NewPassword> for PasswordHash {
    fn from(password: NewPassword) -> Self {
        Self(State::Pending(password))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([REDACTED])")
    }
}

impl FieldValue for PasswordHash {
    const TYPE: TypeSchema = TypeSchema::PasswordHash;
    type Input = NewPassword;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Hidden;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.inexact();
        match &self.0 {
            State::Pending(_) => out.reject(key, "password", "was not hashed"),
            State::Hashed(phc) if out.can_seal() => seal_value(phc, out, key),
            State::Hashed(phc) | State::Plain(phc, _) => out.string(key, phc),
            State::Sealed(sealed) => sealed.write(out, key),
        }
    }

    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        if value.tag == tag::STRING {
            // In an element without an id it is bound to nothing.
            let origin = origin(cx).ok().flatten().unwrap_or_default();
            return value
                .str()
                .map(|phc| Self(State::Plain(phc.to_owned(), origin.into())));
        }
        Sealed::read(value, cx).map(|sealed| Self(State::Sealed(sealed)))
    }

    fn visit(&mut self, _: Constraints, visitor: &mut Visitor<'_>) {
        if let State::Pending(pending) = &self.0
            && let Some(phc) = visitor.password(pending)
        {
            self.0 = State::Hashed(phc);
        }
    }

    fn from_input(input: NewPassword) -> Self {
        input.into()
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<NewPassword> {
        match value {
            Value::String(text) => match NewPassword::new(text) {
                Ok(password) => Some(password),
                Err(error) => {
                    cx.reject("password", error.to_string());
                    None
                }
            },
            other => cx.wrong_type("a string", &other),
        }
    }

    fn into_view(self) -> Hidden {
        Hidden
    }
}
