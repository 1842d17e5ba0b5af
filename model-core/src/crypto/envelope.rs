//! The envelope of an encrypted value: a file format.
//!
//! ```text
//! off  len
//! 0    1   magic 0xE1
//! 1    1   suite: 0x01 plain, 0x02 padded
//! 2    16  key id
//! 18   24  nonce, random
//! 42   n   ciphertext
//! 42+n 16  tag
//! ```
//!
//! Both suites are HKDF-SHA256 field keys and XAES-256-GCM; the first 18 bytes are in the associated data. In suite
//! 0x02 the plaintext is `length (u32, big-endian) ‖ value ‖ zeros`, up to a multiple of the field's bucket.

use core::num::NonZeroU32;

use zeroize::Zeroize;

use super::aad::associated_data;
use super::key::{FieldKey, KeyId, random};
use super::plaintext::Plaintext;
use super::xaes::{NONCE_LEN, TAG_LEN};
use super::{CryptoError, Result};

/// What an envelope adds to the length of its plaintext, before padding.
pub const OVERHEAD: usize = HEADER_LEN + NONCE_LEN + TAG_LEN;
/// The largest plaintext, padding included.
pub const MAX_PLAINTEXT: usize = 8 * 1024 * 1024;

const MAGIC: u8 = 0xE1;
const HEADER_LEN: usize = 18;
const PAD_HEAD: usize = 4;

/// How an envelope is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suite {
    /// 0x01: the length of the plaintext shows.
    Plain,
    /// 0x02: the length is rounded up to a bucket.
    Padded,
}

impl Suite {
    /// The byte in the envelope.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Plain => 0x01,
            Self::Padded => 0x02,
        }
    }

    fn parse(byte: u8) -> Result<Self> {
        [Self::Plain, Self::Padded]
            .into_iter()
            .find(|suite| suite.byte() == byte)
            .ok_or(CryptoError::UnknownSuite(byte))
    }
}

/// The suites that a field accepts when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suites(u8);

impl Suites {
    /// Only [`Suite::Plain`].
    pub const PLAIN: Self = Self(Suite::Plain.byte());
    /// Only [`Suite::Padded`].
    pub const PADDED: Self = Self(Suite::Padded.byte());
    /// Every suite that this version knows.
    pub const ALL: Self = Self(Suite::Plain.byte() | Suite::Padded.byte());

    /// Whether the suite is accepted.
    pub const fn contains(self, suite: Suite) -> bool {
        self.0 & suite.byte() != 0
    }
}

/// Checks the magic byte, the length and the suite, without any key, and returns the id of the key.
///
/// # Errors
/// [`CryptoError::NotCiphertext`], [`CryptoError::Truncated`], [`CryptoError::UnknownSuite`] or
/// [`CryptoError::TooLarge`], in this order.
pub fn shape(envelope: &[u8]) -> Result<KeyId> {
    Parts::parse(envelope).map(|parts| parts.key_id)
}

/// An envelope, taken apart.
pub(crate) struct Parts<'a> {
    header: &'a [u8; HEADER_LEN],
    suite: Suite,
    pub(crate) key_id: KeyId,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    /// As [`shape`].
    pub(crate) fn parse(envelope: &'a [u8]) -> Result<Self> {
        if envelope.first() != Some(&MAGIC) {
            return Err(CryptoError::NotCiphertext);
        }
        let (header, rest) = envelope
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(CryptoError::Truncated)?;
        let (nonce, rest) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(CryptoError::Truncated)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(CryptoError::Truncated)?;
        let [_, suite, id @ ..] = header;
        let suite = Suite::parse(*suite)?;
        if ciphertext.len() > MAX_PLAINTEXT {
            return Err(CryptoError::TooLarge);
        }
        Ok(Self {
            header,
            suite,
            key_id: KeyId::new(*id),
            nonce,
            ciphertext,
            tag,
        })
    }

    /// As [`Parts::parse`], then refuses what the field does not allow.
    pub(crate) fn parse_allowed(envelope: &'a [u8], allowed: Suites) -> Result<Self> {
        let parts = Self::parse(envelope)?;
        if allowed.contains(parts.suite) {
            Ok(parts)
        } else {
            Err(CryptoError::SuiteForbidden)
        }
    }

    /// The length of the padded plaintext; none if it is not padded.
    pub(crate) fn padded_length(&self) -> Option<usize> {
        (self.suite == Suite::Padded).then_some(self.ciphertext.len())
    }

    /// Authenticates and decrypts; exactly one attempt, with exactly this key.
    pub(crate) fn open(&self, key: &FieldKey, origin: &[u8]) -> Result<Plaintext> {
        if key.key_id() != self.key_id {
            return Err(CryptoError::KeyScope);
        }
        let aad = associated_data(self.header, key.realm(), origin);
        let mut plaintext = Plaintext::from(self.ciphertext.to_vec());
        key.xaes().open(self.nonce, &aad, &mut plaintext, self.tag)?;
        match self.suite {
            Suite::Plain => Ok(plaintext),
            Suite::Padded => unpad(plaintext),
        }
    }
}

/// Seals `plaintext` for the place that `origin` says; `pad` chooses suite 0x02 and its bucket.
pub(crate) fn seal(
    key: &FieldKey,
    origin: &[u8],
    plaintext: &[u8],
    pad: Option<NonZeroU32>,
) -> Result<Vec<u8>> {
    let mut nonce = [0u8; NONCE_LEN];
    random(&mut nonce)?;
    seal_with_nonce(key, &nonce, origin, plaintext, pad)
}

/// The seam for frozen vectors: nothing but [`seal`] and tests may choose a nonce.
pub(in crate::crypto) fn seal_with_nonce(
    key: &FieldKey,
    nonce: &[u8; NONCE_LEN],
    origin: &[u8],
    plaintext: &[u8],
    pad: Option<NonZeroU32>,
) -> Result<Vec<u8>> {
    let (suite, length) = match pad {
        None => (Suite::Plain, plaintext.len()),
        Some(bucket) => (Suite::Padded, padded_len(plaintext.len(), bucket)?),
    };
    if length > MAX_PLAINTEXT {
        return Err(CryptoError::TooLarge);
    }
    // Allocated once at its final size: growing would leave a copy of the plaintext behind.
    let mut out = Vec::with_capacity(OVERHEAD + length);
    out.extend_from_slice(&[MAGIC, suite.byte()]);
    out.extend_from_slice(key.key_id().as_bytes());
    let aad = associated_data(&out, key.realm(), origin);
    out.extend_from_slice(nonce);
    if suite == Suite::Padded {
        let length = u32::try_from(plaintext.len()).map_err(|_| CryptoError::TooLarge)?;
        out.extend_from_slice(&length.to_be_bytes());
    }
    out.extend_from_slice(plaintext);
    out.resize(HEADER_LEN + NONCE_LEN + length, 0);
    let body = out.get_mut(HEADER_LEN + NONCE_LEN..).unwrap_or_default();
    match key.xaes().seal(nonce, &aad, body) {
        Ok(tag) => out.extend_from_slice(&tag),
        Err(error) => {
            out.zeroize();
            return Err(error);
        }
    }
    Ok(out)
}

/// The length of a padded plaintext: its head, the value, and zeros up to a multiple of the bucket.
fn padded_len(length: usize, bucket: NonZeroU32) -> Result<usize> {
    let bucket = usize::try_from(bucket.get()).map_err(|_| CryptoError::TooLarge)?;
    length
        .checked_add(PAD_HEAD)
        .and_then(|n| n.checked_next_multiple_of(bucket))
        .ok_or(CryptoError::TooLarge)
}

/// Takes the value out of a padded plaintext. It has authenticated, so that timing tells nothing to anybody.
fn unpad(mut padded: Plaintext) -> Result<Plaintext> {
    let (head, rest) = padded
        .split_first_chunk::<PAD_HEAD>()
        .ok_or(CryptoError::Decode)?;
    let length = usize::try_from(u32::from_be_bytes(*head)).map_err(|_| CryptoError::Decode)?;
    let (_, zeros) = rest.split_at_checked(length).ok_or(CryptoError::Decode)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(CryptoError::Decode);
    }
    padded.keep(PAD_HEAD..PAD_HEAD + length);
    Ok(padded)
}
