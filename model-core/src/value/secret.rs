//! A value that no log, message or view shows.

use std::fmt;

use zeroize::Zeroizing;

use crate::codec::FieldValue;
use crate::crypto::Plaintext;
use crate::error::Error;

/// A secret in the clear: shown by [`expose`](Self::expose) only, and overwritten when dropped where its type can be.
///
/// ```
/// use model_core::Secret;
/// let secret = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{secret:?}"), "[REDACTED]");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret<T: FieldValue>(T);

impl<T: FieldValue> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn expose(&self) -> &T {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: FieldValue> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T: FieldValue> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: FieldValue> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// What can open sealed values: a context of the database handle.
pub trait OpenSecrets: Send + Sync {
    /// The plaintext of an envelope that is bound to `origin`.
    fn open_sealed(
        &self,
        origin: &[u8],
        envelope: &[u8],
    ) -> impl Future<Output = Result<Plaintext, Error>> + Send;

    /// The plaintext of what another system encrypted; none if it is not of that format.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto) if it does not open.
    fn open_old(&self, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>, Error>;

    /// Whether `digest` is that of the presented token, for the field at `path`.
    fn is_token(
        &self,
        collection: &str,
        path: &str,
        presented: &[u8],
        digest: &[u8],
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}
