//! What an encrypted field was before: plaintext, or what another system encrypted.

use zeroize::Zeroizing;

use super::sealed::open_value;
use super::secret::Secret;
use crate::codec::{DecodeCx, DecodeError, FieldValue, RawValue, old_value, tag};
use crate::crypto::Plaintext;
use crate::error::{Error, ErrorKind};
use crate::schema::Term;

/// A plaintext value as it is stored.
#[derive(Clone)]
pub(super) struct Legacy {
    pub(super) tag: u8,
    pub(super) bytes: Plaintext,
}

/// A text that another system may have encrypted: the keyring can tell.
#[derive(Clone)]
pub(super) struct Old {
    pub(super) format: &'static str,
    pub(super) text: Zeroizing<String>,
    path: String,
    /// What is not of that format is plaintext.
    takes_plaintext: bool,
}

/// What stands in the place of a sealed value.
pub(super) enum Before<T: FieldValue> {
    Plain(Secret<T>, Legacy),
    Old(Old),
}

/// What the field takes in the place of a sealed value, which is binary, if it takes any: by its type alone.
///
/// # Errors
/// It is of another type than the field, or its time has ended.
pub(super) fn read<T: FieldValue>(
    value: RawValue<'_>,
    cx: &DecodeCx<'_>,
) -> Result<Option<Before<T>>, DecodeError> {
    let Some(field) = cx.field() else { return Ok(None) };
    match field.old_format {
        Some(old) if value.tag == tag::STRING => {
            if cx.is_over(old.term) {
                return Err(ended(old.term));
            }
            Ok(Some(Before::Old(Old {
                format: old.name,
                text: Zeroizing::new(value.str()?.to_owned()),
                path: cx.path(),
                takes_plaintext: field.legacy_plaintext.is_some_and(|term| !cx.is_over(term)),
            })))
        }
        _ => match field.legacy_plaintext {
            Some(term) if cx.is_over(term) => Err(ended(term)),
            Some(_) => plaintext(value).map(Some),
            None => Ok(None),
        },
    }
}

fn plaintext<T: FieldValue>(value: RawValue<'_>) -> Result<Before<T>, DecodeError> {
    // The cause is dropped, since it may tell of the value.
    let secret = T::decode(value, &DecodeCx::root(None))
        .map_err(|_| DecodeError::new("the plaintext is of another type than the field"))?;
    let stored = Legacy {
        tag: value.tag,
        bytes: value.bytes.to_vec().into(),
    };
    Ok(Before::Plain(secret.into(), stored))
}

/// What is said of a value that was to be sealed by now.
fn ended(term: Term) -> DecodeError {
    DecodeError::new(term.ended())
}

impl Old {
    /// The value, from what the keyring made of its text.
    pub(super) fn value<T: FieldValue>(
        &self,
        opened: Result<Option<Zeroizing<String>>, Error>,
    ) -> Result<T, Error> {
        let (format, path) = (self.format, &self.path);
        let opened = opened.map_err(|error| error.at_path(path.clone()))?;
        let plain = match &opened {
            Some(text) => old_value(&T::TYPE, text),
            None if self.takes_plaintext => old_value(&T::TYPE, &self.text),
            None => {
                let message = format!("neither sealed nor in the old format `{format}`");
                return Err(Error::new(ErrorKind::Crypto, message).at_path(path.clone()));
            }
        };
        let value = plain.map_or_else(
            || {
                let message =
                    "the value of an old format is no JSON, which a field that is no string asks for";
                Err(Error::new(ErrorKind::Crypto, message))
            },
            |plain| open_value(&plain),
        );
        value.map_err(|error| error.at_path(path.clone()))
    }
}
