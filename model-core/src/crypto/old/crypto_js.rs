//! What `AES.encrypt(text, passphrase).toString()` of crypto-js gives, which is what `openssl enc -aes-256-cbc -md md5
//! -base64` gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use zeroize::{Zeroize as _, Zeroizing};

use super::super::{CryptoError, Result};
use super::OldFormat;
use super::aes_text::{cbc_in_place, text};

/// `"Salted__"` in base64, as far as it does not depend on what follows.
const HEAD: &str = "U2FsdGVkX1";
const SALTED: &[u8] = b"Salted__";
const DIGEST: usize = 16;

/// What crypto-js makes from a passphrase, as `GrowthBook` stores the parameters of its data sources: base64 of
/// `Salted__`, 8 bytes of salt, and AES-256-CBC; key and IV are OpenSSL's `EVP_BytesToKey` with one round of MD5.
///
/// `GrowthBook` stores JSON so: a field of a derived struct, a map or a dynamic value reads it as that.
pub struct CryptoJs(Zeroizing<String>);

impl core::fmt::Debug for CryptoJs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CryptoJs")
    }
}

impl CryptoJs {
    /// The format under a passphrase: `GrowthBook`'s `ENCRYPTION_KEY`.
    pub fn new(passphrase: impl Into<String>) -> Self {
        Self(Zeroizing::new(passphrase.into()))
    }
}

impl OldFormat for CryptoJs {
    fn is(&self, stored: &str) -> bool {
        stored.starts_with(HEAD)
    }

    fn open(&self, stored: &str) -> Result<Zeroizing<String>> {
        let failed = || CryptoError::OldFormat;
        let bytes = STANDARD.decode(stored).map_err(|_| failed())?;
        let (salt, body) = bytes
            .strip_prefix(SALTED)
            .and_then(|rest| rest.split_first_chunk::<8>())
            .ok_or_else(failed)?;
        let mut made = bytes_to_key(self.0.as_bytes(), *salt);
        let (key, iv) = made.split_first_chunk::<32>().ok_or_else(failed)?;
        let iv = iv.first_chunk::<DIGEST>().ok_or_else(failed)?;
        let mut body = Zeroizing::new(body.to_vec());
        let opened = cbc_in_place(key, iv, &mut body);
        made.zeroize();
        opened.map_err(|()| failed())?;
        text(body)
    }
}

/// Three digests, each over the one before, the passphrase and the salt: a key and an IV (OpenSSL, `EVP_BytesToKey`).
fn bytes_to_key(passphrase: &[u8], salt: [u8; 8]) -> Zeroizing<[u8; 3 * DIGEST]> {
    let mut out = Zeroizing::new([0u8; 3 * DIGEST]);
    let mut last: Option<[u8; DIGEST]> = None;
    for slot in out.chunks_exact_mut(DIGEST) {
        let mut hash = Md5::new();
        if let Some(last) = &last {
            hash.update(last);
        }
        hash.update(passphrase);
        hash.update(salt);
        let digest: [u8; DIGEST] = hash.finalize().into();
        slot.copy_from_slice(&digest);
        last = Some(digest);
    }
    last.zeroize();
    out
}
