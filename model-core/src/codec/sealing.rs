//! Secrets on their way out: sealed for their place, or noted why they cannot be.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::place::{Place, element_id, key_id};
use super::reader::Elements;
use super::tag;
use super::writer::Writer;
use crate::crypto::Plaintext;
use crate::error::{Error, ErrorKind};

/// The document in the clear that is to be sealed: `{v: value}`, which `write` writes. It keeps the value's BSON type.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) if the value cannot be stored.
pub(crate) fn plaintext(write: impl FnOnce(&mut Writer<'_>, &'static str)) -> Result<Plaintext, Error> {
    let mut out = Writer::new().wiping();
    write(&mut out, "v");
    out.finish().map(Plaintext::from)
}

impl Writer<'_> {
    /// Seals `plaintext` for the field `key` at the current path, or notes why it cannot.
    pub(crate) fn seal(&mut self, key: &str, plaintext: &[u8]) -> Option<Vec<u8>> {
        let Some(seal) = self.seal else {
            let error = no_keyring().at_path(self.path_to(key));
            self.crypto.get_or_insert(error);
            return None;
        };
        let sealed = seal.seal(&self.claim(key)?, plaintext);
        sealed.map_err(|error| self.crypto.get_or_insert(error)).ok()
    }

    /// Writes the digest of `token` for the field `key` at the current path, or notes why it cannot.
    pub(crate) fn digest(&mut self, key: &str, subtype: u8, token: &[u8]) {
        let path = self.path_to(key);
        let digest = match self.seal {
            Some(seal) => seal.digest(&path, token),
            None => Err(no_keyring().at_path(path)),
        };
        match digest {
            Ok(digest) => self.binary(key, subtype, &digest),
            Err(error) => {
                self.crypto.get_or_insert(error);
            }
        }
    }

    /// The plaintext of what another system encrypted; none without a keyring.
    pub(crate) fn open_old(
        &self,
        format: &str,
        stored: &str,
    ) -> Option<Result<Option<Zeroizing<String>>, Error>> {
        Some(self.seal?.open_old(format, stored))
    }

    /// Whether a keyring is there to seal with.
    pub(crate) fn can_seal(&self) -> bool {
        self.seal.is_some()
    }

    /// The origin that a value sealed for the field `key` at the current path is bound to.
    pub(crate) fn origin(&mut self, key: &str) -> Option<Vec<u8>> {
        let seal = self.seal?;
        Some(seal.origin(&self.claim(key)?))
    }

    /// The place of `key`, for a secret; none, and noted, if it is not a place of its own.
    fn claim(&mut self, key: &str) -> Option<Place<'static>> {
        let Some(place) = self.place_of(key) else {
            self.reject(
                key,
                "element",
                "stands in an array whose element does not begin with its `id`",
            );
            return None;
        };
        if !place.elements.is_empty() && !self.taken.insert(place.clone()) {
            self.reject(
                key,
                "element",
                "stands in an element whose `id` another element has too",
            );
            return None;
        }
        Some(place)
    }

    /// The place of `key` in the innermost open document; none if an element of an array on the way has no id.
    fn place_of(&self, key: &str) -> Option<Place<'static>> {
        let mut steps = vec![Cow::Borrowed(key)];
        let mut elements = Vec::new();
        let mut open = self.open;
        while open > 0 {
            let after_tag = self.buf.get(open + 1..)?;
            let mut parts = after_tag.splitn(2, |byte| *byte == 0);
            let (name, rest) = (parts.next()?, parts.next()?);
            let name = String::from_utf8_lossy(name);
            let start = open + 2 + name.len();
            let inner = steps.last_mut()?;
            // What is open here tells what the step below it is.
            if self.buf.get(open) == Some(&tag::ARRAY) {
                *inner = Cow::Borrowed("[]");
                if open == self.open {
                    // The value is the element itself, which has no id.
                    return None;
                }
            } else if self.maps.contains(&open) {
                elements.push(key_id(inner));
                *inner = Cow::Borrowed("{}");
            }
            let outer = rest
                .first_chunk()
                .map(|outer| u32::from_le_bytes(*outer) as usize)?;
            if outer > 0 && self.buf.get(outer) == Some(&tag::ARRAY) {
                let first = Elements::unfinished(self.buf.get(start + 4..)?)
                    .next()
                    .ok()
                    .flatten();
                elements.push(element_id(first)?);
            }
            steps.push(name);
            open = outer;
        }
        steps.reverse();
        elements.reverse();
        Some(Place {
            path: steps.join("."),
            elements,
        })
    }
}

#[cold]
fn no_keyring() -> Error {
    Error::new(
        ErrorKind::Configuration,
        "no keyring: give the database handle one with `.keys(...)`",
    )
}
