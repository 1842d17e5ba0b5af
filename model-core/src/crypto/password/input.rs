//! Passwords as people type them: normalised, bounded, and wiped.

use core::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

use super::super::{CryptoError, Result};

const MIN_LEN: usize = 8;
const MAX_LEN: usize = 1024;
/// Text shrinks to a third at most when it is composed, and grows to three times at most.
const NFC_FACTOR: usize = 3;

/// A password to be hashed: 8 to 1024 bytes after Unicode normalisation (NFC), any characters.
///
/// Wiped from memory when dropped. Composed and decomposed spellings of a letter are the same password.
#[derive(Clone)]
pub struct NewPassword {
    secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword([REDACTED])")
    }
}

impl NewPassword {
    /// A password from what was typed; the string is wiped.
    ///
    /// # Errors
    /// [`CryptoError::PasswordLength`] for fewer than 8 or more than 1024 bytes.
    pub fn new(typed: String) -> Result<Self> {
        normalise(typed)
            .filter(|secret| secret.len() >= MIN_LEN)
            .map(|secret| Self { secret })
            .ok_or(CryptoError::PasswordLength)
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// A password to be compared with a stored hash; wiped from memory when dropped.
///
/// Of any length: one that no stored hash can have been made from does not match, after the time of a comparison.
#[derive(Clone)]
pub struct Candidate {
    secret: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidate([REDACTED])")
    }
}

impl Candidate {
    /// A candidate from what was typed; the string is wiped.
    pub fn new(typed: String) -> Self {
        Self {
            secret: normalise(typed),
        }
    }

    /// The candidate as the password that it would be if it is right: to hash it anew after a match.
    ///
    /// # Errors
    /// [`CryptoError::PasswordLength`], as [`NewPassword::new`].
    pub fn to_new_password(&self) -> Result<NewPassword> {
        match &self.secret {
            Some(secret) if secret.len() >= MIN_LEN => Ok(NewPassword {
                secret: secret.clone(),
            }),
            _ => Err(CryptoError::PasswordLength),
        }
    }

    pub(super) fn secret(&self) -> Option<&[u8]> {
        self.secret.as_deref().map(Vec::as_slice)
    }
}

/// NFC, or `None` if that is too long. The length is bounded before the text is composed, and again after.
fn normalise(typed: String) -> Option<Zeroizing<Vec<u8>>> {
    let typed = Zeroizing::new(typed.into_bytes());
    if typed.len() > MAX_LEN * NFC_FACTOR {
        return None;
    }
    let text = core::str::from_utf8(&typed).ok()?;
    let secret = if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        typed
    } else {
        // Allocated once: growing would leave copies behind.
        let mut composed = Zeroizing::new(Vec::with_capacity(typed.len() * NFC_FACTOR));
        let mut utf8 = Zeroizing::new([0u8; 4]);
        for character in text.nfc() {
            composed.extend_from_slice(character.encode_utf8(&mut *utf8).as_bytes());
        }
        composed
    };
    (secret.len() <= MAX_LEN).then_some(secret)
}
