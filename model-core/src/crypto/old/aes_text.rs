//! AES-256 in CBC and CTR mode, written as hexadecimal text.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use super::super::{CryptoError, Result};
use super::OldFormat;

const BLOCK: usize = 16;

/// AES-256-CBC with PKCS #7 padding and the IV in front: `<iv, 32 hexadecimal digits>:<ciphertext, hexadecimal>`.
///
/// This is what a Node service has from `createCipheriv("aes-256-cbc", key, iv)` and two `toString("hex")`.
pub struct AesCbc(Key);

/// AES-256-CTR with the whole initial counter block in front: `<iv, 32 hexadecimal digits>:<ciphertext, hexadecimal>`.
///
/// It has no redundancy at all: what was altered, or opened with a wrong key, shows only if it is not UTF-8.
pub struct AesCtr(Key);

/// What `LibreChat` stores, in its three generations: `<ciphertext>` (AES-256-CBC under one IV for all values),
/// `<iv>:<ciphertext>` (AES-256-CBC) and `v3:<iv>:<ciphertext>` (AES-256-CTR), all hexadecimal.
pub struct LibreChat {
    key: Key,
    /// `CREDS_IV`, with which the first generation is read.
    iv: Option<[u8; BLOCK]>,
}

type Key = Zeroizing<[u8; 32]>;

macro_rules! silent {
    ($($name:literal $type:ty),*) => {$(
        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str($name)
            }
        }
    )*};
}

silent!("AesCbc" AesCbc, "AesCtr" AesCtr, "LibreChat" LibreChat);

impl AesCbc {
    /// The format under a key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*key))
    }
}

impl AesCtr {
    /// The format under a key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*key))
    }
}

impl LibreChat {
    /// The second and third generation, under `CREDS_KEY` (64 hexadecimal digits).
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if it is anything else.
    pub fn new(creds_key: &str) -> Result<Self> {
        let key = fixed(creds_key.trim()).ok_or(CryptoError::WeakKey)?;
        Ok(Self { key, iv: None })
    }

    /// Reads the first generation too, whose one IV is `CREDS_IV` (32 hexadecimal digits).
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if it is anything else.
    pub fn with_iv(mut self, creds_iv: &str) -> Result<Self> {
        self.iv = Some(*fixed(creds_iv.trim()).ok_or(CryptoError::WeakKey)?);
        Ok(self)
    }
}

impl OldFormat for AesCbc {
    fn is(&self, stored: &str) -> bool {
        pair(stored).is_some_and(|(_, body)| is_cbc(body))
    }

    fn open(&self, stored: &str) -> Result<Zeroizing<String>> {
        let (iv, body) = pair(stored).ok_or(CryptoError::OldFormat)?;
        cbc(&self.0, &iv, body)
    }
}

impl OldFormat for AesCtr {
    fn is(&self, stored: &str) -> bool {
        pair(stored).is_some()
    }

    fn open(&self, stored: &str) -> Result<Zeroizing<String>> {
        let (iv, body) = pair(stored).ok_or(CryptoError::OldFormat)?;
        ctr(&self.0, &iv, body)
    }
}

impl OldFormat for LibreChat {
    fn is(&self, stored: &str) -> bool {
        match stored.strip_prefix("v3:") {
            Some(rest) => pair(rest).is_some(),
            None if stored.contains(':') => pair(stored).is_some_and(|(_, body)| is_cbc(body)),
            None => self.iv.is_some() && is_hex(stored) && is_cbc(stored),
        }
    }

    fn open(&self, stored: &str) -> Result<Zeroizing<String>> {
        let parts = |text| pair(text).ok_or(CryptoError::OldFormat);
        if let Some(rest) = stored.strip_prefix("v3:") {
            let (iv, body) = parts(rest)?;
            return ctr(&self.key, &iv, body);
        }
        match self.iv {
            Some(iv) if !stored.contains(':') => cbc(&self.key, &iv, stored),
            _ => {
                let (iv, body) = parts(stored)?;
                cbc(&self.key, &iv, body)
            }
        }
    }
}

/// `<iv>:<ciphertext>`, both hexadecimal.
fn pair(text: &str) -> Option<([u8; BLOCK], &str)> {
    let (iv, body) = text.split_once(':')?;
    is_hex(body).then_some((*fixed(iv)?, body))
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whole blocks, one at least.
fn is_cbc(body: &str) -> bool {
    !body.is_empty() && body.len().is_multiple_of(2 * BLOCK)
}

fn cbc(key: &Key, iv: &[u8; BLOCK], body: &str) -> Result<Zeroizing<String>> {
    let mut bytes = hex(body).ok_or(CryptoError::OldFormat)?;
    cbc_in_place(key, iv, &mut bytes).map_err(|()| CryptoError::OldFormat)?;
    text(bytes)
}

/// Decrypts, and cuts the padding off.
pub(super) fn cbc_in_place(
    key: &[u8; 32],
    iv: &[u8; BLOCK],
    bytes: &mut Zeroizing<Vec<u8>>,
) -> core::result::Result<(), ()> {
    let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv.into());
    let length = cipher
        .decrypt_padded::<Pkcs7>(bytes)
        .map(<[u8]>::len)
        .map_err(|_| ())?;
    bytes.truncate(length);
    Ok(())
}

fn ctr(key: &Key, iv: &[u8; BLOCK], body: &str) -> Result<Zeroizing<String>> {
    let mut bytes = hex(body).ok_or(CryptoError::OldFormat)?;
    let mut cipher = ctr::Ctr128BE::<Aes256>::new((&**key).into(), iv.into());
    cipher
        .try_apply_keystream(&mut bytes)
        .map_err(|_| CryptoError::OldFormat)?;
    text(bytes)
}

/// The plaintext, which is text.
pub(super) fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>> {
    match String::from_utf8(core::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(CryptoError::OldFormat)
        }
    }
}

fn hex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !is_hex(digits) {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.as_bytes().chunks_exact(2) {
        bytes.push(u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?);
    }
    Some(bytes)
}

fn fixed<const N: usize>(digits: &str) -> Option<Zeroizing<[u8; N]>> {
    let bytes = hex(digits)?;
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}
