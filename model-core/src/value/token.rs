//! Tokens that a service hands out, and what it keeps of them.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::encrypted::Hidden;
use super::sealed::SUBTYPE;
use super::secret::OpenSecrets;
use crate::codec::{DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, Writer, tag};
use crate::crypto::{CryptoError, TOKEN_LEN};
use crate::error::{Error, ErrorKind};
use crate::schema::TypeSchema;

/// A token in the clear: an API key, a session, a link in a mail. It has no text form, no comparison and no view;
/// [`expose`](Self::expose) shows it, which is done once, when it is handed out.
///
/// ```
/// use model_core::Token;
/// let token = Token::generate()?;
/// assert_eq!(token.expose().len(), 43);
/// assert_eq!(format!("{token:?}"), "Token([REDACTED])");
/// # Ok::<(), model_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new token: 256 random bits as 43 characters of URL-safe base64.
    ///
    /// # Errors
    /// [`Crypto`](ErrorKind::Crypto) if the operating system gives no randomness.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| Error::from(CryptoError::Rng))?;
        // Allocated once at its final size: growing would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(44));
        BASE64_URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        Ok(Self(text))
    }

    /// A token that somebody presents.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([REDACTED])")
    }
}

/// What is kept of a token: a keyed digest (HMAC-SHA256), by which the token is found again and from which nobody gets it
/// back, not even with the key.
///
/// It is made from a [`Token`] and found by one: `w.session.is(&presented)`; before the tenant is known, by
/// `w.session.lookup_token(&presented)` where the field is `unique(global)`. One key serves all tenants. No view shows it,
/// and no JSON input sets it.
#[derive(Clone)]
pub struct TokenDigest(State);

#[derive(Clone)]
enum State {
    /// Given by the caller, digested by the next write.
    Pending(Token),
    /// As stored, with the place that it was made for.
    Stored {
        collection: &'static str,
        path: Cow<'static, str>,
        digest: [u8; 1 + TOKEN_LEN],
    },
}

impl TokenDigest {
    /// Whether this is the digest of the token, in constant time.
    ///
    /// # Errors
    /// [`Crypto`](ErrorKind::Crypto): the key that the digest was made with is unknown, disabled or destroyed.
    pub async fn matches(&self, ctx: &impl OpenSecrets, token: &Token) -> Result<bool, Error> {
        match &self.0 {
            State::Pending(_) => Err(Error::new(
                ErrorKind::Invalid,
                "the token was not stored yet, so there is nothing to compare with",
            )),
            State::Stored {
                collection,
                path,
                digest,
            } => {
                ctx.is_token(collection, path, token.expose().as_bytes(), digest)
                    .await
            }
        }
    }
}

impl From<Token> for TokenDigest {
    fn from(token: Token) -> Self {
        Self(State::Pending(token))
    }
}

impl From<&Token> for TokenDigest {
    fn from(token: &Token) -> Self {
        token.clone().into()
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest([REDACTED])")
    }
}

impl FieldValue for TokenDigest {
    const TYPE: TypeSchema = TypeSchema::TokenDigest;
    type Input = Token;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Hidden;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.inexact();
        match &self.0 {
            State::Pending(token) => out.digest(key, SUBTYPE, token.expose().as_bytes()),
            State::Stored { digest, .. } => out.binary(key, SUBTYPE, digest),
        }
    }

    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        if value.tag != tag::BINARY {
            return Err(DecodeError::wrong_type(
                "the digest of a token (binary)",
                value.tag,
            ));
        }
        let (subtype, bytes) = value.binary()?;
        match (subtype, bytes.try_into(), cx.doc()) {
            (SUBTYPE, Ok(digest), Some(doc)) => Ok(Self(State::Stored {
                collection: doc.schema.collection,
                path: cx.path().into(),
                digest,
            })),
            _ => Err(DecodeError::new(
                "expected the digest of a token, found other binary data",
            )),
        }
    }

    fn from_input(input: Token) -> Self {
        input.into()
    }

    fn parse(_: Value, cx: &mut InputCx) -> Option<Token> {
        cx.reject("token", "cannot be given: a token is made by the service");
        None
    }

    fn into_view(self) -> Hidden {
        Hidden
    }
}
