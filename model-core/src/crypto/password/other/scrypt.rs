//! `$scrypt$ln=15,r=8,p=1$salt$hash`: scrypt (RFC 7914) as a PHC string.

use argon2::password_hash::phc::{Output, PasswordHash};
use zeroize::Zeroizing;

use super::super::super::{CryptoError, Result};
use super::super::policy::Bounds;
use super::OtherHash;

pub(super) struct Scrypt {
    params: scrypt::Params,
    memory_kib: u32,
    salt: Vec<u8>,
    output: Output,
}

impl Scrypt {
    pub(super) fn parse(text: &str, bounds: &Bounds) -> Result<Self> {
        let malformed = || CryptoError::MalformedHash;
        let hash = PasswordHash::new(text).map_err(|_| malformed())?;
        let cost = |name: &str| hash.params.get_decimal(name).ok_or_else(malformed);
        let (log, block, lanes) = (cost("ln")?, cost("r")?, cost("p")?);
        // 128 * r * 2^ln bytes.
        let memory_kib = 1u32
            .checked_shl(log)
            .and_then(|n| n.checked_mul(block))
            .map(|blocks| blocks / 8)
            .ok_or(CryptoError::HashPolicy)?;
        if !bounds.allow(memory_kib, lanes, 1) {
            return Err(CryptoError::HashPolicy);
        }
        let log = u8::try_from(log).map_err(|_| malformed())?;
        Ok(Self {
            params: scrypt::Params::new(log, block, lanes).map_err(|_| malformed())?,
            memory_kib,
            salt: hash.salt.ok_or_else(malformed)?.to_vec(),
            output: hash.hash.ok_or_else(malformed)?,
        })
    }
}

impl OtherHash for Scrypt {
    fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    fn matches(&self, secret: &[u8]) -> bool {
        let mut out = Zeroizing::new([0u8; Output::MAX_LENGTH]);
        let Some(out) = out.get_mut(..self.output.len()) else {
            return false;
        };
        scrypt::scrypt(secret, &self.salt, &self.params, out).is_ok()
            && Output::new(out).is_ok_and(|found| found == self.output)
    }
}
