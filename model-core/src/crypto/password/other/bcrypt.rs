//! `$2a$`, `$2b$`, `$2y$`: bcrypt (Provos and Mazières, USENIX 1999).

use super::super::super::{CryptoError, Result};
use super::super::policy::Bounds;
use super::OtherHash;

/// bcrypt sees no more of a password; a longer one is no match, since its end would count for nothing.
const MAX_SECRET: usize = 72;
/// `$2b$12$`, 22 digits of salt, 31 of the hash.
const LENGTH: usize = 60;
const COST: core::ops::Range<usize> = 4..6;

pub(super) struct Bcrypt(String);

impl Bcrypt {
    pub(super) fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let malformed = CryptoError::MalformedHash;
        if text.len() != LENGTH || !text.is_ascii() {
            return Err(malformed);
        }
        let cost: u32 = text
            .get(COST)
            .and_then(|cost| cost.parse().ok())
            .ok_or(malformed.clone())?;
        if cost > bounds.bcrypt_cost {
            return Err(CryptoError::HashPolicy);
        }
        let digits = text
            .bytes()
            .skip(7)
            .all(|digit| digit.is_ascii_alphanumeric() || b"./".contains(&digit));
        if cost < 4 || text.as_bytes().get(6) != Some(&b'$') || !digits {
            return Err(malformed);
        }
        Ok(Self(text.to_owned()))
    }
}

impl OtherHash for Bcrypt {
    fn memory_kib(&self) -> u32 {
        // The state of Blowfish.
        5
    }

    fn matches(&self, secret: &[u8]) -> bool {
        secret.len() <= MAX_SECRET && !secret.contains(&0) && bcrypt::verify(secret, &self.0).unwrap_or(false)
    }
}
