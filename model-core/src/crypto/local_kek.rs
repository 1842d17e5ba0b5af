//! A key-encryption key held by the process: for development, tests, and deployments whose secrets come by environment.

use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use async_trait::async_trait;
use zeroize::Zeroizing;

use super::given_key;
use super::key::{Dek, expand, is_weak, random};
use super::wrapper::{KekRef, KeyWrapper, WrapCtx, Wrapped};
use super::{CryptoError, Result};

const PROVIDER: &str = "local";
const KEK_ID_LABEL: &[u8] = b"model-core/kek-id/1";
const NONCE_LEN: usize = 12;
const WRAPPED_LEN: usize = NONCE_LEN + 32 + 16;

/// A [`KeyWrapper`] whose key is in the process's memory.
///
/// Wraps with AES-256-GCM (NIST SP 800-38D): `nonce (12, random) ‖ ciphertext (32) ‖ tag (16)`, with
/// [`WrapCtx::aad`] as the associated data. It wraps one key per tenant and purpose, far from where random nonces of 12
/// bytes meet. Whoever reads the process's environment has every key: a KMS is better.
pub struct LocalKek {
    id: String,
    cipher: Aes256Gcm,
    retired: Vec<LocalKek>,
}

impl core::fmt::Debug for LocalKek {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LocalKek")
            .field("id", &self.id)
            .field("retired", &self.retired)
            .finish_non_exhaustive()
    }
}

impl LocalKek {
    /// A key from its bytes.
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if the bytes are all the same or all printable text.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        if is_weak(key) {
            return Err(CryptoError::WeakKey);
        }
        // Derived from the key, so that a wrong key is "no such key" and not "tampered".
        let mut id = [0u8; 8];
        expand(key, &[KEK_ID_LABEL], &mut id)?;
        let id = format!("{:016x}", u64::from_be_bytes(id));
        Ok(Self {
            id,
            cipher: Aes256Gcm::new(key.into()),
            retired: Vec::new(),
        })
    }

    /// A key from 64 hexadecimal digits, or from base64 of 32 bytes (either alphabet, padding optional).
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] if the text is neither, or the key is weak.
    pub fn parse(text: &str) -> Result<Self> {
        Self::new(&*given_key::parse(text)?)
    }

    /// A key from an environment variable, written as [`LocalKek::parse`] reads it.
    ///
    /// # Errors
    /// [`CryptoError::KeySource`] if the variable is not set or not text; else as [`LocalKek::parse`].
    pub fn from_env(name: &str) -> Result<Self> {
        Self::new(&*given_key::from_env(name)?)
    }

    /// Keeps an older key, to unwrap what it wrapped; new keys are wrapped with this one.
    #[must_use]
    pub fn with_retired(mut self, old: Self) -> Self {
        self.retired.push(old);
        self
    }

    fn find(&self, id: &str) -> Option<&Self> {
        if self.id == id {
            Some(self)
        } else {
            self.retired.iter().find_map(|kek| kek.find(id))
        }
    }

    /// The seam for frozen vectors: nothing but `wrap` and tests may choose a nonce.
    pub(super) fn wrap_with_nonce(&self, nonce: &[u8; NONCE_LEN], dek: &Dek, aad: &[u8]) -> Result<Vec<u8>> {
        let mut body = Zeroizing::new(*dek.expose());
        let tag = self
            .cipher
            .encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(body.as_mut_slice()))
            .map_err(|_| CryptoError::TooLarge)?;
        let mut out = Vec::with_capacity(WRAPPED_LEN);
        out.extend_from_slice(nonce);
        out.extend_from_slice(body.as_slice());
        out.extend_from_slice(&tag);
        Ok(out)
    }

    fn unwrap_bytes(&self, bytes: &[u8], aad: &[u8]) -> Result<Dek> {
        let wrapped: &[u8; WRAPPED_LEN] = bytes.try_into().map_err(|_| CryptoError::Tampered)?;
        let (nonce, rest) = wrapped
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(CryptoError::Tampered)?;
        let (body, tag) = rest.split_first_chunk::<32>().ok_or(CryptoError::Tampered)?;
        let tag = tag.first_chunk::<16>().ok_or(CryptoError::Tampered)?;
        let mut body = Zeroizing::new(*body);
        self.cipher
            .decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(body.as_mut_slice()), tag.into())
            .map_err(|_| CryptoError::Tampered)?;
        Dek::from_bytes(&body)
    }
}

#[async_trait]
impl KeyWrapper for LocalKek {
    fn provider(&self) -> &str {
        PROVIDER
    }

    async fn wrap(&self, dek: &Dek, ctx: &WrapCtx<'_>) -> Result<Wrapped> {
        let mut nonce = [0u8; NONCE_LEN];
        random(&mut nonce)?;
        let bytes = self.wrap_with_nonce(&nonce, dek, &ctx.aad())?;
        let kek = KekRef {
            provider: PROVIDER.to_owned(),
            id: self.id.clone(),
            version: String::new(),
        };
        Ok(Wrapped { kek, bytes })
    }

    async fn unwrap(&self, wrapped: &Wrapped, ctx: &WrapCtx<'_>) -> Result<Dek> {
        let missing = || CryptoError::KeyProvider {
            provider: PROVIDER.to_owned(),
            retryable: false,
        };
        if wrapped.kek.provider != PROVIDER {
            return Err(missing());
        }
        self.find(&wrapped.kek.id)
            .ok_or_else(missing)?
            .unwrap_bytes(&wrapped.bytes, &ctx.aad())
    }
}
