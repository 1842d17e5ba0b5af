//! The port to what other systems encrypted: values that are read until this crate has sealed them.

use core::fmt::Debug;

use zeroize::Zeroizing;

use super::{CryptoError, Keyring, Result};

#[cfg(feature = "old-formats")]
mod aes_text;
#[cfg(feature = "old-formats")]
mod crypto_js;

#[cfg(feature = "old-formats")]
pub use self::aes_text::{AesCbc, AesCtr, LibreChat};
#[cfg(feature = "old-formats")]
pub use self::crypto_js::CryptoJs;

/// The port to a ciphertext format of another system, whose values are stored as text.
///
/// A field declares by `#[model(old_format("name"))]` that it holds such values; the keyring has the decoder under that
/// name ([`KeyringBuilder::old_format`](super::KeyringBuilder::old_format)). They are opened by `reveal`, sealed by the next
/// write of their document or by `reencrypt`, and counted by `inspect`. The feature `old-formats` has ready-made ones.
///
/// Hardly any of these formats authenticates, and none is bound to its place: whoever writes to the database can move
/// such a value, and often alter it. So let their time end: `old_format("name", until = "2027-03-31")`.
///
/// ```
/// use model_core::crypto::{CryptoError, Keyring, LocalKek, OldFormat};
/// use zeroize::Zeroizing;
///
/// /// Letters, each moved by one: `r1:` and the text.
/// #[derive(Debug)]
/// struct Shifted;
///
/// impl OldFormat for Shifted {
///     fn is(&self, stored: &str) -> bool {
///         stored.starts_with("r1:")
///     }
///
///     fn open(&self, stored: &str) -> Result<Zeroizing<String>, CryptoError> {
///         let text = stored.strip_prefix("r1:").ok_or(CryptoError::OldFormat)?;
///         Ok(Zeroizing::new(text.chars().map(|c| char::from(c as u8 - 1)).collect()))
///     }
/// }
///
/// # fn main() -> Result<(), CryptoError> {
/// let kek = LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89")?;
/// let keyring = Keyring::builder().realm("dev").wrapper(kek).old_format("shifted", Shifted).build()?;
/// # Ok(())
/// # }
/// ```
pub trait OldFormat: Send + Sync + Debug {
    /// Whether a stored text has the shape of this format. It opens nothing; what has not is plaintext, where the field
    /// takes that, and else an error.
    fn is(&self, stored: &str) -> bool;

    /// The plaintext: the text itself for a field of strings, JSON for a field of another type.
    ///
    /// # Errors
    /// [`CryptoError::OldFormat`], whatever the cause: a wrong key and an altered value are not told apart.
    fn open(&self, stored: &str) -> Result<Zeroizing<String>>;
}

impl Keyring {
    /// The plaintext of a value in the old format that is registered under `name`; none if it is not of that format.
    ///
    /// # Errors
    /// [`CryptoError::OldFormat`]; [`CryptoError::Config`] if no such format is registered.
    pub fn open_old(&self, name: &str, stored: &str) -> Result<Option<Zeroizing<String>>> {
        let format = self.old_format(name).ok_or(CryptoError::Config(
            "a field has an old format that the keyring does not have: `.old_format(name, decoder)`",
        ))?;
        format.is(stored).then(|| format.open(stored)).transpose()
    }
}
