//! Hashes of other schemes, verified until a login replaces them: each behind a feature, bounded before it is computed.

#[cfg(feature = "bcrypt")]
mod bcrypt;
#[cfg(feature = "pbkdf2")]
mod pbkdf2;
#[cfg(feature = "scrypt")]
mod scrypt;

use super::super::Result;
use super::policy::Bounds;

/// A stored hash of another scheme, within the bounds.
pub(super) trait OtherHash: Send {
    /// The memory that a comparison takes, in KiB.
    fn memory_kib(&self) -> u32;

    /// Whether it is that of the password; compared in constant time.
    fn matches(&self, secret: &[u8]) -> bool;
}

/// The hash in a string that begins with `$scheme$`; none if this build knows no such scheme.
///
/// # Errors
/// [`CryptoError::HashPolicy`](super::super::CryptoError::HashPolicy),
/// [`CryptoError::MalformedHash`](super::super::CryptoError::MalformedHash).
#[cfg_attr(
    not(any(feature = "bcrypt", feature = "pbkdf2", feature = "scrypt")),
    expect(
        unused_variables,
        clippy::unnecessary_wraps,
        reason = "without features there is no scheme"
    )
)]
pub(super) fn parse(scheme: &str, text: &str, bounds: &Bounds) -> Result<Option<Box<dyn OtherHash>>> {
    match scheme {
        #[cfg(feature = "bcrypt")]
        "2a" | "2b" | "2y" => bcrypt::Bcrypt::parse(text, bounds).map(|hash| Some(Box::new(hash) as _)),
        #[cfg(feature = "scrypt")]
        "scrypt" => scrypt::Scrypt::parse(text, bounds).map(|hash| Some(Box::new(hash) as _)),
        #[cfg(feature = "pbkdf2")]
        "pbkdf2-sha256" | "pbkdf2-sha512" => {
            pbkdf2::Pbkdf2::parse(text, bounds).map(|hash| Some(Box::new(hash) as _))
        }
        _ => Ok(None),
    }
}
