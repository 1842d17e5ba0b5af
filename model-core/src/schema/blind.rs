//! What is declared of encrypted fields: blind indexes, padding.

use core::num::NonZeroU32;

use super::field::FieldSchema;

/// What is done to a value before its token is made, so that what means the same is found. The name is part of the key
/// that tokens are made with: another normaliser is another index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlindNormaliser {
    /// Nothing.
    Exact,
    /// Trimmed, in Unicode's normal form C, in lower case.
    Email,
    /// Only the digits 0 to 9 count.
    Digits,
}

/// A blind index over an encrypted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlindSpec {
    /// What is done to a value before its token is made.
    pub normalise: BlindNormaliser,
    /// No two documents have the same value.
    pub unique: bool,
    /// The tokens are made with one key for all tenants.
    pub global: bool,
    /// How many bits of a token are stored, if not all: several values share one, so that it tells less.
    pub bits: Option<u8>,
}

impl BlindSpec {
    /// A blind index within the tenant, that is not unique and compares exactly.
    pub const fn new() -> Self {
        Self {
            normalise: BlindNormaliser::Exact,
            unique: false,
            global: false,
            bits: None,
        }
    }

    /// Sets what is done to a value before its token is made.
    pub const fn normalise(mut self, normalise: BlindNormaliser) -> Self {
        self.normalise = normalise;
        self
    }

    /// Makes the index unique.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Lets the index span all tenants.
    pub const fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// Stores that many bits of each token.
    pub const fn bits(mut self, bits: u8) -> Self {
        self.bits = Some(bits);
        self
    }

    /// The name of the index over the field stored at `path`, which its key is derived by: a file format.
    pub(crate) fn index(self, path: &str) -> String {
        let normaliser = match self.normalise {
            BlindNormaliser::Exact => "exact/1",
            BlindNormaliser::Email => "email/1",
            BlindNormaliser::Digits => "digits/1",
        };
        match self.bits {
            None => format!("{path}#{normaliser}"),
            Some(bits) => format!("{path}#{normaliser}/{bits}"),
        }
    }
}

impl Default for BlindSpec {
    fn default() -> Self {
        Self::new()
    }
}

/// The name of the index that the digest of a token at `path` is made by: a file format.
pub(crate) fn token_index(path: &str) -> String {
    format!("{path}#token/1")
}

impl FieldSchema {
    /// Hides the length of an encrypted value in steps of that many bytes.
    pub const fn pad(mut self, bytes: u32) -> Self {
        self.pad = NonZeroU32::new(bytes);
        self
    }

    /// Lets the field be found by its value.
    pub const fn blind(mut self, blind: BlindSpec) -> Self {
        self.blind = Some(blind);
        self
    }
}
