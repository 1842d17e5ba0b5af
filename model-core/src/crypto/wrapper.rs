//! The port to whatever holds the key-encryption key.

use async_trait::async_trait;

use super::aad::{put, put_tenant};
use super::key::{Dek, KeyId, Purpose};
use super::{Result, TenantKey};

/// What a wrapped key is bound to: a row copied to another tenant, purpose or realm must not unwrap.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct WrapCtx<'a> {
    /// The key's id.
    pub key_id: KeyId,
    /// The key's purpose.
    pub purpose: Purpose,
    /// The key's tenant; `None` for the key of global models.
    pub tenant: Option<&'a TenantKey>,
    /// The keyring's realm.
    pub realm: &'a str,
}

impl<'a> WrapCtx<'a> {
    /// A context from its parts; for the tests of a [`KeyWrapper`], since a keyring makes its own.
    pub const fn new(key_id: KeyId, purpose: Purpose, tenant: Option<&'a TenantKey>, realm: &'a str) -> Self {
        Self {
            key_id,
            purpose,
            tenant,
            realm,
        }
    }

    /// The context as bytes: `LP(key id) ‖ LP(purpose) ‖ LP(tenant) ‖ LP(realm)`, the tenant as in an
    /// [`Origin`](super::Origin).
    ///
    /// A file format: wrapped keys authenticate it.
    pub fn aad(&self) -> Vec<u8> {
        let mut tenant = Vec::new();
        put_tenant(&mut tenant, self.tenant.map(TenantKey::typed));
        let mut out = Vec::with_capacity(48 + tenant.len() + self.realm.len());
        put(&mut out, self.key_id.as_bytes());
        put(&mut out, self.purpose.as_str().as_bytes());
        put(&mut out, &tenant);
        put(&mut out, self.realm.as_bytes());
        out
    }
}

/// Which key-encryption key wrapped a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KekRef {
    /// The provider's name, as [`KeyWrapper::provider`] says.
    pub provider: String,
    /// The key's name at the provider (an ARN, a resource path).
    pub id: String,
    /// The key's version at the provider; empty where it has none.
    pub version: String,
}

/// A data-encryption key as a key row stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The key that wrapped it.
    pub kek: KekRef,
    /// What the provider returned.
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Wrapped")
            .field("kek", &self.kek)
            .finish_non_exhaustive()
    }
}

/// The port to a key-management service: wraps and unwraps data-encryption keys.
///
/// An adaptor is two calls, and this is all that it has to hold:
///
/// * `wrap` sends [`Dek::expose`] with [`WrapCtx::aad`] as the authenticated context: the AAD of `Encrypt` in Google
///   Cloud KMS, the `EncryptionContext` of AWS KMS (one entry, hexadecimal), `associated_data` in Vault transit. It
///   returns the provider's bytes as they are, and the key *version* that the provider says it used.
/// * `unwrap` sends `wrapped.bytes` with the same context, using `wrapped.kek` rather than the current key, so that
///   old rows outlive a rotation. It ends in [`Dek::from_bytes`]. The id is checked by the keyring.
/// * An unreachable provider is [`CryptoError::KeyProvider`](super::CryptoError::KeyProvider) with
///   `retryable: true`; a denied call, or a key that is gone, has `retryable: false`. What the provider refuses to
///   authenticate is [`CryptoError::Tampered`](super::CryptoError::Tampered).
/// * Intermediate copies of the key go into `zeroize::Zeroizing`. Never log a request or a response.
///
/// Time limits and retries belong to the adaptor; caching does not, since the keyring caches.
#[async_trait]
pub trait KeyWrapper: Send + Sync + core::fmt::Debug {
    /// A short name for errors and key rows: `"aws-kms"`, `"vault"`.
    fn provider(&self) -> &str;

    /// Wraps a new key, bound to the context.
    async fn wrap(&self, dek: &Dek, ctx: &WrapCtx<'_>) -> Result<Wrapped>;

    /// Unwraps a key that was wrapped with the same context.
    async fn unwrap(&self, wrapped: &Wrapped, ctx: &WrapCtx<'_>) -> Result<Dek>;
}
