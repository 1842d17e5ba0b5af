//! Keyed tokens: what a value is found by without being stored.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::loaded::LoadedKey;
use super::{CryptoError, Result};

/// The length of a whole authentication code.
pub const TOKEN_LEN: usize = 32;

impl LoadedKey {
    /// The token of a value: `version (1) ‖ HMAC-SHA256(index key, LP(value))`, cut to `length` bytes after the version.
    ///
    /// A file format, as [`index_key`](Self::index_key) is. The version is the number of the key, so that it is known
    /// which token a replaced key leaves behind.
    ///
    /// # Errors
    /// [`CryptoError::KeyScope`] unless this is a key for blind indexes.
    pub fn index_token(&self, collection: &str, index: &str, value: &[u8], length: usize) -> Result<Vec<u8>> {
        let code = self.code(collection, index, value)?.finalize().into_bytes();
        let mut token = Vec::with_capacity(1 + length);
        token.push(self.version());
        token.extend_from_slice(code.get(..length).unwrap_or(&code));
        Ok(token)
    }

    /// Whether a token is that of a value, in constant time.
    ///
    /// # Errors
    /// As [`index_token`](Self::index_token).
    pub fn is_index_token(&self, collection: &str, index: &str, value: &[u8], token: &[u8]) -> Result<bool> {
        match token.split_first() {
            Some((version, code)) if *version == self.version() && !code.is_empty() => Ok(self
                .code(collection, index, value)?
                .verify_truncated_left(code)
                .is_ok()),
            _ => Ok(false),
        }
    }

    fn code(&self, collection: &str, index: &str, value: &[u8]) -> Result<Hmac<Sha256>> {
        let key = self.index_key(collection, index)?;
        let mut code = Hmac::<Sha256>::new_from_slice(&*key).map_err(|_| CryptoError::WeakKey)?;
        let length = u32::try_from(value.len()).map_err(|_| CryptoError::TooLarge)?;
        code.update(&length.to_be_bytes());
        code.update(value);
        Ok(code)
    }
}
