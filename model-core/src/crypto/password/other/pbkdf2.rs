//! `$pbkdf2-sha256$i=600000$salt$hash`: PBKDF2 (RFC 8018) with HMAC-SHA-256 or HMAC-SHA-512, as a PHC string.

use argon2::password_hash::phc::{Output, PasswordHash};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::super::super::{CryptoError, Result};
use super::super::policy::Bounds;
use super::OtherHash;

pub(super) struct Pbkdf2 {
    wide: bool,
    iterations: u32,
    salt: Vec<u8>,
    output: Output,
}

impl Pbkdf2 {
    pub(super) fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let malformed = || CryptoError::MalformedHash;
        let hash = PasswordHash::new(text).map_err(|_| malformed())?;
        let iterations = hash.params.get_decimal("i").ok_or_else(malformed)?;
        if iterations > bounds.pbkdf2_iterations {
            return Err(CryptoError::HashPolicy);
        }
        if iterations == 0 {
            return Err(malformed());
        }
        Ok(Self {
            wide: hash.algorithm.as_str() == "pbkdf2-sha512",
            iterations,
            salt: hash.salt.ok_or_else(malformed)?.to_vec(),
            output: hash.hash.ok_or_else(malformed)?,
        })
    }
}

impl OtherHash for Pbkdf2 {
    fn memory_kib(&self) -> u32 {
        1
    }

    fn matches(&self, secret: &[u8]) -> bool {
        let mut out = Zeroizing::new([0u8; Output::MAX_LENGTH]);
        let Some(out) = out.get_mut(..self.output.len()) else {
            return false;
        };
        if self.wide {
            pbkdf2::pbkdf2_hmac::<Sha512>(secret, &self.salt, self.iterations, out);
        } else {
            pbkdf2::pbkdf2_hmac::<Sha256>(secret, &self.salt, self.iterations, out);
        }
        Output::new(out).is_ok_and(|found| found == self.output)
    }
}
