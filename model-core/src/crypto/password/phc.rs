//! Stored strings, bounded before they are believed.
//!
//! Source: <https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md>.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Params, Version};

use super::super::{CryptoError, Result};
use super::other::{self, OtherHash};
use super::pepper::{Pepper, Peppers};
use super::policy::{Bounds, HashPolicy};
use super::pool::Job;

const SALT_LEN: usize = 16;
const OUTPUT_LEN: usize = 32;

/// A stored hash that may be computed, of whatever scheme.
pub(super) enum StoredHash {
    Argon2(Stored),
    Other(Box<dyn OtherHash>),
}

impl StoredHash {
    /// Parses a string and checks it against the bounds. The scheme is looked at before the rest: other schemes' strings
    /// need not be PHC strings.
    pub(super) fn parse(text: &str, bounds: &Bounds, peppers: &Peppers) -> Result<Self> {
        if text.len() > bounds.phc_len {
            return Err(CryptoError::HashPolicy);
        }
        let scheme = text.strip_prefix('$').and_then(|rest| rest.split('$').next());
        let algorithm = match scheme {
            None | Some("") => return Err(CryptoError::MalformedHash),
            Some("argon2id") => Algorithm::Argon2id,
            Some("argon2i") => Algorithm::Argon2i,
            Some("argon2d") => Algorithm::Argon2d,
            Some(scheme) => {
                let other = other::parse(scheme, text, bounds)?;
                return other.map(Self::Other).ok_or(CryptoError::UnsupportedHash);
            }
        };
        Stored::parse(algorithm, text, bounds, peppers).map(Self::Argon2)
    }
}

/// A stored hash of the Argon2 family that may be computed.
pub(super) struct Stored {
    pub(super) job: Job,
    /// What the computation should give; `None` in a string that holds no hash.
    pub(super) output: Option<Output>,
    has_version: bool,
}

impl Stored {
    fn parse(algorithm: Algorithm, text: &str, bounds: &Bounds, peppers: &Peppers) -> Result<Self> {
        let hash = PasswordHash::new(text).map_err(|_| CryptoError::MalformedHash)?;
        let params = parse_params(&hash.params, bounds)?;
        let pepper = named(params.keyid(), peppers)?.cloned();
        let version = match hash.version {
            None => Version::V0x13,
            Some(number) => Version::try_from(number).map_err(|_| CryptoError::UnsupportedHash)?,
        };
        let output_len = hash.hash.map_or(OUTPUT_LEN, |output| output.len());
        let salt = hash.salt.map(|salt| salt.to_vec());
        Ok(Self {
            output: hash.hash.filter(|_| salt.is_some()),
            job: Job {
                algorithm,
                version,
                params,
                output_len,
                salt: salt.unwrap_or_default(),
                pepper,
            },
            has_version: hash.version.is_some(),
        })
    }

    /// Whether the hash is weaker than the policy, of an older format, or without the pepper that new ones have.
    pub(super) fn needs_rehash(&self, policy: &HashPolicy, pepper: Option<&Pepper>) -> bool {
        let (job, params) = (&self.job, &self.job.params);
        // A string without a version means 16 to the specification and 19 to this crate.
        let old_format =
            job.algorithm != Algorithm::Argon2id || job.version != Version::V0x13 || !self.has_version;
        // More passes make up for less memory in time only, so that memory counts by itself.
        let work = |memory: u32, passes: u32| u64::from(memory) * u64::from(passes);
        let cheap = params.m_cost() < policy.memory_kib
            || work(params.m_cost(), params.t_cost()) < work(policy.memory_kib, policy.passes)
            || params.p_cost() < policy.lanes;
        let short = job.salt.len() < SALT_LEN || job.output_len < OUTPUT_LEN;
        let old_pepper = job.pepper.as_ref().map(Pepper::id) != pepper.map(Pepper::id);
        old_format || cheap || short || old_pepper
    }
}

/// The PHC string of a computation.
pub(super) fn format(job: &Job, output: Output) -> Result<String> {
    let malformed = |_| CryptoError::MalformedHash;
    let hash = PasswordHash {
        algorithm: job.algorithm.ident(),
        version: Some(job.version.into()),
        params: ParamsString::try_from(&job.params).map_err(|_| CryptoError::MalformedHash)?,
        salt: Some(Salt::new(&job.salt).map_err(malformed)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// Reads the three costs and refuses what exceeds the bounds, before anything else looks at them.
fn parse_params(text: &ParamsString, bounds: &Bounds) -> Result<Params> {
    refuse_repeated(text)?;
    let cost = |name: &str| text.get_decimal(name).ok_or(CryptoError::MalformedHash);
    if !bounds.allow(cost("m")?, cost("t")?, cost("p")?) {
        return Err(CryptoError::HashPolicy);
    }
    Params::try_from(text).map_err(|_| CryptoError::MalformedHash)
}

/// Refuses a parameter that is named twice: the first would be held to the bounds, and the last be computed with.
fn refuse_repeated(params: &ParamsString) -> Result<()> {
    let mut names: Vec<_> = params.iter().map(|(name, _)| name.to_string()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() == all {
        Ok(())
    } else {
        Err(CryptoError::MalformedHash)
    }
}

/// The pepper that a hash names; without it no password matches.
fn named<'a>(id: &[u8], peppers: &'a Peppers) -> Result<Option<&'a Pepper>> {
    if id.is_empty() {
        return Ok(None);
    }
    peppers.find(id).map(Some).ok_or(CryptoError::UnknownPepper)
}
