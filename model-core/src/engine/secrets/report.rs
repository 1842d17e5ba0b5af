//! What a re-encryption tells of itself.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::IdValue;

/// What a re-encryption has done so far.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ReencryptReport {
    /// The documents that were looked at.
    pub scanned: u64,
    /// The values that now lie under the primary key.
    pub rewritten: u64,
    /// The values whose blind-index tokens are now those of the keys in use.
    pub reindexed: u64,
    /// The documents whose seal is now one by the primary key; those that had none included.
    pub resealed: u64,
    /// The values that somebody else wrote at the same moment: theirs stand, and are under the primary key. Of a sealed
    /// model, the documents that somebody else wrote again and again.
    pub raced: u64,
    /// The values that do not open, each with its document's id and its path; and the documents whose seal does not hold.
    pub failed: Vec<Error>,
    /// Where to go on; none when all documents were looked at.
    pub resume: Option<ResumeToken>,
}

/// What lies under which key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretsReport {
    /// The documents that were looked at.
    pub scanned: u64,
    /// The values under the primary key.
    pub current: u64,
    /// The values under other keys.
    pub outdated: u64,
    /// The values that are not sealed.
    pub plaintext: u64,
    /// The values that another system encrypted, in the old format that their field declares.
    pub old_format: u64,
    /// The values that are neither plaintext nor an envelope that this version knows.
    pub malformed: u64,
    /// Of a sealed model: the documents whose seal is one by another key than the primary one.
    pub outdated_seals: u64,
    /// The documents without a seal, or with one over other fields than the model seals now.
    pub unsealed: u64,
    /// The documents whose seal does not hold.
    pub broken_seals: u64,
}

/// What wrapping the data keys anew has done.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RewrapReport {
    /// The keys that were looked at.
    pub scanned: u64,
    /// The keys that now lie under the wrapper's present key.
    pub rewrapped: u64,
    /// The keys that were not, each with the beginning of its id: they do not unwrap, or somebody else changed them.
    pub failed: Vec<Error>,
}

/// Where a re-encryption goes on: the id of the last document that was looked at. Its text form is for a job's own store.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeToken(pub(in crate::engine) IdValue);

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResumeToken({self})")
    }
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            IdValue::ObjectId(_) => 'o',
            IdValue::Uuid(_) => 'u',
            IdValue::Text(_) => 's',
        };
        write!(f, "{kind}:{}", self.0)
    }
}

impl FromStr for ResumeToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let failed = || Error::violation("resume", "token", "is no resume token");
        let (kind, id) = text.split_once(':').ok_or_else(failed)?;
        let value = match kind {
            "o" => id.parse().ok().map(IdValue::ObjectId),
            "u" => id.parse().ok().map(IdValue::Uuid),
            "s" => Some(IdValue::Text(id.into())),
            _ => None,
        };
        value.map(Self).ok_or_else(failed)
    }
}
